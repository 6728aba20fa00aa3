"""What is remembered of a run is what computing everything anew would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import engine.report
from engine.report import Result
from engine.report.digest import digest, dump
from engine.specs import LoadSpec
from jobs import digests
from jobs.results import run_results
from jobs.store import load_clients, load_samples, store_samples
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of, stored_run
from tests.webapp.conftest import Person
from webapp.benchmark import figures as module
from webapp.benchmark import live_figures
from webapp.benchmark.figures import figures
from webapp.models import Run, RunDigest

LOAD: dict[str, Any] = {"load": LoadSpec(levels=(1, 4, 32), requests=12, slo_ttft_ms=200)}


def _anew(run: Run) -> list[dict[str, Any]]:
    taken = load_samples(run)
    return [dump(digest(result, taken)) for result in run_results(run)]


def _shown(run: Run, live: bool = True) -> list[dict[str, Any]]:
    return [dump(item) for item in figures(run, live).digests]


@pytest.mark.parametrize(
    "fields", [{"context_tiers": (0, 1000, 50_000), "runs": 2}, LOAD | {"context_tiers": (0, 1000)}]
)
def test_growing_sample_by_sample_equals_computing_at_once(
    alice: Person, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_figures, "REST", 0)
    every = samples_of(spec_of(TARGETS, **fields), TARGETS)
    run = stored_run(alice.user, done=0, **fields)
    step = max(7, len(every) // 6)
    for start in range(0, len(every), step):
        store_samples(run, every[start : start + step])
        assert _shown(run) == _anew(run)
    assert figures(run, live=True).total == len(every)
    assert _shown(run, live=False) == _anew(run)


def test_a_level_that_has_ended_is_not_computed_again_and_its_samples_are_let_go(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stored_run(alice.user, TARGETS[:1], **LOAD)
    assert _shown(run) == _anew(run)
    asked: list[str] = []
    monkeypatch.setattr(digests, "level_digest", lambda *args: asked.append(args[2].level))
    figures(run, live=True)
    assert asked == []
    (entry,) = module._entries.values()
    assert isinstance(entry.known, live_figures.LiveLevels)
    assert {where.level for where in entry.known.open} == {""}


def test_levels_that_the_worker_kept_are_not_read_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stored_run(alice.user, TARGETS[:2], state="running", done=1 + 24 + 5, **LOAD)
    whole = figures(run, live=True)
    for where in load_clients(run):
        digests.keep_level(run, where)
    module.forget()
    asked: list[str] = []

    def noting(*args: Any) -> Any:
        asked.append(args[2].level)
        return real(*args)

    real = digests.level_digest
    monkeypatch.setattr(digests, "level_digest", noting)
    again = figures(run, live=True)
    assert (again.digests, again.total) == (whole.digests, whole.total)
    assert again.spent.usd == pytest.approx(whole.spent.usd)
    assert asked == ["c32", "c1", "c4", "c32"]


def test_a_level_that_goes_on_is_computed_only_now_and_then_but_at_its_end(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_figures, "REST", 1e9)
    every = samples_of(spec_of(TARGETS[:1], **LOAD), TARGETS[:1])
    run = stored_run(alice.user, TARGETS[:1], done=6, **LOAD)

    def answered() -> int:
        return figures(run, live=True).results[0].requests.ok

    assert answered() == 5
    store_samples(run, every[6:13])
    assert answered() == 5
    whole = stored_run(alice.user, TARGETS[:1], done=13, **LOAD)
    run.levels = whole.levels
    assert answered() == 12


def test_a_result_is_computed_again_only_for_new_samples(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = samples_of(spec_of(TARGETS), TARGETS)
    run = stored_run(alice.user, done=20)
    before = figures(run, live=True)
    asked: list[str] = []

    def counting(samples: Any, targets: Any, spec: Any) -> list[Result]:
        asked.append(targets[0].model)
        return real(samples, targets, spec)

    real = engine.report.results
    monkeypatch.setattr(live_figures, "results", counting)
    assert figures(run, live=True) == before
    assert asked == []
    store_samples(run, every[20:21])
    figures(run, live=True)
    assert asked == [every[20].key.model]


def test_nothing_of_an_ended_run_is_read_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stored_run(alice.user)
    first = figures(run)
    monkeypatch.setattr(digests, "load_samples", lambda *_, **__: pytest.fail("read again"))
    assert figures(run) == first
    assert first.verdict is not None
    assert first.spent.usd == pytest.approx(sum(s.cost_usd or 0 for s in _samples()))


def _samples() -> list[Any]:
    return samples_of(spec_of(TARGETS), TARGETS)


def test_a_cut_sample_that_was_measured_again_is_noticed(alice: Person) -> None:
    every = _samples()
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
    every = _samples()
    run = stored_run(alice.user, done=10, state="interrupted")
    figures(run, live=False)
    store_samples(run, every[10:])
    for live in (True, False):
        assert _shown(run, live) == _anew(run)
    assert RunDigest.select().count() == 1


def test_many_rows_at_once_are_read_with_all_others(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_figures, "FEW_ROWS", 5)
    every = _samples()
    run = stored_run(alice.user, done=4)
    figures(run, live=True)
    store_samples(run, every[4:])
    assert _shown(run) == _anew(run)


def test_another_run_under_the_same_number_is_another_run(alice: Person) -> None:
    run = stored_run(alice.user, done=12)
    figures(run, live=True)
    run.created_at += 1
    run.targets = run.targets[:1]
    assert {result.model for result in figures(run, live=True).results} == {"fast-small"}


def test_only_so_many_runs_are_remembered(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    runs = [stored_run(alice.user, done=3) for _ in range(3)]
    for run in runs:
        figures(run, live=True)
    assert list(module._entries) == [runs[1].id, runs[2].id]
    figures(runs[1])
    assert list(module._entries) == [runs[2].id]


def test_kept_samples_carry_neither_text_nor_arrivals(alice: Person) -> None:
    known = figures(stored_run(alice.user, state="running"), live=True)
    assert known.samples
    assert not any(sample.text or len(sample.arrivals) for sample in known.samples)
    assert not any(result.samples for result in known.results)
