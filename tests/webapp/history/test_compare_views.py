"""Two runs compared, through a browser's eyes."""

from __future__ import annotations

import csv
import io

import pytest

from engine.report.numbers import NARROW as N
from engine.report.numbers import fixed
from tests.webapp.conftest import HTMX, Person
from tests.webapp.history.conftest import add_run, ladder
from webapp.models import Run


@pytest.fixture
def old(alice: Person) -> Run:
    speeds = {"fast": ladder(180), "slow": ladder(90)}
    return add_run(alice.user, speeds, name="Before", age_s=90)


@pytest.fixture
def new(alice: Person) -> Run:
    return add_run(alice.user, {"fast": ladder(200), "other": ladder(70)}, name="After")


def url(a: Run, b: Run, form: str = "") -> str:
    return f"/history/compare{form}?a={a.id}&b={b.id}"


def test_the_answer_stands_first(alice: Person, old: Run, new: Run) -> None:
    page = alice.get(url(old, new)).text
    claim = f"<b>B is faster with fast: 200.0{N}tokens/s against 180.0 in A, 11{N}% more</b>"
    assert claim in page
    assert "<b>The time to the first token is not distinguishable: A 100" in page
    assert page.index(claim) < page.index("<table>")
    for run in (old, new):
        assert f'<a href="/benchmark/{run.id}">{run.name}</a>' in page


def test_models_of_one_run_only_are_named(alice: Person, old: Run, new: Run) -> None:
    page = alice.get(url(old, new)).text
    left = page.partition("Not compared")[2]
    assert left.index("slow") < left.index("Only in A") < left.index("other")
    assert "Only in B" in left
    assert "Context" not in page


def test_a_and_b_can_be_swapped_by_a_link(alice: Person, old: Run, new: Run) -> None:
    assert f'href="/history/compare?a={new.id}&amp;b={old.id}"' in alice.get(url(old, new)).text
    assert "<b>A is faster with fast: 200.0" in alice.get(url(new, old)).text


def test_the_twins_have_the_numbers_of_the_page(alice: Person, old: Run, new: Run) -> None:
    data = alice.get(url(old, new, ".json")).get_json()
    assert (data["a"]["name"], data["b"]["url"]) == ("Before", f"/benchmark/{new.id}")
    assert [left["reason"] for left in data["not_compared"]] == ["Only in A", "Only in B"]
    speed = data["comparisons"][0]
    assert speed["b"]["p50"] - speed["a"]["p50"] == pytest.approx(speed["difference"])
    answer = alice.get(url(old, new, ".csv"))
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["metric"] for line in lines] == ["output_tps", "ttft_ms"]
    assert lines[0]["difference"] == str(speed["difference"])
    assert f"compare-{old.id}-{new.id}.csv" in answer.headers["Content-Disposition"]
    page = alice.get(url(old, new)).text
    assert f'<td class="num">+{fixed(speed["difference"], 1)}</td>' in page
    assert (
        alice.get(f"/benchmark/{old.id}.json").get_json()["results"][0]["output_tps"]["p50"]
        == (speed["a"]["p50"])
    )


def test_cautions_stand_below_the_answer(alice: Person, old: Run) -> None:
    other = add_run(alice.user, {"fast": ladder(200)}, max_tokens=64, state="running")
    page = alice.get(url(old, other)).text
    assert "B is not finished yet; its figures will change." in page
    assert "the most tokens out (512 in A, 64 in B)" in page
    assert '<span class="chip on">Running</span>' in page


def test_runs_without_a_common_model_are_one_sentence(alice: Person, old: Run) -> None:
    other = add_run(alice.user, {"stranger": ladder(50)})
    page = alice.get(url(old, other)).text
    assert "Nothing can be compared: no model answered in both benchmarks" in page
    assert "Output speed" not in page


def test_a_run_is_not_compared_with_itself(alice: Person, old: Run, new: Run) -> None:
    answer = alice.get(url(old, old))
    assert answer.status_code == 422
    assert "A and B are the same benchmark. Choose another one for one of them." in answer.text
    assert f'<option value="{old.id}" selected>' in answer.text
    assert alice.get(url(old, old, ".json")).status_code == 422
    assert alice.get(url(old, old, ".csv")).status_code == 422


def test_one_side_leaves_the_other_to_choose(alice: Person, old: Run, new: Run) -> None:
    answer = alice.get(f"/history/compare?a={new.id}")
    assert answer.status_code == 200
    assert "Choose two benchmarks that measured the same models" in answer.text
    assert f'<option value="{new.id}" selected>After · ' in answer.text
    assert '<option value="" selected>Choose a benchmark</option>' in answer.text
    assert alice.get(f"/history/compare.json?a={new.id}").status_code == 422


def test_with_fewer_than_two_runs_there_is_nothing_to_choose(alice: Person) -> None:
    page = alice.get("/history/compare").text
    assert "There are not two benchmarks yet" in page
    assert '<select id="a"' not in page


def test_an_old_run_can_be_chosen_though_it_is_not_among_the_recent(
    alice: Person, old: Run, new: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.history.queries.RECENT", 1)
    assert f'value="{old.id}" selected' in alice.get(f"/history/compare?a={old.id}").text


def test_two_ticked_runs_lead_to_their_comparison_the_newer_one_as_b(
    alice: Person, old: Run, new: Run
) -> None:
    for order in ([new.id, old.id], [old.id, new.id]):
        answer = alice.post("/history/compare", data={"run": order})
        assert (answer.status_code, answer.location) == (303, url(old, new))
        answer = alice.post("/history/compare", data={"run": order}, headers=HTMX)
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, url(old, new))


@pytest.mark.parametrize(("count", "said"), [(0, "none is"), (1, "one is"), (3, "3 are")])
def test_another_number_of_ticks_is_one_sentence(alice: Person, count: int, said: str) -> None:
    runs = [add_run(alice.user, {"m": [1.0]}).id for _ in range(count)]
    sentence = f"Tick the two benchmarks to compare; {said} ticked."
    answer = alice.post("/history/compare", data={"run": runs}, headers=HTMX)
    assert (answer.status_code, answer.text) == (422, sentence)
    answer = alice.post("/history/compare", data={"run": runs})
    assert answer.status_code == 422
    assert sentence in answer.text


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
def test_somebody_elses_run_is_404(
    alice: Person, charlie: Person, old: Run, new: Run, form: str
) -> None:
    theirs = add_run(charlie.user, {"fast": ladder(100)}, name="Charlie's")
    assert alice.get(url(old, theirs, form)).status_code == 404
    assert charlie.get(url(old, new, form)).status_code == 404
    assert charlie.post("/history/compare", data={"run": [old.id, new.id]}).status_code == 404
    assert "Before" not in charlie.get("/history/compare").text


@pytest.mark.parametrize("odd", ["999", "0", "-1", "x", "9" * 30, "1.0"])
def test_an_id_of_nothing_is_404(alice: Person, old: Run, odd: str) -> None:
    assert alice.get(f"/history/compare?a={old.id}&b={odd}").status_code == 404


def test_a_deleted_run_is_404(alice: Person, old: Run, new: Run) -> None:
    Run.update(deleted_at=1.0).where(Run.id == old.id).execute()
    assert alice.get(url(old, new)).status_code == 404


def test_twins_are_only_read(alice: Person, old: Run, new: Run) -> None:
    assert alice.post(url(old, new, ".json")).status_code == 405
    assert alice.post(url(old, new, ".csv")).status_code == 405
