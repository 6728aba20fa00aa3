"""The list of evaluations, and two of them case by case."""

from __future__ import annotations

import json

from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import stored_eval, suite_data
from tests.webapp.tools.test_eval_views import FAST, SLOW, given
from webapp.models import Eval, Job


def test_the_list_shows_the_best_model_and_its_twins_carry_it(alice: Person) -> None:
    both = given("pppppppp") + given("ppvvpppt", SLOW)
    row = stored_eval(alice.user, trials=both, name="Two <b>models</b>")
    page = alice.get("/tools/evals").text
    assert "Two &lt;b&gt;models&lt;/b&gt;" in page
    assert "8 of 8" in page
    assert "1 without an answer" in page
    (data,) = alice.get("/tools/evals.json").get_json()["evals"]
    assert (data["best"], data["passed"], data["share"]) == ("demo/fast-small", 8, 1.0)
    assert data["url"] == f"/tools/evals/{row.id}"
    assert "demo/fast-small demo/slow-large" in alice.get("/tools/evals.csv").text
    assert "Two &lt;b&gt;" in alice.get("/tools").text


def test_the_list_is_filtered_and_sorted_by_the_address(alice: Person) -> None:
    stored_eval(alice.user, name="Beta", age_s=10)
    stored_eval(alice.user, name="Alpha", state="failed", age_s=20)
    other = suite_data(4) | {"name": "Other suite"}
    stored_eval(alice.user, ["jittery"], name="Gamma", content=other)

    def names(query: str) -> list[str]:
        found = alice.get(f"/tools/evals.json{query}").get_json()["evals"]
        return [one["name"] for one in found]

    assert names("") == ["Gamma", "Beta", "Alpha"]
    assert names("?sort=name") == ["Alpha", "Beta", "Gamma"]
    assert names("?state=failed") == ["Alpha"]
    assert names("?suite=Other+suite") == names("?q=jittery") == ["Gamma"]
    assert names("?sort=nonsense&state=odd&page=x") == ["Gamma", "Beta", "Alpha"]
    assert "No evaluation matches" in alice.get("/tools/evals?q=zzz").text
    told = alice.get("/tools/evals?q=be&state=", headers={**HTMX, "HX-Trigger": "filters"})
    assert told.headers["HX-Push-Url"] == "/tools/evals?q=be"


def test_ticked_evaluations_go_and_come_back(alice: Person, charlie: Person) -> None:
    rows = [stored_eval(alice.user, name=name) for name in "ab"]
    running = stored_eval(alice.user, state="running", done=1)
    ticked = {"eval": [rows[0].id, running.id]}
    assert charlie.post("/tools/evals/delete", data=ticked).status_code == 404
    answer = alice.post("/tools/evals/delete", data=ticked, headers=HTMX)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "2 evaluations are deleted."
    assert Job.get(Job.subject == running.id).cancel_requested
    assert "1 evaluation<" in answer.text
    back = alice.post(toast["undo"], headers=HTMX)
    assert "studio:evals" in json.loads(back.headers["HX-Trigger"])
    assert Eval.select().where(Eval.deleted_at.is_null()).count() == 3
    assert alice.post("/tools/evals/delete", headers=HTMX).status_code == 422


def test_one_evaluation_is_deleted_from_its_page(alice: Person) -> None:
    row = stored_eval(alice.user)
    assert alice.post(f"/tools/evals/{row.id}/delete").location == "/tools"
    assert alice.get(f"/tools/evals/{row.id}").status_code == 404
    assert alice.post(f"/tools/evals/{row.id}/undelete").status_code == 303
    assert alice.get(f"/tools/evals/{row.id}").status_code == 200
    assert "No evaluation yet" not in alice.get("/tools/evals").text


def test_two_evaluations_are_compared_in_words(alice: Person) -> None:
    a = stored_eval(alice.user, ["fast-small"], cases=12, trials=given("v" * 10 + "pp", cases=12))
    b = stored_eval(alice.user, ["fast-small"], cases=12, trials=given("p" * 11 + "v", cases=12))
    answer = alice.post("/tools/evals/compare", data={"eval": [a.id, b.id]})
    assert answer.location == f"/tools/compare?a={a.id}.1&b={b.id}.1"
    page = alice.get(answer.location).text
    assert "<b>B passes 9 more of 12 cases</b>" in page
    assert "It passes 10 that A fails and fails 1 that A passes: more than chance" in page
    assert "11 cases differ" in page
    data = alice.get(f"/tools/compare.json?a={a.id}.1&b={b.id}.1").get_json()
    assert (data["only_a"], data["only_b"], data["both"]) == (1, 10, 1)
    assert abs(data["p_value"] - 0.01171875) < 1e-9


def test_two_models_of_one_evaluation_are_compared(alice: Person) -> None:
    row = stored_eval(alice.user, trials=given("ppvv", FAST) + given("ppvv", SLOW))
    page = alice.get(f"/tools/compare?a={row.id}.1").text
    assert "A and B pass and fail the same 4 cases" in page
    assert "4 cases are left out" in page


def test_what_cannot_be_compared_is_said(alice: Person, charlie: Person) -> None:
    assert "There are not two sides yet" in alice.get("/tools/compare").text
    row = stored_eval(alice.user)
    assert alice.get(f"/tools/compare.json?a={row.id}.7&b=x").status_code == 422
    assert charlie.get(f"/tools/compare?a={row.id}.1").status_code == 404
    assert alice.post("/tools/evals/compare", data={"eval": row.id}).status_code == 422
    other = suite_data(8)
    for case in other["cases"]:
        case["prompt"] += " Please."
    changed = stored_eval(alice.user, content=other)
    page = alice.get(f"/tools/compare?a={row.id}.1&b={changed.id}.1").text
    assert "Nothing can be compared" in page
