from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.report.numbers import NARROW as N
from tests.engine.report.builders import at_speed, failed, report, target
from tests.webapp.history.conftest import ladder
from webapp.history import words
from webapp.history.comparison import Compared, compare_runs


def compared(
    a: Mapping[str, float],
    b: Mapping[str, float],
    n: int = 8,
    first: tuple[float, float] = (100, 100),
) -> Compared:
    """Runs of models with these median speeds; `first` are the medians of the first token."""
    runs = [
        report([s for m, v in speeds.items() for s in at_speed(m, ladder(v, n), ladder(f, n))])
        for speeds, f in ((a, first[0]), (b, first[1]))
    ]
    return compare_runs(*runs)


def said(found: Compared) -> list[str]:
    return [str(verdict) for verdict in words.verdicts(found)]


def test_one_model_that_got_faster() -> None:
    speed, first = said(compared({"fast": 180}, {"fast": 200}, first=(100, 70)))
    assert speed.startswith(
        f"B is faster with fast: 200.0{N}tokens/s against 180.0 in A, 11{N}% more"
        f" (B minus A is +20.0{N}tokens/s, 95{N}% interval "
    )
    assert speed.endswith(f", p{N}0.005).")
    assert first.startswith(f"B answers earlier with fast: 70.0{N}ms against 100 in A, 30{N}% less")
    assert "B minus A is −30" in first


def test_one_model_that_got_slower_is_said_of_the_winner() -> None:
    speed, _ = said(compared({"fast": 200}, {"fast": 90}))
    assert speed.startswith(f"A is faster with fast: 200.0{N}tokens/s")
    assert "against 90.0 in B, 2.2 times as much (B minus A is −110" in speed


def test_one_model_that_did_not_change() -> None:
    speed, first = said(compared({"fast": 180}, {"fast": 180.5}))
    assert speed.startswith(
        f"Output speed is not distinguishable: A 180.0{N}tokens/s, B 180.5{N}tokens/s (B minus A is"
    )
    assert " to " in speed
    assert first.startswith("The time to the first token is not distinguishable: A 100")


def test_several_models_are_named_by_what_can_be_said_of_them() -> None:
    a = {"up": 100, "down": 100, "even": 100}
    speed, first = said(compared(a, {"up": 150, "down": 90, "even": 100.1}))
    assert speed.startswith(
        "B is faster with up; A is faster with down; not distinguishable with even. "
        f"The largest difference is that of up: 150.0{N}tokens/s against 100.0 in A, 50{N}% more "
        "(B minus A is +50"
    )
    assert first.startswith(
        "The time to the first token is not distinguishable with up, down and even. "
        "The largest difference is that of up (B minus A is "
    )


def test_many_models_are_counted() -> None:
    a = {f"m{i}": 100.0 for i in range(6)}
    assert said(compared(a, dict.fromkeys(a, 200.0), n=10))[0].startswith("B is faster with all 6.")
    mixed = {m: 200.0 if m != "m0" else 100.1 for m in a}
    assert said(compared(a, mixed, n=10))[0].startswith(
        "B is faster with 5 of 6; not distinguishable with m0."
    )


def test_context_sizes_are_told_apart() -> None:
    tiers = (0, 5_000, 50_000)
    runs = [
        report(
            [s for t in tiers for s in at_speed("fast", ladder(v, 10), context_tokens=t)],
            context_tiers=tiers,
        )
        for v in (100, 150)
    ]
    speed, first = said(compare_runs(*runs))
    assert speed.startswith("B is faster with fast at 0, 5K and 50K. The largest difference")
    assert "is that of fast without context: 150" in speed
    assert "with fast at 0, 5K and 50K" in first


def test_the_same_name_at_two_providers_is_told_apart() -> None:
    targets = [target("m"), target("m", provider="acme", provider_label="Acme")]
    runs = [
        report([*at_speed("m", ladder(v)), *at_speed("m", ladder(v), provider="acme")], targets)
        for v in (100, 150)
    ]
    assert said(compare_runs(*runs))[0].startswith("B is faster with m (Demo) and m (Acme).")


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (3, "3 answers on a side cannot rule out chance in 2 comparisons; 6 or more can."),
        (1, "1 answer on a side cannot rule out chance in 2 comparisons; 6 or more can."),
    ],
)
def test_too_few_answers_claim_nothing_and_say_how_many_would_do(n: int, sentence: str) -> None:
    assert said(compared({"m": 100}, {"m": 300}, n=n)) == [
        f"Too few answers to tell A and B apart. {sentence}"
    ]
    enough = int(sentence.partition("; ")[2].partition(" ")[0])
    assert said(compared({"m": 100}, {"m": 300}, n=enough))[0].startswith("B is faster")


def test_nothing_in_common_is_one_sentence() -> None:
    sentence = "Nothing can be compared: no model answered in both benchmarks."
    assert said(compared({"a": 1}, {"b": 1})) == [sentence]
    assert said(compare_runs(report([failed("a")]), report([failed("a")]))) == [sentence]


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0001, "under 0.001"), (0.0123, "0.012"), (0.4, "0.40"), (1.0, "1.00"), (None, "–")],
)
def test_p_has_the_digits_it_needs(p: float | None, text: str) -> None:
    assert words.p_text(p) == text
