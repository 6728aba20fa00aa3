"""How many recorded tool calls are scored in a second of one core, and whether the
leaderboard's verdicts are those of a second reading of its rules."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.tools.answers import Answer, Mode
from engine.tools.scoring import Scorer, score
from engine.tools.suites import Case, Suite
from tests.bench.outcome import Check, Outcome, markdown_table
from tests.engine.tools import bfcl_random, bfcl_reference
from tests.engine.tools.bfcl_random import Question

_SEED = 2_026
_LIMITS: dict[Mode, int] = {"bfcl": 20_000, "studio": 5_000}
_ROUNDS = 3  # the best counts: other processes only ever take time away


def run(quick: bool) -> Outcome:
    """1,000 cases of the leaderboard's kind, each answered twenty times."""
    cases, repeats, agreed = (300, 10, 3_000) if quick else (1_000, 20, 30_000)
    questions = list(bfcl_random.questions(cases, _SEED))
    suite, answered = _suite(questions)
    rates: dict[str, float] = {}
    for mode in _LIMITS:
        rates[mode] = _rate(mode, suite, answered, repeats)
        rates[f"{mode}, command"] = _command(mode, questions, repeats)
    differences = _differences(agreed)
    checks = [Check(f"scored calls a second, {m}", rates[m], limit, at_least=True)
              for m, limit in _LIMITS.items()]  # fmt: skip
    checks.append(Check(f"verdicts that differ, of {agreed:,}", differences, 0))
    figures: dict[str, Any] = {"calls_per_cpu_s": rates, "differences": differences}
    rows = [[name, "calls a CPU second", f"{rate:,.0f}"] for name, rate in rates.items()]
    return Outcome(figures, checks, markdown_table(["scoring", "of", "rate"], rows))


def _suite(questions: list[Question]) -> tuple[Suite, list[tuple[Case, Answer]]]:
    cases = tuple(item.case(_id(index, item))[0] for index, item in enumerate(questions))
    answers = (item.answer() for item in questions)
    return Suite(name="B", cases=cases), list(zip(cases, answers, strict=True))


def _id(index: int, question: Question) -> str:
    return f"{question.category}_{index}"


def _rate(mode: Mode, suite: Suite, answered: list[tuple[Case, Answer]], repeats: int) -> float:
    """Answers a CPU second, with everything that is made ready of a suite."""

    def work() -> None:
        scorer = Scorer(suite, mode=mode)
        for _ in range(repeats):
            for case, answer in answered:
                scorer.score(case, answer)

    return len(answered) * repeats / min(_cpu_s(work) for _ in range(_ROUNDS))


def _cpu_s(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _command(mode: Mode, questions: list[Question], repeats: int) -> float:
    """Lines a CPU second of `studio tools score`, from the start of the process to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_files(folder, questions, repeats)
        words = ["tools", "score", "--suite", "q", "--answers", "a", "--calls", "c"]
        code = "from webapp.cli import main; main()"
        command = [sys.executable, "-c", code, *words, "--mode", mode, "--json", "out"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return len(questions) * repeats / spent


def _write_files(folder: Path, questions: list[Question], repeats: int) -> None:
    ask = [[{"role": "user", "content": "?"}]]
    asked, truths, calls = [], [], []
    for index, item in enumerate(questions):
        name = _id(index, item)
        asked.append({"id": name, "question": ask, "function": item.functions})
        truths.append({"id": name, "ground_truth": item.truths})
        calls.append({"id": name, "calls": item.calls})
    for file, lines in (("q", asked), ("a", truths), ("c", calls * repeats)):
        (folder / file).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _differences(count: int) -> int:
    """Verdicts that are not those of the reference."""
    found = 0
    for item in bfcl_random.questions(count, _SEED + 1):
        case, suite = item.case()
        expected = bfcl_reference.verdict(item.category, item.functions, item.truths, item.calls)
        found += score(case, suite, item.answer(), mode="bfcl").passed is not expected
    return found
