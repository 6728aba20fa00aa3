"""Running a benchmark for the terminal: events in, progress on standard error, outcome out."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.cancel import CancelToken
from engine.speed.budget import BUDGET_ENDED

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from engine.events import Event, Notice
    from engine.report import Result
    from engine.report.result import Client
    from engine.samples import LevelKey, Sample
    from engine.specs import BenchmarkSpec
    from engine.targets import Target

INTERRUPTED = 130


@dataclass(slots=True)
class Outcome:
    """What a benchmark left behind; `reason` is that of `Finished`."""

    spec: BenchmarkSpec
    targets: Sequence[Target]
    environment: dict[str, Any] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    clients: dict[LevelKey, Client] = field(default_factory=dict)
    reason: str = "complete"

    def results(self) -> list[Result]:
        from engine.report import results

        return results(self.samples, self.targets, self.spec, self.clients)

    @property
    def measured(self) -> list[Sample]:
        """The samples without the warm-ups."""
        return [sample for sample in self.samples if not sample.key.warmup]

    @property
    def exit_code(self) -> int:
        """0 all measured requests ok (also those that a budget left), 1 some were not or a
        target did not answer its warm-up, 130 stopped by Ctrl-C."""
        if self.reason in ("cancelled", "deadline"):
            return INTERRUPTED
        if any(notice.code == "target_left_out" for notice in self.notices):
            return 1
        asked = [sample for sample in self.measured if sample.message != BUDGET_ENDED]
        return 0 if asked and all(sample.ok for sample in asked) else 1


@contextmanager
def interruptible() -> Iterator[CancelToken]:
    """A token that the first Ctrl-C cancels; the second one leaves at once."""
    token = CancelToken()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if token.reason:
            raise SystemExit(INTERRUPTED)
        token.cancel()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)


def measure(
    spec: BenchmarkSpec, targets: Sequence[Target], token: CancelToken, console: Console
) -> Outcome:
    """Run the benchmark and show on `console` how far it is."""
    from engine.speed.runner import run_benchmark

    return follow(run_benchmark(spec, targets, cancel=token), spec, targets, console)


def follow(
    events: Iterator[Event], spec: BenchmarkSpec, targets: Sequence[Target], console: Console
) -> Outcome:
    """Collect what the events say, with one bar a target and one for all."""
    from engine.events import (
        Finished,
        LevelDone,
        Notice,
        SampleDone,
        SampleFailed,
        SampleStarted,
        Started,
    )
    from engine.report.result import Client

    outcome = Outcome(spec, targets)
    with progress_bars(console) as progress:
        bars = _Bars(progress, spec, targets)
        for event in events:
            match event:
                case Started(environment=environment):
                    outcome.environment = environment
                case SampleStarted(key):
                    bars.asking(key.provider, key.model)
                case SampleDone(sample) | SampleFailed(sample):
                    outcome.samples.append(sample)
                    bars.landed(sample)
                case Notice() as notice:
                    outcome.notices.append(notice)
                    bars.without(notice)
                    progress.console.print(
                        notice.text, markup=False, highlight=False, soft_wrap=True
                    )
                case LevelDone(where, client):
                    outcome.clients[where] = Client.of(client)
                case Finished(reason):
                    outcome.reason = reason
    return outcome


def progress_bars(console: Console) -> Progress:
    """Bars that are gone at the end; each task has a field `note`."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
        transient=True,
        refresh_per_second=4,  # drawing must not disturb what is measured
    )


class _Bars:
    """One bar a target, and one for all."""

    def __init__(self, progress: Progress, spec: BenchmarkSpec, targets: Sequence[Target]) -> None:
        from collections import Counter

        from engine.speed.plan import make_plan

        plan = make_plan(spec, targets)
        planned = Counter((k.provider, k.model) for keys in plan.lanes.values() for k in keys)
        self._progress = progress
        self._failed: Counter[TaskID] = Counter()
        self._all = progress.add_task("All", total=plan.total, note="")
        self._of: dict[tuple[str, str], TaskID] = {
            (target.provider, target.model): progress.add_task(
                target.label or target.model,
                total=planned[target.provider, target.model],
                note="",
            )
            for target in targets
        }

    def asking(self, provider: str, model: str) -> None:
        self._note(self._of[provider, model], "asking")

    def landed(self, sample: Sample) -> None:
        for bar in (self._all, self._of[sample.key.provider, sample.key.model]):
            self._failed[bar] += not sample.ok
            self._progress.advance(bar)
            self._note(bar)

    def without(self, notice: Notice) -> None:
        """Take what will not be measured off the bars."""
        if notice.target is None or not notice.dropped:
            return
        for bar in (self._all, self._of[notice.target.provider, notice.target.model]):
            task = self._progress.tasks[bar]
            self._progress.update(bar, total=(task.total or 0) - notice.dropped)

    def _note(self, bar: TaskID, doing: str = "") -> None:
        failed = f"{self._failed[bar]} failed" if self._failed[bar] else ""
        self._progress.update(bar, note=", ".join(filter(None, (doing, failed))))
