"""Evaluations as jobs: what the engine says is stored, counted, resumed and retried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.demo.process import DemoServer
from engine.events import CaseScored, Event, Finished, Notice, Started, TrialStarted
from engine.specs import TargetRef, ToolEvalSpec
from engine.tools.answers import Scored
from engine.tools.trials import Trial, TrialKey
from jobs import runner, submit
from jobs.evals import retry_errors, start_eval
from jobs.handlers import tool_eval
from jobs.store import load_targets
from jobs.trials import load_trials, stored_trials
from tests.engine.tools.builders import calls, case, suite
from tests.helpers import eventually
from tests.jobs.conftest import fresh
from tests.jobs.handlers.conftest import FAST, own
from webapp.models import Eval, Job, SuiteRow, SuiteVersion, TrialRow, User

Begin = Callable[..., tuple[Job, Eval]]
TWO = suite(
    case("oslo", calls(("get_weather", {"city": "Oslo"})), prompt="The weather in Oslo?"),
    case("story", {"kind": "none"}, prompt="Tell me a story.", category="irrelevance"),
)


@pytest.fixture
def begin(alice: User, demo: DemoServer) -> Begin:
    """Start an evaluation of Alice's own models, which are the demo server's."""

    def start(*models: str, version: SuiteVersion | None = None, **more: Any) -> tuple[Job, Eval]:
        refs = tuple(own(alice, "lab", model, demo.base_url) for model in models)
        asked = ToolEvalSpec(targets=refs, **{"max_tokens": 16, "timeout_s": 20, **more})
        return start_eval(alice, asked, TWO, title="Test evaluation", version=version)

    return start


def again(row: Eval) -> Eval:
    found: Eval = Eval.get_by_id(row.id)
    return found


def test_an_evaluation_stores_every_trial_and_what_it_was_taken_with(begin: Begin) -> None:
    job, row = begin("plain", "status-500", trials=2)

    runner.run_next("main")

    job, row = fresh(job), again(row)
    assert (job.state, job.error) == ("done", None)
    assert (job.total, job.done, job.failed) == (8, 8, 4)
    assert job.result == {"eval": row.id, "done": 8, "failed": 4}
    stored = load_trials(row)
    assert {trial.key for trial in stored} == {
        TrialKey("lab", model, name, trial)
        for model in ("plain", "status-500")
        for name in ("oslo", "story")
        for trial in range(2)
    }
    assert {(t.key.model, t.outcome, t.error) for t in stored} == {
        ("plain", "scored", None),
        ("status-500", "infrastructure", "server"),
    }
    assert {trial.category for trial in stored if trial.key.case == "story"} == {"irrelevance"}
    assert [target.model for target in load_targets(row)] == ["plain", "status-500"]
    assert row.environment["other_jobs"] == 0
    assert row.finished_at == pytest.approx(time.time(), abs=30)


def test_retrying_asks_only_for_what_the_network_failed_at(begin: Begin, demo: DemoServer) -> None:
    job, row = begin("plain", "status-500")
    runner.run_next("main")
    before = len(demo.truth())
    scored = {t.key: t.started_at for t in load_trials(row) if t.outcome == "scored"}

    assert retry_errors(fresh(job))
    runner.run_next("main")

    assert [record.model for record in demo.truth()[before:]] == ["status-500"] * 2
    assert fresh(job).state == "done"
    assert (fresh(job).done, fresh(job).failed) == (4, 2)
    assert {t.key: t.started_at for t in load_trials(row) if t.outcome == "scored"} == scored


def test_a_suite_that_is_edited_while_it_runs_changes_nothing(
    begin: Begin, alice: User, demo: DemoServer
) -> None:
    suite_row = SuiteRow.create(user=alice, name=TWO.name)
    content = TWO.model_dump(mode="json")
    version = SuiteVersion.create(suite=suite_row, number=1, content=content)
    job, row = begin("plain", version=version)
    SuiteVersion.update(content={**content, "cases": []}).execute()
    before = len(demo.truth())

    runner.run_next("main")

    assert (fresh(job).state, fresh(job).done) == ("done", 2)
    assert len(demo.truth()) - before == 2
    assert again(row).suite == content


def test_a_case_that_does_not_exist_is_a_sentence(begin: Begin) -> None:
    job, _ = begin("plain", cases=("oslo", "rome"))
    runner.run_next("main")
    assert (fresh(job).state, fresh(job).error) == ("failed", "The suite has no case 'rome'.")


def test_an_evaluation_that_was_deleted_is_not_filled(begin: Begin) -> None:
    job, row = begin("plain")
    Eval.update(deleted_at=time.time()).execute()

    runner.run_next("main")

    assert fresh(job).state == "failed"
    assert "deleted" in str(fresh(job).error)
    assert load_trials(row) == []
    assert not submit.resume(fresh(job))


class Script:
    """A double of the engine: says what it is given and remembers what it was asked."""

    def __init__(self, *events: Event) -> None:
        self.events, self.stored = events, frozenset[TrialKey]()

    def __call__(
        self, spec: object, of: object, targets: object, *, cancel: CancelToken, **more: Any
    ) -> Iterator[Event]:
        self.stored = more["stored"]
        yield from self.events


def trial(name: str, outcome: Any = "scored", **more: Any) -> Trial:
    scored = Scored(passed=True, error_type=None) if outcome == "scored" else None
    return Trial(TrialKey("lab", FAST, name, 0), outcome, scored=scored, **more)


def test_resume_passes_what_is_stored_and_repeats_what_was_cut(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, lost, cut = trial("a"), trial("b", "infrastructure"), trial("c", "incomplete")
    told = Notice("renamed", "Renamed.", TargetRef(provider="lab", model=FAST))
    first = Script(
        Started(3, {"host": "a"}), told, *map(CaseScored, (done, lost, cut)), Finished("cancelled")
    )
    monkeypatch.setattr(tool_eval, "run_tool_eval", first)
    job, row = begin(FAST)
    runner.run_next("main")
    assert (fresh(job).state, fresh(job).done, fresh(job).failed) == ("cancelled", 2, 1)

    whole = trial("c", ttft_ms=9.0)
    second = Script(Started(3, {"host": "b"}), told, CaseScored(whole), Finished("complete"))
    monkeypatch.setattr(tool_eval, "run_tool_eval", second)
    submit.resume(fresh(job))
    runner.run_next("main")

    assert first.stored == frozenset()
    assert second.stored == {done.key, lost.key}
    assert load_trials(row) == [done, lost, whole]
    assert (fresh(job).state, fresh(job).done, fresh(job).failed) == ("done", 3, 1)
    assert again(row).environment["resumed"] == [{"host": "b"}]
    assert [notice["code"] for notice in again(row).notices] == ["renamed"]


def test_a_target_that_is_left_out_makes_it_shorter_and_says_so(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(
        Started(10, {}),
        TrialStarted(trial("a").key._replace(trial=1)),
        Notice("target_left_out", "Left out.", TargetRef(provider="lab", model=FAST), dropped=7),
        Finished("complete"),
    )
    seen: list[str] = []
    monkeypatch.setattr(tool_eval, "run_tool_eval", script)
    monkeypatch.setattr(
        "jobs.progress.Progress.note",
        lambda _, **changes: seen.append(changes.get("message") or ""),
    )
    _, row = begin(FAST)
    runner.run_next("main")

    assert f"lab/{FAST}, case a, trial 2" in seen
    assert again(row).notices[0]["target"] == {"provider": "lab", "model": FAST}


def test_a_trial_is_stored_while_the_next_is_asked(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def engine(*_: object, **__: object) -> Iterator[Event]:
        yield Started(2, {})
        yield CaseScored(trial("a"))
        eventually(lambda: TrialRow.select().count() == 1, 1)
        raise ZeroDivisionError("engine")

    monkeypatch.setattr(tool_eval, "run_tool_eval", engine)
    job, row = begin(FAST)
    runner.run_next("main")

    assert fresh(job).state == "failed"
    assert stored_trials(row) == {trial("a").key}
