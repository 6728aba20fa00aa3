"""Sentences and words of the tool pages; every number in them has its one formatting."""

from __future__ import annotations

import time

from engine.report.numbers import NONE, count, percent, span
from engine.specs import ToolEvalSpec
from engine.stats import NOT_DISTINGUISHABLE, wilson
from webapp.benchmark.words import ERRORS as TROUBLES
from webapp.benchmark.words import listed, plural, roughly
from webapp.history.words import p_words
from webapp.tools.cells import Cell, Column, Figures
from webapp.tools.paired import Pair, pair
from webapp.tools.rates import Rate, rate

# What a model got wrong, in words; one of BFCL's is made from its name.
_ERRORS = {
    "malformed_arguments": "broken call",
    "no_call": "no call",
    "unneeded_call": "needless call",
    "unknown_tool": "unknown tool",
    "wrong_tool": "wrong tool",
    "missing_call": "missing call",
    "extra_call": "extra call",
    "wrong_order": "wrong order",
    "missing_argument": "missing argument",
    "unknown_argument": "unknown argument",
    "wrong_type": "wrong type",
    "invalid_schema": "against the schema",
    "wrong_value": "wrong value",
    "ignored_source": "ignored source",
    "stalled_chain": "stalled",
}
MODES = {
    "studio": "studio rules",
    "bfcl": "BFCL rules",
    "schema": "schema only",
    "state": "end state only",
}
OUTCOMES = {
    "pass": "passed",
    "fail": "failed",
    "flaky": "flaky",
    "infrastructure": "no answer",
    "waiting": "waiting",
}
PARTS = {
    "overall": "Overall",
    "selection": "Selection",
    "arguments": "Arguments",
    "schema": "Schema",
    "abstention": "Abstention",
    "completion": "Completion",
    "efficiency": "Efficiency",
    "order": "Order",
    "state": "End state",
    "without_repeats": "Without repeats",
    "without_detours": "Without detours",
    "argument_source": "Argument source",
}


def error(name: str) -> str:
    """An error class as a reader says it."""
    return _ERRORS.get(name, name.replace("_", " "))


def trouble(kind: str) -> str:
    """What failed on the way, as a word."""
    return TROUBLES.get(kind, "no answer")


def part(name: str) -> str:
    """A part of the score as a heading."""
    return PARTS.get(name, name.replace("_", " ").capitalize())


def cell(found: Cell) -> str:
    """A cell in a sentence, for a tooltip and for who does not see it."""
    if not found.scored:
        return trouble(found.trouble) if found.failed else "not asked yet"
    said = f"passed {found.passed} of {plural(found.scored, 'trial')}"
    if found.errors:
        said += f": {', '.join(error(name) for name in found.errors)}"
    return said if not found.failed else f"{said}; {plural(found.failed, 'request')} failed"


def subtitle(spec: ToolEvalSpec, known: Figures) -> str:
    """ "50 cases, 3 models, 5 trials each, studio rules"."""
    parts = [plural(len(known.cases), "case"), plural(len(known.columns), "model")]
    if spec.trials > 1:
        parts.append(f"{spec.trials} trials each")
        parts.append(f"{percent(spec.threshold)} of them must pass")
    parts.append(MODES[spec.mode])
    if spec.tool_choice != "auto":
        parts.append(f"tool_choice {spec.tool_choice}")
    return ", ".join(parts)


def passes(found: Rate) -> str:
    """ "41 of 50"; a dash where nothing is scored."""
    if not found.counted:
        return NONE
    return f"{count(found.passed)} of {count(found.counted)}"


def interval(found: Rate) -> str:
    """ "69–90 %", of the share of all cases like these."""
    low, high = wilson(found.passed, found.counted)
    if low is None or high is None:
        return NONE
    return f"{span(low * 100, high * 100, lambda end: f'{end:.0f}')}\u202f%"


def certainty(found: Rate) -> str:
    """ "82 %, 95 % interval 69–90 %"."""
    return f"{percent(found.share)}, 95\u202f% interval {interval(found)}"


def verdict(known: Figures, active: bool) -> tuple[str, str, list[str]]:
    """The answer that stands first: headline, what stands in brackets, further sentences."""
    rates = {column: rate(known, column) for column in known.columns}
    counted = {column: found for column, found in rates.items() if found.counted}
    if not counted:
        return ("Nothing is scored yet" if active else "Nothing was scored", "", [])
    best = sorted(counted, key=lambda column: -(counted[column].share or 0.0))
    first, *others = best
    cases = "case" if counted[first].counted == 1 else "cases"
    start = "So far " if active else ""
    most = " most:" if others and counted[first].share != counted[others[0]].share else ""
    headline = f"{start}{first.label} passes{most} {passes(counted[first])} {cases}"
    notes = [] if active or not others else [_lead(pair(known, first, others[0]))]
    return headline, certainty(counted[first]), notes


def _lead(found: Pair) -> str:
    """How the best and the second differ, case by case."""
    a, b = found.a.label, found.b.label
    if not found.only_a and not found.only_b:
        return f"{b} passes the same cases."
    ahead = f"{a} passes {plural(found.only_a, 'case')} that {b} fails"
    back = f", and fails {count(found.only_b)} that {b} passes" if found.only_b else ""
    return f"{ahead}{back}: {chance(found)}."


def chance(found: Pair) -> str:
    """What the paired test says."""
    sure = found.test.better != NOT_DISTINGUISHABLE
    judged = "more than chance would do" if sure else "that can be chance"
    return f"{judged} ({p_words(found.test.p_value)})"


def names(columns: list[Column]) -> str:
    """The models as a title says them."""
    return listed([column.label for column in columns])


def start(expected: float | None) -> str:
    """When a waiting evaluation should begin."""
    if expected is None or expected - time.time() < 3:
        return "Waiting for a free worker; it starts by itself."
    return (
        f"Waiting for your other jobs to end; it starts in about {roughly(expected - time.time())}."
    )
