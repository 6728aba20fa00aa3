"""The list of runs and its twins, through a browser's eyes."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from engine.report import numbers
from engine.report.wording import TROUBLES
from engine.samples import ERROR_KINDS
from tests.engine.report.builders import failed, sample
from tests.webapp.conftest import HTMX, Person
from tests.webapp.history.conftest import add_run, ladder
from webapp.history import queries
from webapp.models import Run

MARKUP = '<img src=x onerror="alert(1)">'


def names(page: str) -> list[str]:
    """The names in the list, as a reader sees them."""
    return [
        html.unescape(name) for name in re.findall(r'<a id="run-\d+" href="[^"]+">(.*?)<', page)
    ]


def cells(page: str) -> list[list[str]]:
    """The texts of the figures of each row: answered, speed, interval, first token, cost."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in body.split("</tr>")[:-1]:
        numeric = re.findall(r'<td class="num[^"]*">(.*?)</td>', row, re.DOTALL)
        found.append([html.unescape(re.sub("<small.*", "", cell)) for cell in numeric])
    return found


def test_a_run_is_one_line_with_its_figures(alice: Person) -> None:
    speeds = {"fast": ladder(180), "slow": ladder(90)}
    run = add_run(alice.user, speeds, name="Nightly", extra=[failed("fast", 8)])
    page = alice.get("/history").text
    assert f'<a id="run-{run.id}" href="/benchmark/{run.id}">Nightly</a>' in page
    assert "fast, slow · Demo" in page
    assert '<span class="chip ok">Done</span>' in page
    answered, speed, interval, first, cost = cells(page)[0]
    assert (answered, first, cost) == ("16 of 17", "100", "0.0160")
    assert "1 server error" in page
    low, high = (float(end) for end in interval.split("–"))
    assert low < float(speed) == 180.0 < high
    assert "1 benchmark<" in page


def test_the_twins_carry_in_full_what_the_page_shows(alice: Person) -> None:
    add_run(alice.user, {"fast": ladder(181.37), "slow": ladder(90)}, name="Two")
    add_run(alice.user, {"fast": ladder(77.123)}, name="One", extra=[failed("fast", 9)])
    add_run(alice.user, {"fast": []}, name="None", state="queued")
    unpriced = {"cost_usd": None}
    add_run(alice.user, {"fast": [5.0]}, name="Unpriced", sample_fields=unpriced)

    runs = alice.get("/history.json").get_json()["runs"]
    page = alice.get("/history").text

    assert [run["name"] for run in runs] == names(page) == ["Unpriced", "None", "One", "Two"]
    for run, shown in zip(runs, cells(page), strict=True):
        speed = (run["fastest"] or {}).get("output_tps", {"p50": None, "ci95": (None, None)})
        first = (run["earliest"] or {}).get("ttft_ms", {"p50": None})
        total = sum(run["requests"].values())
        assert shown == [
            f"{run['requests']['ok']} of {total}" if total else numbers.NONE,
            numbers.measured(speed["p50"], speed["ci95"]),
            numbers.measured_span(speed["p50"], speed["ci95"]),
            numbers.ms(first["p50"]),
            numbers.usd(run["cost_usd"]).removeprefix("$"),
        ]


