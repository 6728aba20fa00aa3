"""An evaluation while it runs and afterwards: answer, figures, matrix, cells, twins."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
from flask import Flask

from engine.tools.trials import Trial, TrialKey
from jobs.trials import store_trials
from tests.webapp.conftest import HTMX, Person
from tests.webapp.tools.builders import stored_eval, suite_data, trial
from webapp.models import Eval, Job, TrialRow
from webapp.tools import live
from webapp.tools.cells import Cell

FAST, SLOW = ("demo", "fast-small"), ("demo", "slow-large")


def given(outcomes: str, model: tuple[str, str] = FAST, cases: int = 8) -> list[Trial]:
    """Trials of the first cases, one a letter: p passes, v wrong value, n no call, t timeout."""
    words = {"p": None, "v": "wrong_value", "n": "no_call", "t": "timeout"}
    made = suite_data(cases)["cases"]
    return [
        trial(TrialKey(*model, one["id"], 0), one["category"], words[letter])
        for one, letter in zip(made, outcomes, strict=False)
    ]


def cells_of(page: str) -> list[list[str]]:
    """The words of the cells of each row of the matrix."""
    body = page.partition('<table class="matrix">')[2].partition("</table>")[0]
    rows = body.partition("<tbody>")[2].split("</tr>")[:-1]
    found = []
    for row in rows:
        cells = re.findall(r'<td class="cell \w">(.*?)</td>', row, re.DOTALL)
        texts = [re.sub(r'<span class="sr">.*?</span>|<[^>]+>', "", cell) for cell in cells]
        found.append([" ".join(html.unescape(text).split()) for text in texts])
    return found


def test_the_answer_stands_first_with_its_interval(alice: Person) -> None:
    row = stored_eval(alice.user, ["fast-small"], trials=given("ppppppvn"))
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "<b>fast-small passes 6 of 8 cases</b> (75\u202f%, 95\u202f% interval 41–93" in page
    assert cells_of(page)[5:] == [["✓ pass"], ["✗ wrong value"], ["✗ no call"]]


def test_two_models_are_compared_case_by_case_in_words(alice: Person) -> None:
    both = given("pppppppp") + given("ppvvpppp", SLOW)
    row = stored_eval(alice.user, trials=both)
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "fast-small passes most: 8 of 8 cases" in page
    said = "fast-small passes 2 cases that slow-large fails: that can be chance"
    assert said in page


def test_a_failed_request_counts_nowhere_and_is_retried_alone(alice: Person) -> None:
    row = stored_eval(alice.user, ["fast-small"], trials=given("ppppttvp"))
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "5 of 6 cases" in page
    assert "2 trials got no answer" in page
    assert cells_of(page)[4] == ["! timed out"]
    answer = alice.post(f"/tools/evals/{row.id}/retry")
    assert answer.location == f"/tools/evals/{row.id}"
    assert Job.get().state == "queued"
    assert TrialRow.select().where(TrialRow.outcome == "scored").count() == 6
    Job.update(state="running").execute()
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "6 of 8 trials, " in page
    assert cells_of(page)[4] == ["! timed out"]
    assert alice.post(f"/tools/evals/{row.id}/retry", headers=HTMX).status_code == 409


def test_the_matrix_is_filtered_sorted_and_paged_by_the_address(alice: Person) -> None:
    letters = "pv" * 60
    row = stored_eval(alice.user, cases=120, trials=given(letters, cases=120)
                      + given("p" * 120, SLOW, cases=120))  # fmt: skip
    url = f"/tools/evals/{row.id}"
    assert len(cells_of(alice.get(url).text)) == 50
    last = alice.get(f"{url}?page=99", headers=HTMX).text
    assert last.lstrip().startswith('<div id="matrix-body"')
    assert len(cells_of(last)) == 20
    assert "101–120 of 120 cases" in last
    failing = alice.get(f"{url}?outcome=fail&page=2", headers=HTMX).text
    assert "51–60 of 60 cases that match" in failing
    assert "No case matches" in alice.get(f"{url}?outcome=fail&model=2").text
    assert "60 cases that match" in alice.get(f"{url}?error=wrong_value").text
    assert "60 cases that match" in alice.get(f"{url}?outcome=differ").text
    assert "1–10 of 10 cases that match" in alice.get(f"{url}?category=simple&q=oslo").text
    hard = cells_of(alice.get(f"{url}?sort=hard", headers=HTMX).text)
    assert hard[0] == ["✗ wrong value", "✓ pass"]
    told = alice.get(f"{url}?outcome=fail&q=", headers={**HTMX, "HX-Trigger": "matrix-filters"})
    assert told.headers["HX-Push-Url"] == f"{url}?outcome=fail"


def test_repeats_show_how_steady_a_model_is(alice: Person) -> None:
    made = [
        trial(TrialKey("demo", "jittery", one["id"], n), one["category"],
              None if n < passes else "wrong_value")
        for one, passes in zip(suite_data(4)["cases"], (5, 3, 0, 5), strict=True) for n in range(5)
    ]  # fmt: skip
    content = suite_data(4)
    for one in content["cases"]:
        one["trials"] = 5
    row = stored_eval(alice.user, ["jittery"], trials=made, content=content, threshold=0.6)
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "pass@5" in page
    assert [cell[0] for cell in cells_of(page)] == ["✓ 5 of 5", "✓ 3 of 5", "✗ wrong value",
                                                    "✓ 5 of 5"]  # fmt: skip
    assert "3 of 4 cases" in page
    assert '<td class="num">75\u202f%</td><td class="num">50\u202f%</td>' in page


@pytest.mark.parametrize(
    ("cell", "outcome", "passes"),
    [
        (Cell(), "waiting", None),
        (Cell(failed=2), "infrastructure", None),
        (Cell(passed=1, scored=1), "pass", True),
        (Cell(passed=0, scored=3), "fail", False),
        (Cell(passed=8, scored=10, threshold=0.8), "flaky", True),
        (Cell(passed=7, scored=10, threshold=0.8), "flaky", False),
        (Cell(passed=1, scored=1, failed=4), "pass", True),
    ],
)
def test_a_cell_is_one_of_five_outcomes(cell: Cell, outcome: str, passes: bool | None) -> None:
    assert (cell.outcome, cell.passes) == (outcome, passes)


def test_a_cell_shows_prompt_calls_diff_rule_parts_and_raw(alice: Person) -> None:
    row = stored_eval(alice.user, ["fast-small"], trials=given("vpn"))
    page = html.unescape(alice.get(f"/tools/evals/{row.id}/cases/1/1").text)
    assert "fast-small fails: wrong value" in page
    assert "city is Bergen, not Oslo." in page
    assert 'get_weather(city="Oslo")' in page
    assert 'get_weather(city="Bergen")' in page
    assert "exactly equal to “Oslo”" in page
    for part in ("Selection", "Arguments", "Schema", "Overall"):
        assert f"<dt>{part}</dt>" in page
    assert "2 tools offered" in page
    assert '"max_tokens": 1024' in page
    assert f'href="/tools/evals/{row.id}/cases/2/1"' in page
    silent = alice.get(f"/tools/evals/{row.id}/cases/3/1").text
    assert "<p>Nothing.</p>" in silent
    assert "Look outside." in silent
    assert "has not been asked yet" in alice.get(f"/tools/evals/{row.id}/cases/5/1").text
    for odd in ("9/1", "1/2", "0/1", "1/1?trial=2"):
        assert alice.get(f"/tools/evals/{row.id}/cases/{odd}").status_code == 404


def test_neighbours_of_a_cell_are_those_that_match(alice: Person) -> None:
    row = stored_eval(alice.user, ["fast-small"], trials=given("vppvpppv"))
    page = alice.get(f"/tools/evals/{row.id}/cases/4/1?outcome=fail").text
    assert f"/tools/evals/{row.id}/cases/1/1?outcome=fail" in html.unescape(page)
    assert f"/tools/evals/{row.id}/cases/8/1?outcome=fail" in html.unescape(page)


def test_the_twins_carry_everything(alice: Person) -> None:
    row = stored_eval(alice.user, ["fast-small"], trials=given("ppvt"))
    data = json.loads(alice.get(f"/tools/evals/{row.id}.json").data)
    assert data["schema"] == "studio.eval/1"
    (model,) = data["models"]
    assert (model["passed"], model["cases"], model["no_answer"]) == (2, 3, 1)
    assert len(data["trials"]) == 4
    assert data["trials"][2]["diffs"][0]["name"] == "city"
    lines = list(csv.DictReader(io.StringIO(alice.get(f"/tools/evals/{row.id}.csv").text)))
    outcomes = [line["outcome"] for line in lines]
    assert outcomes == ["scored", "scored", "scored", "infrastructure"]
    assert (lines[2]["error_type"], lines[3]["error"]) == ("wrong_value", "timeout")
    alone = alice.get(f"/tools/evals/{row.id}.html").text
    assert "2 of 3 cases" in alone
    assert "<link" not in alone
    assert "<script" not in alone


def test_what_was_cut_short_is_resumed(alice: Person) -> None:
    row = stored_eval(alice.user, state="interrupted", done=3)
    page = alice.get(f"/tools/evals/{row.id}").text
    assert "Interrupted after 3 of 16 trials." in page
    assert alice.post(f"/tools/evals/{row.id}/resume").status_code == 303
    assert Job.get().state == "queued"
    assert alice.post(f"/tools/evals/{row.id}/resume", headers=HTMX).status_code == 409


def test_each_fragment_is_one_element_that_the_page_has(app: Flask, alice: Person) -> None:
    row = stored_eval(alice.user, state="running", done=5)
    page = alice.get(f"/tools/evals/{row.id}").text
    assert 'ws-connect="/live?topic=eval:' in page
    with app.test_request_context():
        fragments = live.fragments(alice.user, row.id) or {}
        for name, found in fragments.items():
            assert re.match(rf'\s*<\w+ id="{name}"', found), name
            assert page.count(f'id="{name}"') == 1, name
            assert "csrf" not in found
            assert name == "live-title" or found.strip() in page, name


def test_a_trial_that_lands_changes_the_fragments_and_calls_for_the_matrix(
    app: Flask, alice: Person
) -> None:
    every = given("ppv") + given("ppp", SLOW)
    row = stored_eval(alice.user, state="running", trials=every, done=3)
    page = alice.get(f"/tools/evals/{row.id}").text
    assert 'hx-trigger="studio:refresh"' in page
    with app.test_request_context():
        before = live.fragments(alice.user, row.id) or {}
        store_trials(row, every[3:4])
        after = live.fragments(alice.user, row.id) or {}
    changed = {name for name in after if after[name] != before[name]}
    assert {"eval-progress", "eval-models", "eval-news", "eval-cards"} <= changed
    assert 'data-news="studio:trials"' in after["eval-news"]


def test_the_end_keeps_the_bars_of_an_open_page(app: Flask, alice: Person) -> None:
    row = stored_eval(alice.user)
    with app.test_request_context():
        fragments = live.fragments(alice.user, row.id) or {}
    assert "16 of 16 trials." in fragments["eval-progress"]
    assert 'class="lanes"' not in alice.get(f"/tools/evals/{row.id}").text


def test_it_is_its_owners(app: Flask, alice: Person, charlie: Person) -> None:
    row = stored_eval(alice.user)
    for path in ("", ".json", ".csv", ".html", "/cases/1/1"):
        assert charlie.get(f"/tools/evals/{row.id}{path}").status_code == 404
    for path in ("/delete", "/retry", "/resume", "/undelete"):
        assert charlie.post(f"/tools/evals/{row.id}{path}").status_code == 404
    with app.test_request_context():
        assert live.fragments(charlie.user, row.id) is None
    assert Eval.get().deleted_at is None
