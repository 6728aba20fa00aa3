"""Recorded calls, scored: from files to lines of JSON or a summary."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from engine.stats import wilson
from engine.tools.answers import Mode, Scored
from engine.tools.io.memory import without_collection
from engine.tools.io.problems import ImportProblem, Source
from engine.tools.io.recorded import NO_ANSWER, Recorded, load_suite, read_calls
from engine.tools.matchers import NoSimilarity
from engine.tools.modes.bfcl import Unscorable
from engine.tools.scoring import Scorer
from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.tools.suites import Case


_CHAINS = (
    "Note: {:,} of these lines answer conversations with mock tools. Recorded calls are scored "
    "by what their first turn expects, and an end state counts as missed; studio tools run "
    "plays them to the end."
)

Known = dict[str, "tuple[Case, Scorer]"]


def score(
    suite: Path, answers: Path | None, calls: BinaryIO, mode: str, json_file: str | None
) -> None:
    """Score every line; nothing is written before all of them could be read. BadUsage names
    the file and the line."""
    name = Path(getattr(calls, "name", "") or "").name
    with without_collection():
        try:
            loaded = load_suite(_source(suite), _source(answers) if answers else None)
            known = {
                case.id: (case, scorer)
                for part in loaded.suites
                for scorer in [Scorer(part, mode=cast("Mode", mode))]
                for case in part.cases
            }
            lines = list(read_calls(Source(name, calls.read()), known))
        except ImportProblem as problem:
            raise BadUsage(str(problem)) from None
        unanswered = loaded.unanswered if mode != "schema" else frozenset()
        results = _scored(known, unanswered, lines, name)
        gc.freeze()  # all of it is kept until the process ends
    chains = sum(known[item.case][0].chain is not None for item, _ in results)
    if chains:
        click.echo(_CHAINS.format(chains), err=True)
    if json_file is not None:
        _write((_line(item, result) for item, result in results), json_file)
    if json_file != "-":
        click.echo(_summary([result for _, result in results]))


def _source(path: Path) -> Source:
    return Source(path.name, path.read_bytes())


def _scored(
    known: Known, unanswered: frozenset[str], lines: Iterable[Recorded], file: str
) -> list[tuple[Recorded, Scored]]:
    results = []
    for item in lines:
        if item.case in unanswered:
            raise BadUsage(str(ImportProblem(item.line, f"{item.case} {NO_ANSWER}.", file)))
        case, scorer = known[item.case]
        try:
            results.append((item, scorer.score(case, item.answer)))
        except (NoSimilarity, Unscorable) as error:
            raise BadUsage(str(ImportProblem(item.line, str(error), file))) from None
    return results


def _line(item: Recorded, result: Scored) -> dict[str, Any]:
    return {
        "id": item.case,
        "pass": result.passed,
        "error_type": result.error_type,
        "scores": result.scores,
    }


def _write(lines: Iterator[dict[str, Any]], target: str) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text)
    except OSError as error:
        raise BadUsage(f"--json: {target} cannot be written: {error.strerror}.") from None


def _summary(results: list[Scored]) -> str:
    """Verdicts in a few lines, for a reader."""
    n, passed = len(results), sum(result.passed for result in results)
    if not n:
        return "No calls to score."
    low, high = wilson(passed, n)
    rate = f"{passed / n:.1%}, 95 % interval {low or 0:.1%} to {high or 0:.1%}"
    lines = [f"{passed:,} of {n:,} passed ({rate})."]
    errors = Counter(result.error_type for result in results if result.error_type)
    lines += [f"  {count:>7,}  {error}" for error, count in errors.most_common()]
    return "\n".join(lines)
