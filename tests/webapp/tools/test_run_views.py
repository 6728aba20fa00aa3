"""The form of an evaluation: what it promises, what it starts, what it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine.specs import ToolEvalSpec
from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import stored_eval, stored_suite, suite_data
from webapp.models import Eval, Job, SuiteRow

FORM: dict[str, Any] = {
    "target": ["demo/fast-small", "demo/jittery"],
    "trials": "2",
    "threshold": "0.5",
    "mode": "studio",
    "tool_choice": "auto",
    "max_tokens": "256",
    "temperature": "",
    "timeout_s": "60",
    "retries": "1",
    "concurrency": "8",
    "seed": "3",
    "selection": "0.5",
    "params": '{"top_p": 0.9}',
}


def post(who: Person, url: str = "/tools/evals", **changes: Any) -> TestResponse:
    suite = SuiteRow.select().first()
    data = {"suite": str(suite.id) if suite else ""} | FORM | changes
    return who.post(url, data=data, headers=HTMX)


def errors_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'<\w+ class="err" id="([\w-]+)-err">(.*?)</\w+>', page, re.DOTALL))


def test_starting_stores_the_evaluation_its_suite_and_its_job(alice: Person) -> None:
    stored_suite(alice.user)
    answer = post(alice)
    row = Eval.get()
    assert answer.headers["HX-Redirect"] == f"/tools/evals/{row.id}"
    spec = ToolEvalSpec.model_validate(row.spec)
    assert (spec.trials, spec.threshold, spec.temperature) == (2, 0.5, None)
    assert (spec.concurrency, spec.seed, spec.params) == (8, 3, {"top_p": 0.9})
    assert spec.weights.selection == 0.5
    assert spec.suite == row.suite_version_id
    assert row.suite["name"] == "Weather and mail"
    assert row.name == "Weather and mail: fast-small and jittery"
    job = Job.get()
    assert (job.kind, job.subject, job.title) == ("tool_eval", row.id, row.name)
    assert f'href="/tools/evals/{row.id}"' in alice.get("/jobs").text


def test_the_consequence_counts_requests_and_money(alice: Person) -> None:
    stored_suite(alice.user)
    said = post(alice, "/tools/evals/estimate").text
    assert "32 requests, about" in said
    assert "(simulated)" in said
    assert "Choose at least one model." in post(alice, "/tools/evals/estimate", target=[]).text
    trials = post(alice, "/tools/evals/estimate", trials="0").text
    assert "Trials: give a number from 1." in trials


def test_forcing_a_call_where_none_is_due_warns_with_one_click_to_fix(alice: Person) -> None:
    stored_suite(alice.user)
    said = post(alice, "/tools/evals/estimate", tool_choice="required").text
    assert "2 cases expect no call" in said
    fixed = post(alice, "/tools/evals/new", tool_choice="required", auto="1").text
    assert '<option value="auto" selected>' in fixed
    assert "expect no call" not in fixed


def test_comparing_meanings_needs_a_model_to_ask(alice: Person) -> None:
    stored_suite(alice.user, match={"kind": "semantic"})
    answer = post(alice)
    assert answer.status_code == 422
    assert "asks an embedding model, or else a judge" in errors_in(answer.text)["embedding"]
    assert Eval.select().count() == 0
    assert post(alice, judge="demo/slow-large").status_code == 204
    assert ToolEvalSpec.model_validate(Eval.get().spec).judge is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": []}, "targets"),
        ({"target": ["demo/gone"]}, "targets"),
        ({"suite": ""}, "suite"),
        ({"suite": "99"}, "suite"),
        ({"threshold": "0"}, "threshold"),
        ({"concurrency": "many"}, "concurrency"),
        ({"selection": "2"}, "selection"),
        ({"params": "{"}, "params"),
        ({"cases": "nowhere_1"}, "cases"),
        ({"name": "x" * 200}, "name"),
    ],
)
def test_a_refused_field_has_its_message_and_nothing_starts(
    alice: Person, changes: dict[str, Any], field: str
) -> None:
    stored_suite(alice.user)
    answer = post(alice, **changes)
    assert answer.status_code == 422
    assert field in errors_in(answer.text)
    assert Job.select().count() == 0


def test_a_model_without_a_key_and_a_suite_without_a_case_are_refused(alice: Person) -> None:
    stored_suite(alice.user, 0)
    model = re.search(r'value="(openai/[^"]+)" disabled', alice.get("/tools/evals/new").text)
    assert model is not None
    errors = errors_in(post(alice, target=[model[1]]).text)
    assert "has no key" in errors["targets"]
    assert "no case" in errors["suite"]
    assert Job.select().count() == 0


def test_run_again_fills_the_form_in(alice: Person) -> None:
    suite = stored_suite(alice.user)
    post(alice, cases="simple_1\nparallel_2")
    row = Eval.get()
    page = alice.get(f"/tools/evals/new?from={row.id}").text
    assert f'<option value="{suite.id}" selected>' in page
    assert 'value="demo/jittery" checked' in page
    assert "simple_1\nparallel_2" in page
    other = stored_eval(alice.user, ["vanished"])
    lost = alice.get(f"/tools/evals/new?from={other.id}").text
    assert "demo/vanished is not among your models any more" in lost


def test_providers_are_ticked_and_models_searched_without_losing_the_rest(alice: Person) -> None:
    stored_suite(alice.user)
    part = {**HTMX, "HX-Target": "targets"}
    url = "/tools/evals/new"
    page = alice.post(url, data=FORM | {"target": [], "all": "demo"}, headers=part).text
    assert page.count(" checked") >= 4
    assert 'formaction="/tools/evals/new"' in page
    page = alice.post(url, data=FORM | {"q": "zzz", "target": []}, headers=part).text
    assert "No model matches" in page


def test_without_a_suite_the_sample_is_offered(alice: Person) -> None:
    assert "Add the sample suite" in alice.get("/tools/evals/new").text


def test_nobody_starts_on_a_strangers_suite(alice: Person, charlie: Person) -> None:
    stored_suite(alice.user)
    assert post(charlie).status_code == 422
    row = stored_eval(alice.user)
    assert charlie.get(f"/tools/evals/new?from={row.id}").status_code == 404
    assert suite_data()["name"] not in charlie.get("/tools/evals/new").text
