"""What `studio bench` shows and writes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webapp.commands.problems import BadUsage, Failure

if TYPE_CHECKING:
    from rich.console import Console

    from engine.targets import Target
    from webapp.commands.bench_run import Outcome

SAVED_IN = Path("results")


class Destination:
    """Where results go: table and sentences to standard output (to standard error when
    standard output is for JSON), JSON to a file, and a copy to results/.

    `notes` is the console for everything that is no result. A place that cannot be written
    is a BadUsage before anything is measured.
    """

    def __init__(self, json_file: str | None, save: bool) -> None:
        from rich.console import Console

        self._json_file = json_file
        self.notes: Console = Console(stderr=True)
        self._shown: Console = self.notes if json_file == "-" else Console(width=_width())
        if json_file not in (None, "-"):
            _require_writable(Path(str(json_file)), "--json")
        self._save = save
        if save:
            _require_writable(SAVED_IN / "x", "results")

    def show(self, outcome: Outcome) -> None:
        """Show and write everything, also after Ctrl-C."""
        from engine.report import document, to_json

        results = outcome.results()
        _print_report(self._shown, outcome)
        text = to_json(document(results, outcome.environment, outcome.spec))
        if self._json_file == "-":
            click.echo(text, nl=False)
        elif self._json_file:
            _write(Path(self._json_file), text)
        if self._save and outcome.samples:
            self.notes.print(f"Saved {_save(text)}", markup=False, highlight=False)


def _width() -> int | None:
    """The terminal's own width; enough for every column where there is no terminal."""
    return None if sys.stdout.isatty() else 120


def _print_report(console: Console, outcome: Outcome) -> None:
    from engine.report import cautions, table, verdict

    results = outcome.results()
    if outcome.reason != "complete":
        planned = "; what was measured so far:" if outcome.samples else "."
        console.print(f"Stopped before the end{planned}")
    console.print(str(verdict(results)), markup=False, highlight=False)
    if any(result.requests.total for result in results):
        console.print(table(results))
    for sentence in (*cautions(results), *_failures(outcome)):
        console.print(sentence, markup=False, highlight=False)


def _failures(outcome: Outcome) -> Iterator[str]:
    """Each reason once, with its model and how often."""
    labels = {(t.provider, t.model): t.label or t.model for t in outcome.targets}
    reasons = Counter(
        (labels[sample.key.provider, sample.key.model], sample.error, sample.message or "")
        for sample in outcome.samples
        if not sample.ok and not sample.key.warmup
    )
    for (label, kind, message), count in reasons.most_common():
        yield f"{label}: {count} × {kind or 'failed'}: {message}"


def _require_writable(path: Path, name: str) -> None:
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    usable = folder.is_dir() and os.access(folder, os.W_OK) and not path.is_dir()
    if not usable or (path.exists() and not os.access(path, os.W_OK)):
        advice = " Use --no-save, or another folder." if name == "results" else ""
        raise BadUsage(f"{name}: {path.parent if advice else path} cannot be written.{advice}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror or error}.") from error


def _save(text: str) -> Path:
    """Write to a new file named by the UTC time; two runs of one second get two files."""
    SAVED_IN.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for number in range(1, 1_000):
        path = SAVED_IN / (f"{stamp}.json" if number == 1 else f"{stamp}-{number}.json")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise Failure(f"There are too many results of {stamp}.")


class _Masked(logging.Formatter):
    """Masks the keys of the targets, and whatever looks like one."""

    def __init__(self, secrets: Sequence[str | None]) -> None:
        super().__init__("%(asctime)s %(name)s: %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        from engine.llm.errors import mask

        return mask(super().format(record), *self._secrets)


@contextmanager
def logged_calls(targets: Sequence[Target]) -> Iterator[None]:
    """Log every call that LiteLLM prepares, and its answer, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked([target.api_key for target in targets]))
    logger = logging.getLogger("engine.llm")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
