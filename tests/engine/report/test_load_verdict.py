"""What is said first about a load run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.report import cards, cautions, verdict
from engine.report.result import Client, Goodput, Requests, Result
from tests.engine.report.builders import report, sample


def levels(
    reached: Sequence[float], shares: Sequence[float] = (), model: str = "fast", rate: bool = False
) -> list[Result]:
    (one,) = report([sample(model, run, ttft_ms=100.0 + run) for run in range(30)])
    made = []
    for i, tps in enumerate(reached):
        good = Goodput(shares[i], (shares[i] - 0.05, shares[i]), 3.0) if shares else Goodput()
        pressed = {"rate": 2.0**i, "concurrency": None} if rate else {"concurrency": 2**i}
        made.append(
            replace(one, level=f"{'r' if rate else 'c'}{2**i}", system_output_tps=tps,
                    goodput=good, **pressed)
        )  # fmt: skip
    return made


def test_the_knee_is_the_answer() -> None:
    said = verdict(levels([100, 200, 404]))
    assert said.headline == (
        "fast serves 404\u202ftokens/s at 4 streams with first tokens after 114\u202fms (median)"
    )
    assert said.notes == (
        "Its throughput still grew up to 4 streams, so its limit may lie higher.",
    )
    said = verdict(levels([100, 200, 204]))
    assert said.headline.startswith("fast serves 200\u202ftokens/s at 2 streams with first tokens")
    assert said.headline.endswith("; more streams add less than 5\u202f%")
    assert said.interval.startswith("95\u202f% interval of the first token 1")
    assert said.interval.endswith("\u202fms, n 30")


def test_a_single_level_claims_no_limit() -> None:
    assert verdict(levels([100])).notes == ()
    assert "at 1 stream with" in verdict(levels([100])).headline


def test_requests_that_failed_at_the_best_level_are_said() -> None:
    best = replace(levels([100])[0], requests=Requests(ok=30, failed=2, incomplete=1))
    assert verdict([best]).notes == ("3 of 33 requests failed there.",)


def test_rates_are_called_rates() -> None:
    assert verdict(levels([100, 101], rate=True)).headline.endswith(
        "at 1 request/s with first tokens after 114\u202fms (median); a higher rate adds less "
        "than 5\u202f%"
    )


def test_limits_are_kept_up_to_the_first_level_that_breaks_them() -> None:
    kept = verdict(levels([100, 200, 400, 800], [1.0, 0.97, 0.4, 0.99])).notes
    assert "95\u202f% or more of its answers keep to the limits up to 2 streams." in kept
    never = verdict(levels([100, 200], [0.5, 0.2])).notes
    assert never[-1].startswith("Its limits are not kept at any level: 50\u202f% of the answers")


def test_several_models_are_named_by_what_they_reach() -> None:
    said = verdict([*levels([100, 300], model="slow"), *levels([200, 500])])
    assert said.headline.startswith("fast serves the most: 500\u202ftokens/s at 2 streams")
    assert said.notes[-1].startswith("slow: 300\u202ftokens/s at 2 streams")


def test_cards_name_the_level_and_wait_without_changing_shape() -> None:
    shown = cards(levels([100, 200, 204], [1.0, 0.9, 0.5]))
    assert [card.title for card in shown] == [
        "Most throughput", "First token there", "Goodput there", "Requests",
    ]  # fmt: skip
    assert (shown[0].value, shown[0].note) == ("200", "fast, 2 streams")
    assert shown[2].value == "90\u202f%"
    empty = [replace(row, system_output_tps=None) for row in levels([1, 2], [0.0, 0.0])]
    assert [card.value for card in cards(empty)[:3]] == ["–"] * 3


def test_levels_that_were_sent_late_are_named() -> None:
    late = [replace(row, client=Client(marks=("late_dispatch",))) for row in levels([9], rate=True)]
    assert any("could not be sent when they were due at 1 request/s" in t for t in cautions(late))
    assert not any("when they were due" in text for text in cautions(levels([9])))


def test_a_rate_that_was_not_served_is_named() -> None:
    behind = [replace(row, client=Client(marks=("backlog",))) for row in levels([9], rate=True)]
    assert any("did not serve 1 request/s" in text for text in cautions(behind))
    assert not any("did not serve" in text for text in cautions(levels([9], rate=True)))
