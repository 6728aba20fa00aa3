"""Numbers as they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report import numbers


@pytest.mark.parametrize(
    ("value", "half_width", "shown"),
    [
        (182.41, 3.1, "182.4"),
        (182.41, 10.2, "182"),
        (5.4812, 0.012, "5.481"),
        (182.4123, 0.0004, "182.4"),
        (182.41, None, "182"),
        (0.01234, None, "0.0123"),
        (12345.6, None, "12,346"),
        (-9.04, 4.0, "−9.0"),
        (-0.0001, 4.0, "0.0"),
        (0.0, None, "0"),
        (0.0, 0.0, "0"),
        (None, 1.0, "–"),
    ],
)
def test_a_number_has_the_digits_its_interval_justifies(
    value: float | None, half_width: float | None, shown: str
) -> None:
    assert numbers.number(value, half_width) == shown


def test_a_median_and_its_interval_have_the_same_decimals() -> None:
    assert numbers.measured(182.41, (179.24, 185.39)) == "182.4"
    assert numbers.measured_span(182.41, (179.24, 185.39)) == "179.2–185.4"
    assert numbers.measured(121.0, (111.3, 131.5)) == "121"
    assert numbers.measured_span(121.0, (111.3, 131.5)) == "111–132"
    assert numbers.measured_span(121.0, (None, None)) == "–"
    assert numbers.measured_span(None, (None, None)) == "–"


def test_an_interval_with_a_minus_says_to() -> None:
    assert numbers.span(-9.2, 17.4) == "−9 to 17"
    assert numbers.span(1.9, 2.3, lambda end: numbers.fixed(end, 1)) == "1.9–2.3"
    assert numbers.span(None, 2.0) == "–"


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (None, "–"),
        (0.0, "$0"),
        (0.0021, "$0.0021"),
        (0.0000421, "$0.000042"),
        (1e-9, "under $0.000001"),
        (0.5, "$0.5000"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money_keeps_what_matters_of_small_sums(usd: float | None, shown: str) -> None:
    assert numbers.usd(usd) == shown


@pytest.mark.parametrize(
    ("usd_per_mtok", "shown"),
    [(20.0, "20.00"), (0.15, "0.15"), (0.075, "0.075"), (0.0, "0.00"), (1.5e-7 * 1e6, "0.15"),
     (1_250.0, "1,250.00"), (None, "–")],
)  # fmt: skip
def test_a_price_shows_cents_and_whatever_smaller_it_has(
    usd_per_mtok: float | None, shown: str
) -> None:
    assert numbers.price(usd_per_mtok) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (12.3, "12 s"), (108, "1 min 48 s"), (3_900, "1 h 5 min"), (None, "–")],
)
def test_durations_read_as_people_say_them(seconds: float | None, shown: str) -> None:
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("tokens", "shown"), [(0, "0"), (500, "500"), (1_500, "1.5K"), (50_000, "50K"), (10**6, "1M")]
)
def test_context_sizes_are_short(tokens: int, shown: str) -> None:
    assert numbers.tier(tokens) == shown


def test_milliseconds_rates_and_shares_have_fixed_steps() -> None:
    assert [numbers.ms(v) for v in (5.484, 45.23, 118.4, None)] == ["5.48", "45.2", "118", "–"]
    assert [numbers.tps(v) for v in (8.254, 182.41, 1240.2)] == ["8.25", "182.4", "1,240"]
    assert numbers.percent(0.424) == "42\u202f%"


@given(st.floats(min_value=-1e9, max_value=1e9), st.none() | st.floats(0, 1e9))
def test_what_is_shown_is_the_value_to_its_last_digit(value: float, half: float | None) -> None:
    shown = numbers.number(value, half)
    decimals = len(shown.partition(".")[2])
    back = float(shown.replace("−", "-").replace(",", ""))
    assert abs(back - value) <= 0.5 * 10**-decimals * (1 + 1e-9)
    assert "-" not in shown
