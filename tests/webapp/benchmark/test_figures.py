"""What is remembered of a run is what computing everything anew would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import engine.report
from engine.report import Result
from jobs.results import run_results
from jobs.store import store_samples
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark import figures as module
from webapp.benchmark.figures import figures
from webapp.models import Run


def _anew(run: Run) -> list[dict[str, Any]]:
    return [result.as_dict() for result in run_results(run)]


def _shown(run: Run, live: bool = True) -> list[dict[str, Any]]:
    return [result.as_dict() for result in figures(run, live).results]


def test_growing_sample_by_sample_equals_computing_at_once(alice: Person) -> None:
    tiers: dict[str, Any] = {"context_tiers": (0, 1000, 50_000), "runs": 2}
    every = samples_of(spec_of(TARGETS, **tiers), TARGETS)
    run = stored_run(alice.user, done=0, **tiers)
    for start in range(0, len(every), 3):
        store_samples(run, every[start : start + 3])
        assert _shown(run) == _anew(run)
    assert len(figures(run).samples) == len(every)


def test_a_result_is_computed_again_only_for_new_samples(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, done=20)
    figures(run, live=True)
    asked: list[str] = []

    def counting(samples: Any, targets: Any, spec: Any) -> list[Result]:
        asked.append(targets[0].model)
        return real(samples, targets, spec)

    real = engine.report.results
    monkeypatch.setattr(module, "results", counting)
    assert figures(run, live=True) is figures(run, live=True)
    assert asked == []
    store_samples(run, every[20:21])
    figures(run, live=True)
    assert asked == [every[20].key.model]


def test_nothing_is_read_again_when_nothing_is_new(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stored_run(alice.user)
    first = figures(run)
    monkeypatch.setattr(module, "load_samples", lambda *_, **__: pytest.fail("read again"))
    assert figures(run) is first


def test_a_cut_sample_that_was_measured_again_is_noticed(alice: Person) -> None:
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, done=9)
    cut = replace(every[9], outcome="incomplete", error="stream_broken", output_tps=None)
    store_samples(run, [cut])
    before = figures(run, live=True)
    assert before.samples[-1].outcome == "incomplete"
    store_samples(run, [every[9]])
    after = figures(run, live=True)
    assert after.samples[-1].outcome == "ok"
    assert _shown(run) == _anew(run)


def test_a_run_that_goes_on_after_its_end_is_read_whole_again(alice: Person) -> None:
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, done=10, state="interrupted")
    figures(run, live=False)
    store_samples(run, every[10:])
    assert _shown(run) == _anew(run)
    assert figures(run).results[0].itl_ms.n == 10 * 159


def test_many_rows_at_once_are_read_with_all_others(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW_ROWS", 5)
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, done=4)
    figures(run, live=True)
    store_samples(run, every[4:])
    assert _shown(run) == _anew(run)


def test_another_run_under_the_same_number_is_another_run(alice: Person) -> None:
    run = stored_run(alice.user, done=12)
    figures(run)
    run.created_at += 1
    run.targets = run.targets[:1]
    assert {result.model for result in figures(run).results} == {"fast-small"}


def test_only_so_many_runs_are_remembered(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    first, second, third = (stored_run(alice.user, done=3) for _ in range(3))
    remembered = figures(first)
    figures(second)
    assert figures(first) is remembered
    figures(third)
    figures(second)
    assert figures(first) is not remembered


def test_kept_samples_carry_neither_text_nor_arrivals(alice: Person) -> None:
    known = figures(stored_run(alice.user))
    kept = [*known.samples, *(sample for result in known.results for sample in result.samples)]
    assert not any(sample.text or len(sample.arrivals) for sample in kept)
