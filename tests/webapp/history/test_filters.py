from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.history.filters import SORTS, Filters, read
from webapp.listing import STATES

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
DAYS = st.dates().map(str)
FILTERS = st.builds(
    Filters,
    q=WORDS.map(lambda text: " ".join(text.split())),
    state=st.sampled_from(["", *STATES]),
    provider=WORDS,
    model=WORDS,
    since=st.just("") | DAYS,
    sort=st.sampled_from(list(SORTS)),
    descending=st.booleans(),
    page=st.integers(1, 1000),
)


@given(FILTERS)
def test_an_address_says_all_that_a_list_shows(filters: Filters) -> None:
    args = {name: str(value) for name, value in filters.args().items()}
    assert read(args) == (filters, {}) or filters.since == "9999-12-31"


@given(st.dictionaries(st.sampled_from(["q", "state", "from", "to", "sort", "dir", "page"]), WORDS))
def test_whatever_is_typed_gives_filters_or_sentences(args: dict[str, str]) -> None:
    filters, errors = read(args)
    assert 1 <= filters.page <= 1_000_000
    assert all(sentence.endswith(".") for sentence in errors.values())
    if not errors:
        assert filters.sort in SORTS
        low, high = filters.period
        assert low is None or high is None or low < high


def test_what_is_usual_is_left_out_of_the_address() -> None:
    assert read({})[0].args() == {}
    assert read({"sort": "when", "dir": "desc", "page": "1"})[0].args() == {}
    assert read({"sort": "speed", "dir": "desc"})[0].args() == {"sort": "speed"}
    assert read({"sort": "when", "dir": "asc"})[0].args() == {"sort": "when", "dir": "asc"}


def test_a_column_is_sorted_from_its_better_end_and_then_the_other_way_round() -> None:
    fastest = read({"page": "4", "q": "x"})[0].sorted_by("speed")
    assert fastest == {"q": "x", "sort": "speed"}
    slowest = read(fastest)[0].sorted_by("speed")
    assert slowest == {"q": "x", "sort": "speed", "dir": "asc"}
    assert read(slowest)[0].sorted_by("speed") == fastest
    assert read({})[0].sorted_by("first") == {"sort": "first"}
    assert not read({"sort": "first"})[0].descending


def test_a_period_holds_its_last_day_whole() -> None:
    first, before = read({"from": "2026-11-20", "to": "2026-11-22"})[0].period
    assert first == datetime(2026, 11, 20, tzinfo=UTC).timestamp()
    assert before == datetime(2026, 11, 23, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("args", "field", "sentence"),
    [
        ({"from": "soon"}, "from", "“soon” is not a day. Write it as in 2026-11-23."),
        ({"to": "20261123"}, "to", "“20261123” is not a day. Write it as in 2026-11-23."),
        ({"to": "2026-02-30"}, "to", "“2026-02-30” is not a day. Write it as in 2026-11-23."),
        ({"to": "9999-12-31"}, "to", "“9999-12-31” is not a day. Write it as in 2026-11-23."),
        (
            {"from": "2026-11-02", "to": "2026-11-01"},
            "to",
            "The last day is before the first. Choose a later one.",
        ),
        ({"state": "x"}, "state", "There is no state “x”. Choose one of those offered."),
        ({"sort": "x"}, "sort", "Runs cannot be sorted by “x”. Choose a column."),
    ],
)
def test_what_cannot_be_used_is_said_and_kept(
    args: dict[str, str], field: str, sentence: str
) -> None:
    filters, errors = read(args)
    assert errors == {field: sentence}
    assert set(args.values()) <= {filters.since, filters.until, filters.state, filters.sort}


@pytest.mark.parametrize(("typed", "page"), [("3", 3), ("0", 1), ("-1", 1), ("x", 1), ("٣", 1)])
def test_a_page_is_a_number_from_one(typed: str, page: int) -> None:
    assert read({"page": typed})[0].page == page
    assert read({"page": "9" * 5000})[0].page == 1_000_000
