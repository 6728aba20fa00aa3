"""Sentences of the history: what was deleted, who is faster, what makes a comparison unfair.

Every number in them has its formatting of `engine.report.numbers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.report import Verdict, numbers, wording
from engine.report.wording import FIRST_TOKEN, PERCENT95, SPEED
from engine.stats import NOT_DISTINGUISHABLE, runs_to_compare
from webapp.history.comparison import Compared, Line, level


class _Words(NamedTuple):
    """How a figure is spoken of."""

    topic: str
    wins: str
    lead: str


_WORDS = {
    SPEED: _Words("Output speed", "is faster", "more"),
    FIRST_TOKEN: _Words("The time to the first token", "answers earlier", "less"),
}
NOTHING_IN_COMMON = Verdict("Nothing can be compared: no model answered in both benchmarks")
TOO_FEW = "Too few answers to tell A and B apart"
# As many models are named one by one; more are counted.
NAMED = 3


def verdicts(compared: Compared) -> list[Verdict]:
    """The answers that stand first: one a figure, or one sentence when there is none."""
    lines = compared.lines
    if not lines:
        return [NOTHING_IN_COMMON]
    if not any(line.versus.conclusive for line in lines):
        return [Verdict(TOO_FEW, notes=(_enough(lines),))]
    return [_verdict(found) for metric in _WORDS if (found := compared.of(metric))]


def _verdict(lines: Sequence[Line]) -> Verdict:
    if len(lines) == 1:
        return _one(lines[0])
    groups = _groups(lines)
    parts = [f"{said} {_with(found, lines)}" for said, found in groups.items() if found]
    sure = [line for line in lines if line.winner]
    widest = max(sure or lines, key=_size)
    claim = f": {_claim(widest)}" if sure else ""
    note = f"The largest difference is that of {_at(widest, lines)}{claim} ({_certainty(widest)})."
    headline = "; ".join(parts)
    topic = "" if sure else f"{_WORDS[lines[0].metric].topic} is "
    return Verdict(f"{topic}{headline}", notes=(note,))


def _groups(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines by what may be said of them."""
    wins = _WORDS[lines[0].metric].wins
    return {
        f"B {wins}": [line for line in lines if line.winner == "B"],
        f"A {wins}": [line for line in lines if line.winner == "A"],
        NOT_DISTINGUISHABLE: [line for line in lines if line.versus.conclusive and not line.winner],
        "undecided for too few answers": [line for line in lines if not line.versus.conclusive],
    }


def _one(line: Line) -> Verdict:
    words, certainty = _WORDS[line.metric], _certainty(line)
    if line.winner:
        where = f"with {line.a.label}"
        return Verdict(f"{line.winner} {words.wins} {where}: {_claim(line)}", certainty)
    said = NOT_DISTINGUISHABLE if line.versus.conclusive else "undecided for too few answers"
    both = f"A {line.metric.said(line.a)}, B {line.metric.said(line.b)}"
    return Verdict(f"{words.topic} is {said}: {both}", certainty)


def _claim(line: Line) -> str:
    """ "182 tokens/s against 164 in A, 11 % more"."""
    better, worse = (line.b, line.a) if line.winner == "B" else (line.a, line.b)
    loser = "A" if line.winner == "B" else "B"
    metric = line.metric
    against = metric.text(metric.summary(worse).p50 or 0.0)
    return f"{metric.said(better)} against {against} in {loser}{_lead(line)}"


def _lead(line: Line) -> str:
    """ ", 11 % more" or ", 2.1 times as much", from the winner's side."""
    ratio = line.versus.ratio
    if not ratio or ratio < 0:
        return ""
    ratio = ratio if line.winner == "B" else 1 / ratio
    if ratio >= 2:
        return f", {numbers.fixed(ratio, 1)} times as much"
    share = abs(ratio - 1)
    return f", {numbers.percent(share, 0 if share >= 0.0995 else 1)} {_WORDS[line.metric].lead}"


def _certainty(line: Line) -> str:
    """ "B minus A is 18 tokens/s, 95 % interval 12–24, p 0.002"."""
    versus = line.versus
    if versus.difference is None:
        return ""
    said = f"B minus A is {difference(line)}{numbers.NARROW}{line.metric.unit}"
    interval = difference_interval(line)
    if interval != numbers.NONE:
        said += f", {PERCENT95} {interval}"
    return f"{said}, {p_words(versus.p_value)}"


def difference(line: Line) -> str:
    """B minus A with the digits that its interval justifies, and its sign."""
    value = line.versus.difference
    text = numbers.measured(value, line.versus.difference_ci)
    return f"+{text}" if value is not None and value > 0 and not text.startswith("+") else text


def difference_interval(line: Line) -> str:
    return numbers.measured_span(line.versus.difference, line.versus.difference_ci)


def change(line: Line) -> str:
    """B against A as a percentage, with its sign."""
    if line.versus.ratio is None:
        return numbers.NONE
    share = line.versus.ratio - 1
    text = numbers.percent(share, 0 if abs(share) >= 0.0995 else 1)
    return f"+{text}" if share > 0 and any(digit in text for digit in "123456789") else text


def p_words(p_value: float | None) -> str:
    """ "p 0.012", "p under 0.001"."""
    return f"p{numbers.NARROW}{p_text(p_value)}"


def p_text(p_value: float | None) -> str:
    if p_value is None:
        return numbers.NONE
    return "under 0.001" if p_value < 0.001 else numbers.fixed(p_value, 3 if p_value < 0.1 else 2)


def _enough(lines: Sequence[Line]) -> str:
    """How many answers it would take."""
    fewest = min(min(line.versus.n) for line in lines)
    answers = "1 answer" if fewest == 1 else f"{fewest} answers"
    among = f" in {len(lines)} comparisons" if len(lines) > 1 else ""
    enough = runs_to_compare(len(lines))
    return f"{answers} on a side cannot rule out chance{among}; {enough} or more can."


def _size(line: Line) -> float:
    ratio = line.versus.ratio or 1.0
    return max(ratio, 1 / ratio) if ratio > 0 else 1.0


def _with(chosen: Sequence[Line], among: Sequence[Line]) -> str:
    """ "with fast-small and jittery", "with jittery at 0, 5K and 50K", "with 5 of 7"."""
    number, of = numbers.count(len(chosen)), numbers.count(len(among))
    if len(chosen) > NAMED:
        return f"with all {number}" if number == of else f"with {number} of {of}"
    models = {(line.a.provider, line.a.model) for line in chosen}
    if len(models) == 1 and len(chosen) > 1 and not level(chosen[0].a):
        sizes = _join([numbers.tier(line.a.context_tokens) for line in chosen])
        return f"with {_name(chosen[0], among)} at {sizes}"
    return f"with {_join([_at(line, among) for line in chosen])}"


def _at(line: Line, among: Sequence[Line]) -> str:
    """The model, with its context size where there are several, and how hard it was asked."""
    name, size = _name(line, among), line.a.context_tokens
    if len({other.a.context_tokens for other in among}) > 1:
        name += f" at {numbers.tier(size)}" if size else " without context"
    return f"{name} at {level(line.a)}" if level(line.a) else name


def _name(line: Line, among: Sequence[Line]) -> str:
    return wording.name(line.a, [other.a for other in among])


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
