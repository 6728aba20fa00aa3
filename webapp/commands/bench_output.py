"""What `studio bench` shows and writes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.commands.problems import BadUsage, Failure

if TYPE_CHECKING:
    from rich.console import Console

    from engine.report import Result
    from engine.targets import Target
    from webapp.commands.bench_run import Outcome

SAVED_IN = Path("results")


class Destination:
    """Where results go: table and sentences to standard output (to standard error when
    standard output is for JSON), JSON to a file, and a copy to results/.

    `notes` is the console for everything that is no result, `shown` the one for results. A
    place that cannot be written is a BadUsage before anything is measured.
    """

    def __init__(self, json_file: str | None, save: bool) -> None:
        from rich.console import Console

        self._json_file = json_file
        self.notes: Console = Console(stderr=True)
        self.shown: Console = self.notes if json_file == "-" else Console(width=_width())
        if json_file not in (None, "-"):
            _require_writable(Path(str(json_file)))
        self._save = save
        if save:
            _require_results_folder()

    def show(self, outcome: Outcome) -> None:
        """Show and write everything, also after Ctrl-C."""
        from engine.report import document

        results = outcome.results()
        _print_report(self.shown, outcome, results)
        text = self.write(document(results, outcome.environment, outcome.spec))
        if self._save and outcome.measured:
            _say(self.notes, f"Saved {_save(text)}")

    def write(self, content: Mapping[str, Any]) -> str:
        """Write a document where --json says, and give its text back."""
        from engine.report import to_json

        text = to_json(content)
        if self._json_file == "-":
            click.echo(text, nl=False)
        elif self._json_file:
            _write(Path(self._json_file), text)
        return text


def _width() -> int | None:
    """The terminal's own width; enough for every column where there is no terminal."""
    return None if sys.stdout.isatty() else 120


def _print_report(console: Console, outcome: Outcome, results: Sequence[Result]) -> None:
    from engine.report import cautions, remarks, table, verdict

    if outcome.reason in ("cancelled", "deadline"):
        so_far = "; what was measured so far:" if outcome.measured else "."
        _say(console, f"Stopped before the end{so_far}")
    _say(console, str(verdict(results)))
    if outcome.measured:
        console.print(table(results))
        for sentence in remarks(results):
            _say(console, sentence)
    failures = list(_failures(outcome))
    if any(sample.ok for sample in outcome.measured) or len(failures) > 1:
        for sentence in (*cautions(results), *failures):  # else the verdict names the reason
            _say(console, sentence)


def _say(console: Console, sentence: str) -> None:
    """One line, wrapped by the terminal; names in it are no markup."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _failures(outcome: Outcome) -> Iterator[str]:
    """Each reason once, with its model and how often."""
    labels = {(t.provider, t.model): t.label or t.model for t in outcome.targets}
    reasons = Counter(
        (labels[sample.key.provider, sample.key.model], sample.error, sample.message or "")
        for sample in outcome.measured
        if not sample.ok
    )
    for (label, kind, message), count in reasons.most_common():
        yield f"{label}: {count} × {kind or 'failed'}: {message}"


def _require_writable(path: Path) -> None:
    """Refuse a --json FILE before anything is asked and paid for."""
    usable = os.access(path if path.exists() else path.parent, os.W_OK)
    if path.is_dir() or not usable:
        raise BadUsage(f"--json: {path} cannot be written; name a file in a folder that exists.")


def _require_results_folder() -> None:
    if not os.access(SAVED_IN if SAVED_IN.exists() else Path.cwd(), os.W_OK):
        raise BadUsage(f"{SAVED_IN}/ cannot be written here: add --no-save, or change the folder.")


def _write(path: Path, text: str) -> None:
    try:
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
