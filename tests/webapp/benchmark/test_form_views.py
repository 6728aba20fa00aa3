"""The form of a new benchmark, through a browser's eyes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.specs import BenchmarkSpec
from tests.webapp.benchmark.builders import stored_run
from tests.webapp.conftest import HTMX, Person
from webapp.benchmark.form_views import TOO_MANY
from webapp.models import Job, Provider, Run

FORM: dict[str, Any] = {
    "target": ["demo/fast-small", "demo/jittery"],
    "prompt": "Say hello.",
    "runs": "4",
    "warmup": "1",
    "max_tokens": "64",
    "temperature": "0.7",
    "context_tiers": ["0"],
    "name": "",
    "timeout_s": "120",
    "retries": "2",
    "seed": "1",
}


def post(who: Person, url: str = "/benchmark", **changes: Any) -> TestResponse:
    headers = changes.pop("headers", {})
    return who.post(url, data=FORM | changes, headers=headers)


def errors_in(page: str) -> dict[str, str]:
    """Messages by the id of the element that carries them."""
    return dict(re.findall(r'<\w+ class="err" id="([\w-]+)-err">(.*?)</\w+>', page, re.DOTALL))


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="target" value="([^"]+)" checked', page))


def test_demo_stands_first_and_models_without_a_key_cannot_be_ticked(alice: Person) -> None:
    page = alice.get("/benchmark/new").text
    labels = re.findall(r'<legend class="row">\s*(\S[^\n]*)', page)
    assert labels[0] == "Demo (simulated)"
    assert 'value="demo/fast-small">' in page
    assert re.search(r'value="openai/[^"]+" disabled', page)
    assert "OpenAI has no key." in page
    assert 'href="/settings/keys"' in page


def test_starting_stores_a_run_and_its_job_in_one_go(alice: Person) -> None:
    answer = post(alice, name="Two of them")
    run = Run.get()
    assert (answer.status_code, answer.location) == (303, f"/benchmark/{run.id}")
    job = Job.get()
    assert (run.job_id, job.subject, job.state, job.user_id) == (
        job.id, run.id, "queued", alice.user.id,
    )  # fmt: skip
    spec = BenchmarkSpec.model_validate(run.spec)
    assert job.spec == run.spec
    assert [str(ref) for ref in spec.targets] == ["demo/fast-small", "demo/jittery"]
    assert (spec.runs, spec.max_tokens) == (4, 64)
    assert run.name == job.title == "Two of them"
    assert [target["label"] for target in run.targets] == ["fast-small", "jittery"]
    assert alice.get(answer.location).status_code == 200


def test_htmx_is_sent_to_the_new_run(alice: Person) -> None:
    answer = post(alice, headers=HTMX)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/benchmark/{Run.get().id}"


def test_a_run_without_a_name_is_called_after_its_models(alice: Person) -> None:
    post(alice)
    assert Run.get().name == "fast-small and jittery"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"max_tokens": "0"}, "max_tokens", "Give a number from 1 to 128,000."),
        ({"runs": "10000"}, "runs", "Give a number from 1 to 1,000."),
        ({"prompt": "x" * 600_000}, "prompt", "Keep this to 500,000 characters or fewer."),
        ({"prompt": ""}, "prompt", "Write a prompt."),
        ({"temperature": "hot"}, "temperature", "Give a number."),
        ({"target": []}, "targets", "Choose at least one model."),
        ({"context_tiers": []}, "context_tiers", "Choose at least one context size."),
        ({"seed": "-1"}, "seed", "Give a number from 0 to 2,147,483,647."),
        (
            {"target": ["demo/slow-large"], "context_tiers": ["100000"]},
            "context_tiers",
            "None of the chosen models has room for these sizes. Choose a smaller one.",
        ),
        (
            {"mode": "load", "levels": "1, two"},
            "levels",
            "Give a number.",
        ),
        (
            {"mode": "load", "levels": " ".join(map(str, range(1, 17))), "requests": "100000"},
            "levels",
            TOO_MANY.format("3,200,002", "1,000,000"),
        ),
        (
            {"target": ["nobody/nothing"]},
            "targets",
            "nobody/nothing is not among your models any more. Choose another one.",
        ),
        (
            {"target": ["openai/gpt-4.1"]},
            "targets",
            "OpenAI has no key. Add one in Settings → API keys.",
        ),
    ],
)
def test_bad_input_gets_one_sentence_at_its_field_and_starts_nothing(
    alice: Person, changes: dict[str, Any], field: str, sentence: str
) -> None:
    answer = post(alice, name="Typed before", **changes)
    assert answer.status_code == 422
    assert errors_in(answer.text) == {field: sentence}
    assert 'value="Typed before"' in answer.text
    assert Run.select().count() == Job.select().count() == 0


def test_a_refused_form_keeps_what_was_typed_and_ticked(alice: Person) -> None:
    answer = post(alice, runs="no", context_tiers=["0", "5000"], prompt="Mine & <mine>")
    assert ticked(answer.text) == {"demo/fast-small", "demo/jittery"}
    assert 'name="runs" type="text" value="no"' in answer.text
    assert "Mine &amp; &lt;mine&gt;" in answer.text
    assert re.findall(r'name="context_tiers" value="(\d+)" checked', answer.text) == ["0", "5000"]


def test_a_mistake_behind_the_fold_opens_the_fold(alice: Person) -> None:
    assert "<details open>" in post(alice, retries="99").text
    assert "<details open>" not in post(alice, runs="0").text


def test_htmx_gets_only_the_form_when_it_is_refused(alice: Person) -> None:
    answer = post(alice, runs="0", headers=HTMX)
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert errors_in(answer.text) == {"runs": "Give a number from 1 to 1,000."}


def test_the_consequence_is_shown_while_one_types(alice: Person) -> None:
    said = post(alice, "/benchmark/estimate").text
    assert re.search(r"<b>10 requests, about \d+ s, at most \$[\d.]+ \(simulated\)</b>", said)
    assert "2 of them warm-up" in said
    assert Run.select().count() == 0


def test_skipped_sizes_are_named_with_their_numbers(alice: Person) -> None:
    said = post(
        alice, "/benchmark/estimate", target=["demo/fast-small", "demo/slow-large"],
        context_tiers=["0", "50000"],
    ).text  # fmt: skip
    assert 'id="tier-notes"' in said
    assert 'hx-swap-oob="true"' in said
    assert "slow-large is skipped at 50,000 tokens: its window is 32,768 tokens" in said


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"max_tokens": "0"}, "Most tokens out: give a number from 1 to 128,000."),
        ({"target": []}, "Choose at least one model."),
    ],
)
def test_an_estimate_says_what_it_waits_for(
    alice: Person, changes: dict[str, Any], hint: str
) -> None:
    answer = post(alice, "/benchmark/estimate", **changes)
    assert answer.status_code == 200
    assert hint in answer.text


def test_an_estimate_follows_what_the_models_did_before(alice: Person) -> None:
    long = {"runs": "60", "max_tokens": "512"}
    before = post(alice, "/benchmark/estimate", **long).text
    stored_run(alice.user)
    after = post(alice, "/benchmark/estimate", **long).text
    minutes = [int(re.findall(r"about (\d+) min", text)[0]) for text in (before, after)]
    assert minutes[1] < minutes[0] / 2


def test_select_all_and_none_work_with_and_without_scripts(alice: Person) -> None:
    page = post(alice, "/benchmark/new", target=[], all="demo").text
    assert "<html" in page
    assert ticked(page) == {
        f"demo/{name}" for name in ("fast-small", "slow-large", "jittery", "flaky")
    }
    part = post(alice, "/benchmark/new", none="demo", headers=HTMX | {"HX-Target": "targets"})
    assert part.text.lstrip().startswith('<div id="targets"')
    assert ticked(part.text) == set()
    assert part.headers["HX-Trigger-After-Swap"] == "studio:ticked"


def test_changing_one_thing_keeps_the_rest_and_refuses_nothing(alice: Person) -> None:
    answer = post(alice, "/benchmark/new", all="demo", runs="many", name="<b>Kept</b>")
    assert answer.status_code == 200
    assert errors_in(answer.text) == {}
    assert 'value="many"' in answer.text
    assert "&lt;b&gt;Kept&lt;/b&gt;" in answer.text


def test_the_search_narrows_the_list_and_keeps_what_is_ticked(alice: Person) -> None:
    part = post(
        alice,
        "/benchmark/new",
        target=["demo/jittery"],
        q="slow",
        headers=HTMX | {"HX-Target": "targets"},
    ).text
    assert set(re.findall(r'name="target" value="([^"]+)"', part)) == {
        "demo/jittery",
        "demo/slow-large",
    }
    none = alice.get("/benchmark/new?q=<i>zzz").text
    assert "No model matches “&lt;i&gt;zzz”." in none


def test_a_template_fills_the_prompt(alice: Person) -> None:
    page = alice.get("/benchmark/new").text
    offered = re.findall(r'<select id="template".*?</select>', page, re.DOTALL)[0]
    keys = re.findall(r'<option value="(\w[\w-]*)">', offered)
    assert keys, "config.yaml ships templates"
    part = post(
        alice, "/benchmark/new", template=keys[0], use_template="1",
        headers=HTMX | {"HX-Target": "prompt-field"},
    ).text  # fmt: skip
    assert part.lstrip().startswith('<div id="prompt-field"')
    assert "Say hello." not in part
    unknown = post(alice, "/benchmark/new", template="nothing", use_template="1").text
    assert "Say hello." in unknown


def test_run_again_is_prefilled_with_the_same_spec(alice: Person) -> None:
    run = stored_run(alice.user, context_tiers=(0, 7777), runs=7, name="Before")
    page = alice.get(f"/benchmark/new?from={run.id}").text
    assert ticked(page) == {"demo/fast-small", "demo/slow-large", "demo/jittery"}
    assert 'name="runs" type="text" value="7"' in page
    assert 'value="7777" checked' in page
    assert f'href="/benchmark/{run.id}">Before</a>' in page


@pytest.mark.parametrize("number", ["999", "abc", ""])
def test_run_again_of_nothing_is_404(alice: Person, number: str) -> None:
    assert alice.get(f"/benchmark/new?from={number}").status_code == 404


def test_run_again_of_somebody_elses_run_is_404(alice: Person, charlie: Person) -> None:
    run = stored_run(alice.user)
    assert charlie.get(f"/benchmark/new?from={run.id}").status_code == 404


def test_two_clicks_start_the_demo(alice: Person) -> None:
    assert 'formaction="/benchmark/demo"' in alice.get("/benchmark").text
    answer = alice.post("/benchmark/demo")
    run = Run.get()
    assert (answer.status_code, answer.location) == (303, f"/benchmark/{run.id}")
    assert [t["model"] for t in run.spec["targets"]] == ["fast-small", "slow-large", "jittery"]
    assert (run.spec["runs"], run.spec["max_tokens"]) == (3, 128)


def test_without_the_demo_provider_the_demo_says_how_to_get_it_back(alice: Person) -> None:
    Provider.delete().where(Provider.key == "demo").execute()
    answer = alice.post("/benchmark/demo")
    assert answer.status_code == 409
    assert "Bring it back in Settings → Providers." in answer.text
    assert Run.select().count() == 0


def test_a_user_without_models_is_told_where_to_add_them(charlie: Person) -> None:
    page = charlie.get("/benchmark/new").text
    assert "You have no models." in page
    assert 'href="/settings/providers"' in page


def test_the_landing_lists_the_latest_runs(alice: Person, charlie: Person) -> None:
    stored_run(alice.user, name="Old <one>")
    page = alice.get("/benchmark").text
    assert "Old &lt;one&gt;" in page
    assert "Old" not in charlie.get("/benchmark").text
    assert "No benchmark yet" in charlie.get("/benchmark").text


@pytest.mark.parametrize(
    ("method", "url"),
    [("put", "/benchmark"), ("get", "/benchmark/estimate"), ("get", "/benchmark/demo")],
)
def test_the_wrong_method_is_405(alice: Person, method: str, url: str) -> None:
    assert getattr(alice.client, method)(url).status_code == 405


@pytest.mark.parametrize("url", ["/benchmark", "/benchmark/new", "/benchmark/1"])
def test_nobody_is_sent_to_sign_in(nobody: FlaskClient, url: str) -> None:
    answer = nobody.get(url)
    assert answer.status_code == 303
    assert "/login" in answer.location


def test_nobody_starts_anything(nobody: FlaskClient, app: Flask) -> None:
    assert nobody.post("/benchmark", data=FORM).status_code == 303
    assert nobody.post("/benchmark/demo").status_code == 303
    assert Run.select().count() == 0
