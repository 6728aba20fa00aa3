"""Sentences read like sentences."""

from __future__ import annotations

import pytest

from engine.report import results
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of
from webapp.benchmark import words
from webapp.benchmark.estimate import Estimate


def estimated(**changes: object) -> Estimate:
    fields = {"requests": 90, "warmups": 3, "seconds": 236.0, "usd": 0.42, "unpriced": (),
              "notices": (), "simulated": False}  # fmt: skip
    return Estimate(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "5 s"), (41, "40 s"), (88, "90 s"), (95, "2 min"), (3570, "1 h"), (4700, "1 h 20 min")],
)
def test_a_forecast_is_rounded_like_a_forecast(seconds: float, text: str) -> None:
    assert words.roughly(seconds) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b and 3 more"),
        ([], ""),
    ],
)
def test_names_are_listed(names: list[str], text: str) -> None:
    assert words.listed(names) == text


def test_the_consequence_in_one_line() -> None:
    assert words.consequence(estimated()) == "90 requests, about 4 min, at most $0.42"
    assert words.consequence(estimated(requests=1)).startswith("1 request, ")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"usd": None, "unpriced": ("a",)}, "price unknown"),
        ({"unpriced": ("a",)}, "at most $0.42 without a, whose price is unknown"),
        ({"unpriced": ("a", "b")}, "at most $0.42 without a and b, whose prices are unknown"),
        ({"simulated": True}, "at most $0.42 (simulated)"),
    ],
)
def test_an_unknown_price_is_said(changes: dict[str, object], text: str) -> None:
    assert words.cost_bound(estimated(**changes)) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0.42, "$0.42"), (0.4201, "$0.43"), (1234.5, "$1,234.50"), (0.00213, "$0.0021"), (0, "$0")],
)
def test_a_bound_is_never_rounded_down_to_the_cent(usd: float, text: str) -> None:
    assert words.at_most(usd) == text


@pytest.mark.parametrize(
    ("tokens", "text"), [(128_000, "128K"), (131_072, "131,072"), (1_048_576, "1.05M")]
)
def test_windows_are_said_as_people_know_them(tokens: int, text: str) -> None:
    assert words.window(tokens) == text


def test_the_subtitle_says_what_was_asked() -> None:
    spec = spec_of(TARGETS, context_tiers=(0, 5000))
    assert words.subtitle(spec, TARGETS) == (
        "3 models, 10 runs each, 512 tokens out, context 0 and 5K, cold cache"
    )
    alone = words.subtitle(spec_of(TARGETS[:1], runs=1), TARGETS[:1])
    assert alone == "1 model, 1 run, 512 tokens out, cold cache"


def test_a_waiting_run_says_when_it_starts() -> None:
    assert "by itself" in words.start(None, 0)
    assert words.start(1.0, 0) == "Waiting for a free worker."
    assert words.start(180.0, 0).endswith("in about 3 min.")


def test_while_samples_land_nobody_is_called_the_fastest() -> None:
    spec = spec_of(TARGETS)
    rows = results(samples_of(spec, TARGETS), TARGETS, spec)
    said = words.leader(rows, "running")
    assert "So far fast-small is ahead" in said
    assert "fastest" not in said
    assert words.leader(results([], TARGETS, spec), "running").startswith("Measuring.")
    assert "Measuring" not in words.leader(results([], TARGETS, spec), "queued")
