"""From events to an outcome."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator

import pytest
from rich.console import Console

from engine.events import (
    Event,
    Finished,
    Notice,
    SampleDone,
    SampleFailed,
    SampleStarted,
    Started,
)
from engine.speed.budget import BUDGET_ENDED
from tests.engine.report.builders import failed, sample, spec_for, target
from webapp.commands.bench_run import Outcome, follow, interruptible

TARGETS = [target("a"), target("b")]
SPEC = spec_for(TARGETS, runs=2)


def events(*middle: Event, reason: str = "complete") -> Iterator[Event]:
    yield Started(6, {"python": "3.11"})
    yield from middle
    yield Finished(reason)  # type: ignore[arg-type]


def after(*middle: Event, reason: str = "complete") -> Outcome:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    return follow(events(*middle, reason=reason), SPEC, TARGETS, console)


def test_an_outcome_holds_what_the_events_said() -> None:
    notice = Notice("bundled", "a [sends] bundles.", TARGETS[0].ref)
    outcome = after(SampleStarted(sample("a").key), SampleDone(sample("a")), notice)
    assert outcome.environment == {"python": "3.11"}
    assert outcome.samples == [sample("a")]
    assert outcome.notices == [notice]
    assert [result.requests.ok for result in outcome.results()] == [1, 0]


def test_exit_codes_tell_all_ok_some_failed_and_stopped() -> None:
    ok, bad = SampleDone(sample("a")), SampleFailed(failed("b"))
    cut = SampleFailed(failed("a", outcome="incomplete"))
    assert after(ok).exit_code == 0
    assert after(ok, bad).exit_code == 1
    assert after(ok, cut).exit_code == 1
    assert after().exit_code == 1
    assert after(ok, reason="cancelled").exit_code == 130


def test_a_target_that_was_left_out_is_a_failure_and_what_a_budget_cut_is_none() -> None:
    ok = SampleDone(sample("a"))
    left_out = Notice("target_left_out", "b is left out: away.", TARGETS[1].ref, 2)
    cut = SampleFailed(failed("a", outcome="incomplete", message=BUDGET_ENDED))
    assert after(ok, left_out).exit_code == 1
    assert after(ok, cut, reason="budget").exit_code == 0
    assert after(cut, reason="budget").exit_code == 1


def test_a_failed_warm_up_does_not_change_the_exit_code() -> None:
    assert after(SampleFailed(failed("a", warmup=True)), SampleDone(sample("a"))).exit_code == 0


def test_what_is_left_out_is_taken_off_the_bars() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    left_out = Notice("target_left_out", "b is left out.", TARGETS[1].ref, dropped=2)
    follow(events(SampleDone(sample("a")), left_out), SPEC, TARGETS, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "b is left out." in text
    assert "1/4" in text


def test_the_first_ctrl_c_cancels_and_the_second_leaves_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as token:
        signal.raise_signal(signal.SIGINT)
        assert token.reason == "cancelled"
        with pytest.raises(SystemExit) as left:
            signal.raise_signal(signal.SIGINT)
    assert left.value.code == 130
    assert signal.getsignal(signal.SIGINT) is before