def test_the_csv_has_the_values_of_the_json(alice: Person) -> None:
    add_run(alice.user, {"fast": ladder(181.37), "slow": ladder(90)}, extra=[failed("fast", 9)])
    add_run(alice.user, {"fast": []}, state="queued", name="=1+1")
    runs = alice.get("/history.json").get_json()["runs"]
    answer = alice.get("/history.csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert 'filename="history.csv"' in answer.headers["Content-Disposition"]
    assert [line["id"] for line in lines] == [str(run["id"]) for run in runs]
    queued, full = lines
    assert queued["name"] == "'=1+1"
    assert queued["fastest.output_tps.p50"] == queued["cost_usd"] == ""
    assert full["models"] == "demo/fast demo/slow"
    assert full["errors"] == "server:1"
    speed = runs[1]["fastest"]["output_tps"]
    columns = ("p50", "ci95.low", "ci95.high", "n")
    values = (speed["p50"], *speed["ci95"], speed["n"])
    for name, value in zip(columns, values, strict=True):
        assert full[f"fastest.output_tps.{name}"] == str(value)
    assert full["cost_usd"] == str(runs[1]["cost_usd"])
    assert full["requests.failed"] == "1"


def test_the_twins_have_the_filters_and_the_order_of_the_page(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    for number in range(5):
        add_run(alice.user, {"fast": [100.0 + number]}, name=f"Run {number}")
    add_run(alice.user, {"slow": [1.0]}, name="Another")
    query = "?model=fast&sort=speed&dir=asc"
    assert names(alice.get(f"/history{query}").text) == ["Run 0", "Run 1"]
    assert names(alice.get(f"/history{query}&page=3").text) == ["Run 4"]
    runs = alice.get(f"/history.json{query}").get_json()["runs"]
    assert [run["name"] for run in runs] == [f"Run {number}" for number in range(5)]
    runs = alice.get(f"/history.json{query}&page=2").get_json()["runs"]
    assert [run["name"] for run in runs] == ["Run 2", "Run 3"]
    page = alice.get(f"/history{query}").text
    assert 'href="/history.csv?model=fast&amp;sort=speed&amp;dir=asc"' in page


def test_filters_sorting_and_pages_are_links_and_fields(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 1)
    for model in ("fast", "slow", "slower"):
        add_run(alice.user, {model: [9.0]}, name=model)
    page = alice.get("/history?q=low&sort=name&dir=desc&state=done").text
    assert names(page) == ["slower"]
    assert 'value="low"' in page
    assert '<option value="done" selected>Done</option>' in page
    assert '<option value="queued">Waiting</option>' in page
    assert '<option value="slow">slow</option>' in page
    by_name = "/history?q=low&amp;state=done&amp;sort=name"
    assert f'aria-sort="descending"><a id="by-name" href="{by_name}"' in page
    assert '<input type="hidden" name="sort" value="name" form="filters">' in page
    assert f'<a id="next" href="{by_name}&amp;dir=desc&amp;page=2"' in page
    assert "1–1 of 2" in page
    assert '<a href="/history">Clear filters</a>' in page


def test_htmx_gets_the_list_alone_and_the_short_address(alice: Person) -> None:
    add_run(alice.user, {"fast": [9.0]})
    typed = "/history?q=fast&state=&provider=&model=&from=&to="
    answer = alice.get(typed, headers={**HTMX, "HX-Trigger": "filters"})
    assert answer.text.lstrip().startswith('<div id="runs"')
    assert "<form id=" not in answer.text
    assert answer.headers["HX-Push-Url"] == "/history?q=fast"
    assert "HX-Request" in answer.headers["Vary"]
    again = alice.get("/history?q=fast&run=1", headers={**HTMX, "HX-Trigger": "runs"})
    assert "HX-Push-Url" not in again.headers
    assert 'value="1" aria-label="Tick A run" checked' in again.text


@pytest.mark.parametrize(("state", "follows"), [("running", True), ("done", False)])
def test_a_list_with_a_run_under_way_follows_the_news(
    alice: Person, state: str, follows: bool
) -> None:
    add_run(alice.user, {"fast": [9.0]}, state=state)
    assert ("studio:jobs from:body" in alice.get("/history").text) is follows


def test_nothing_yet_offers_the_demo(alice: Person) -> None:
    page = alice.get("/history").text
    assert "No benchmark yet" in page
    assert 'formaction="/benchmark/demo"' in page
    assert "Try it with the demo provider" in page
    assert 'id="filters"' not in page


def test_no_match_offers_to_clear_the_filters(alice: Person) -> None:
    add_run(alice.user, {"fast": [9.0]})
    page = alice.get("/history?q=nothing+like+it").text
    assert "No benchmark matches" in page
    assert '<a class="btn" href="/history">Clear filters</a>' in page
    assert names(page) == []
    assert alice.get("/history.json?q=nothing+like+it").get_json() == {"runs": []}


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_what_cannot_be_used_is_said_with_what_was_typed(
    alice: Person, headers: dict[str, str]
) -> None:
    add_run(alice.user, {"fast": [9.0]})
    answer = alice.get("/history?to=<b>soon</b>", headers=headers)
    assert answer.status_code == 422
    assert "“&lt;b&gt;soon&lt;/b&gt;” is not a day." in answer.text
    assert names(answer.text) == []
    if not headers:
        assert 'value="&lt;b&gt;soon&lt;/b&gt;" aria-invalid="true"' in answer.text


def test_twins_refuse_what_cannot_be_used(alice: Person) -> None:
    answer = alice.get("/history.json?sort=colour")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == {
        "sort": "Runs cannot be sorted by “colour”. Choose a column."
    }
    assert alice.get("/history.csv?sort=colour").status_code == 422


@pytest.mark.parametrize("value", ["\x00", "'; DROP TABLE run; --", "%", "𝕏" * 300, "x" * 9000])
@pytest.mark.parametrize("name", ["q", "provider", "model", "state", "from", "page", "run"])
def test_odd_values_find_nothing_and_break_nothing(alice: Person, name: str, value: str) -> None:
    add_run(alice.user, {"fast": [9.0]})
    answer = alice.get("/history", query_string={name: value})
    assert answer.status_code in (200, 422)
    assert Run.select().count() == 1


def test_markup_in_names_is_text(alice: Person) -> None:
    run = add_run(
        alice.user,
        {MARKUP: [9.0], "b": [1.0]},
        name=MARKUP,
        provider=MARKUP[:40],
        labels={MARKUP: MARKUP},
    )
    for url in ("/history", f"/history/compare?a={run.id}"):
        page = alice.get(url).text
        assert "<img" not in page
        assert "&lt;img" in page


def test_every_kind_of_failure_has_its_words(alice: Person) -> None:
    assert set(TROUBLES) == set(ERROR_KINDS)
    cut = sample("fast", 3, outcome="incomplete", error="stream_broken")
    failures = [failed("fast", 7, error="rate_limited"), failed("fast", 8, error="rate_limited")]
    add_run(alice.user, {"fast": [9.0]}, extra=[cut, *failures], state="cancelled")
    page = alice.get("/history").text
    assert "1 of 4" in page
    assert "2 rate limited, 1 cut off" in page


def test_a_long_list_of_models_is_counted(alice: Person) -> None:
    add_run(alice.user, {f"m{i}": [1.0] for i in range(6)})
    assert "m0, m1, m2 and 3 more" in alice.get("/history").text


def test_others_see_nothing_of_it(alice: Person, bob: Person, charlie: Person) -> None:
    add_run(alice.user, {"secret": [9.0]}, name="Alice's")
    for other in (bob, charlie):
        for url in ("/history", "/history.csv"):
            assert "secret" not in other.get(url).text
        assert other.get("/history.json").get_json() == {"runs": []}


@pytest.mark.parametrize("url", ["/history", "/history.csv", "/history/compare"])
def test_nobody_is_sent_to_sign_in(nobody: FlaskClient, url: str) -> None:
    answer = nobody.get(url)
    assert (answer.status_code, answer.location) == (303, f"/login?next={url}")


def test_nobody_gets_no_data(nobody: FlaskClient) -> None:
    assert nobody.get("/history.json").status_code == 401


def test_lists_are_only_read(alice: Person) -> None:
    for url in ("/history", "/history.json", "/history.csv"):
        assert alice.post(url).status_code == 405
    for url in ("/history/delete", "/history/restore", "/history/again"):
        assert alice.get(url).status_code == 405


def ticked(*runs: Any) -> dict[str, list[int]]:
    return {"run": [run.id for run in runs]}


def test_run_again_leads_to_the_filled_in_form(alice: Person) -> None:
    run = add_run(alice.user, {"fast": [9.0]})
    answer = alice.post("/history/again", data=ticked(run))
    assert (answer.status_code, answer.location) == (303, f"/benchmark/new?from={run.id}")
    answer = alice.post("/history/again", data=ticked(run), headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/benchmark/new?from={run.id}"


def test_only_one_run_is_run_again(alice: Person, charlie: Person) -> None:
    one, two = (add_run(alice.user, {"fast": [9.0]}) for _ in "ab")
    assert "none are ticked" in alice.post("/history/again").text
    answer = alice.post("/history/again", data=ticked(one, two), headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (422, "none")
    assert "2 are ticked" in answer.text
    assert charlie.post("/history/again", data=ticked(one)).status_code == 404
