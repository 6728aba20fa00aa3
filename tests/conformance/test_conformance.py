"""Twelve traps of twelve, as captures with scripted times and over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.llm.tokens import count_tokens
from engine.samples import Sample
from tests.conformance.__main__ import documented, verdicts
from tests.conformance.figures import differences, in_order, naive, ours, truth_of
from tests.conformance.play import TrapServer, asked, captured, loaded
from tests.conformance.traps import Trap, traps

TRAPS = traps()
# Loopback and a busy machine: what a trap would add is ten times as much.
WITHIN_MS = 12.0
ON_THE_WIRE = (
    "role-only first chunk",
    "four tokens a chunk",
    "split characters and events",
    "finish 300 ms late",
    "no [DONE], or a cut",
    "gzip",
)


def test_twelve_of_twelve_traps_are_read_right() -> None:
    wrong = {trap.why: found for trap, *_, found in verdicts() if found}
    assert wrong == {}
    assert len({trap.name for trap in TRAPS}) == 12


def test_the_documented_table_is_what_the_suite_prints() -> None:
    page = (Path(__file__).parents[2] / "docs/measurement.md").read_text(encoding="utf-8")
    assert [line for line in documented() if line not in page] == []


def test_a_naive_reader_falls_into_each_of_them() -> None:
    for trap, truth, guess, _, _ in verdicts():
        assert differences(truth, guess, within_ms=0.001), trap.name


def test_the_traps_count_their_words_as_tiktoken_does() -> None:
    for trap in TRAPS:
        if trap.estimated:
            assert sum(write.tokens for write in trap.writes) == count_tokens(trap.text)


def test_reads_of_a_trap_are_in_order() -> None:
    for trap in TRAPS:
        assert in_order(captured(trap).times)


def test_bundles_say_so_and_give_bounds_that_hold_the_truth() -> None:
    bundled = {trap.name: said for trap, _, _, said, _ in verdicts() if trap.bundled}
    assert bundled.keys() == {"four tokens a chunk", "no usage"}
    bounds = bundled["four tokens a chunk"].tpot_bounds_ms
    assert bounds == pytest.approx((200 / 23, 200 / 5))


class Played:
    """What both paths made of the traps that are played over loopback."""

    def __init__(self) -> None:
        self.numbers = [n for n, trap in enumerate(TRAPS) if trap.name in ON_THE_WIRE]
        retried = next(n for n, trap in enumerate(TRAPS) if trap.refused)
        with TrapServer(TRAPS) as server:
            self.asked = asked(server, [*self.numbers, retried])
            self.asked_truth = {n: list(sent) for n, sent in server.sent_ns.items()}
            self.retried = self.asked[retried]
            self.loaded = loaded(server, self.numbers)
            self.loaded_truth = {n: list(sent) for n, sent in server.sent_ns.items()}

    def wrong_asked(self) -> dict[str, list[str]]:
        return {
            TRAPS[n].why: off(TRAPS[n], sample, self.asked_truth[n])
            for n, (_, sample) in self.asked.items()
        }

    def wrong_loaded(self) -> dict[str, list[str]]:
        return {
            TRAPS[n].why: off(TRAPS[n], sample, self.loaded_truth[n])
            for n, sample in self.loaded.items()
        }

    @property
    def right(self) -> bool:
        return not any([*self.wrong_asked().values(), *self.wrong_loaded().values()])


@pytest.fixture(scope="module")
def played() -> Played:
    """Played up to three times: a machine that is busy with something else may stop the server
    between a write and the moment it noted for it, but not always."""
    tries = (Played() for _ in range(3))
    return next((played for played in tries if played.right), None) or Played()


def off(trap: Trap, sample: Sample, sent_ns: list[int]) -> list[str]:
    truth = truth_of(trap, sample.start_ns, sent_ns)
    return differences(truth, ours(sample, trap.arguments), WITHIN_MS)


def test_the_sequential_path_reads_traps_from_a_socket(played: Played) -> None:
    assert not any(played.wrong_asked().values()), played.wrong_asked()


def test_the_load_generator_reads_the_same_traps_from_its_sockets(played: Played) -> None:
    assert sorted(played.loaded) == played.numbers
    assert not any(played.wrong_loaded().values()), played.wrong_loaded()


def test_a_retried_request_starts_its_clock_anew_and_shows_its_try(played: Played) -> None:
    answer, sample = played.retried
    assert [attempt.error for attempt in sample.tries] == ["rate_limited"]
    assert sample.tries[0].waited_s >= 0.15
    assert sample.ttft_ms == pytest.approx(120, abs=100)
    assert answer.capture is not None
    assert naive(answer.capture).outcome == "ok"
