"""Running an evaluation for the terminal, and what it shows and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from webapp.commands.bench_run import INTERRUPTED, progress_bars

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from engine.cancel import CancelToken
    from engine.events import Event, Notice
    from engine.specs import ToolEvalSpec
    from engine.targets import Target
    from engine.tools.matchers import Similarity
    from engine.tools.suites import Suite
    from engine.tools.trials import Trial
    from webapp.commands.bench_output import Destination

# Missed cases that are named one by one.
_NAMED = 20


@dataclass(slots=True)
class Outcome:
    """What an evaluation left behind; `reason` is that of `Finished`."""

    spec: ToolEvalSpec
    suite: Suite
    targets: Sequence[Target]
    environment: dict[str, Any] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    reason: str = "complete"

    def document(self) -> dict[str, Any]:
        """The results as `studio.tools/1`."""
        from engine.tools.document import document

        notices = [
            {"code": n.code, "text": n.text, "target": str(n.target) if n.target else None}
            for n in self.notices
        ]
        return document(self.trials, self.spec, self.suite, self.targets, self.environment, notices)

    @property
    def exit_code(self) -> int:
        """0 every threshold met, 1 one was missed, 130 stopped by Ctrl-C."""
        if self.reason != "complete":
            return INTERRUPTED
        return 0 if all(result["met"] for result in self.document()["results"]) else 1


def follow(
    spec: ToolEvalSpec,
    suite: Suite,
    targets: Sequence[Target],
    token: CancelToken,
    console: Console,
    similarity: Similarity | None = None,
) -> Outcome:
    """Run the evaluation, and show on `console` how far it is."""
    from engine.tools.runner import run_tool_eval

    outcome = Outcome(spec, suite, targets)
    events = run_tool_eval(spec, suite, targets, cancel=token, similarity=similarity)
    collect(events, outcome, console)
    return outcome


def collect(events: Iterator[Event], outcome: Outcome, console: Console) -> None:
    """Take in what the events say, with one bar a target."""
    from engine.events import CaseScored, Finished, Notice, Started
    from engine.tools.plan import plan_trials

    plan = plan_trials(outcome.spec, outcome.suite, outcome.targets)
    planned = Counter((key.provider, key.model) for keys in plan.values() for key in keys)
    failed: Counter[tuple[str, str]] = Counter()
    with progress_bars(console) as progress:
        bars = {
            (t.provider, t.model): progress.add_task(
                t.label or t.model, total=planned[t.provider, t.model], note=""
            )
            for t in outcome.targets
        }
        for event in events:
            match event:
                case Started(environment=environment):
                    outcome.environment = environment
                case CaseScored(trial):
                    outcome.trials.append(trial)
                    where = (trial.key.provider, trial.key.model)
                    failed[where] += not trial.passed
                    note = f"{failed[where]} not passed" if failed[where] else ""
                    progress.update(bars[where], advance=1, note=note)
                case Notice():
                    outcome.notices.append(event)
                    _say(progress.console, event.text)
                case Finished(reason):
                    outcome.reason = reason


def show(outcome: Outcome, destination: Destination) -> None:
    """Show and write everything, also after Ctrl-C."""
    document = outcome.document()
    console = destination.shown
    if outcome.reason != "complete":
        _say(console, "Stopped before the end; what was scored until then:")
    console.print(_table(document["results"]))
    for sentence in _missed(document["results"]):
        _say(console, sentence)
    destination.write(document)


def _say(console: Console, sentence: str) -> None:
    """One line, wrapped by the terminal; names in it are no markup."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _table(results: Sequence[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    for name in ("cases met", "trials passed", "95 % interval", "score", "not asked", "cost"):
        table.add_column(name, justify="right")
    for result in results:
        low, high = result["ci95"]
        table.add_row(
            Text(result["label"]),
            f"{result['cases']['met']} of {result['cases']['total']}",
            f"{result['passed']} of {result['scored']}",
            "–" if low is None else f"{100 * low:.0f}–{100 * high:.0f} %",
            "–" if result["score"] is None else f"{result['score']:.2f}",
            str(sum(result["infrastructure"].values()) + result["incomplete"]),
            "–" if result["cost_usd"] is None else f"${result['cost_usd']:.4f}",
        )
    return table


def _missed(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each case that missed its threshold, with the first reason; then what could not be
    asked, each reason once."""
    for result in results:
        for case in result["missed"][:_NAMED]:
            trials = [trial for trial in result["trials"] if trial["case"] == case]
            yield f"{result['label']}, {case}: {_why(trials)}"
        if (more := len(result["missed"]) - _NAMED) > 0:
            yield f"{result['label']}: and {more} more cases."
        reasons = Counter(
            trial["message"] for trial in result["trials"] if trial["outcome"] == "infrastructure"
        )
        for reason, count in reasons.most_common(3):
            yield f"{result['label']}: {count} × {reason}"


def _why(trials: Sequence[dict[str, Any]]) -> str:
    scored = [trial for trial in trials if trial["outcome"] == "scored"]
    if not scored:
        return "no trial could be scored."
    passed = sum(trial["pass"] for trial in scored)
    first = next(trial for trial in scored if not trial["pass"])
    share = f"{passed} of {len(scored)} trials passed; " if len(scored) > 1 else ""
    return f"{share}{first['error_type']}: {first['reason']}"
