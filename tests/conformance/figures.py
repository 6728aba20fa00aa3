"""The figures that are compared: the truth, what a naive reader says, and what ours says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from engine.llm.exchange import Capture
from engine.llm.http import parse_response
from engine.samples import Sample
from tests.conformance.traps import Trap


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds and tokens of one stream; None where there is no such figure."""

    outcome: str
    ttft_ms: float | None
    ttfa_ms: float | None
    e2e_ms: float | None
    tpot_ms: float | None
    tokens: int | None
    text: str
    arguments: str = ""
    tpot_bounds_ms: tuple[float | None, float | None] = (None, None)


def truth_of(trap: Trap, sent_ns: int, times_ns: Sequence[int]) -> Figures:
    """What was sent, with the moment each write left."""
    events = [
        (at_ns, write) for at_ns, write in zip(times_ns, trap.writes, strict=True) if write.tokens
    ]
    answer = next((at for at, write in events if write.part != "reasoning"), None)
    first, last = events[0][0], events[-1][0]
    tokens = sum(write.tokens for _, write in events)
    later = tokens - events[0][1].tokens
    whole = trap.outcome == "ok"
    return Figures(
        outcome=trap.outcome,
        ttft_ms=(first - sent_ns) / 1e6,
        ttfa_ms=None if answer is None else (answer - sent_ns) / 1e6,
        e2e_ms=(last - sent_ns) / 1e6,
        tpot_ms=(last - first) / later / 1e6 if whole else None,
        tokens=tokens if whole else None,
        text=trap.text,
        arguments=trap.arguments,
    )


def ours(sample: Sample, arguments: str) -> Figures:
    """What the engine's sample says."""
    return Figures(
        outcome=sample.outcome,
        ttft_ms=sample.ttft_ms,
        ttfa_ms=sample.ttfa_ms,
        e2e_ms=sample.e2e_ms,
        tpot_ms=sample.tpot_ms,
        tokens=sample.tokens.output if sample.ok else None,
        text=sample.text,
        arguments=arguments,
        tpot_bounds_ms=(sample.tpot_low_ms, sample.tpot_high_ms),
    )


def naive(capture: Capture) -> Figures:
    """First byte = first token, chunk = token, last chunk = last token; each read is taken
    for whole events and whole characters."""
    sent = capture.sent_ns
    response = parse_response(capture)
    pieces = response.pieces
    lines = [
        (at_ns, line[6:])
        for at_ns, data in pieces
        for line in data.decode("utf-8", "replace").splitlines()
        if line.startswith("data: {")
    ]
    if not lines or "content-encoding" in response.headers:
        first = (pieces[0].at_ns - sent) / 1e6 if pieces else None
        return Figures("ok", first, first, None, None, 0, "")
    first, last = pieces[0].at_ns, lines[-1][0]
    gap_ms = (last - first) / max(1, len(lines) - 1) / 1e6
    first_ms = (first - sent) / 1e6
    text = "".join(_content(line) for _, line in lines)
    return Figures("ok", first_ms, first_ms, (last - sent) / 1e6, gap_ms, len(lines), text)


def _content(line: str) -> str:
    _, found, rest = line.partition('"content": "')
    return rest.partition('"')[0] if found else ""


def differences(truth: Figures, said: Figures, within_ms: float) -> list[str]:
    """The figures in which `said` is not the truth; times may differ by `within_ms`. A time
    per token that is given with bounds is right when the truth lies within them and the
    value is off by no more than one token would make it."""
    wrong = [
        name
        for name in ("outcome", "tokens", "text", "arguments")
        if getattr(truth, name) != getattr(said, name)
    ]
    for name in ("ttft_ms", "ttfa_ms", "e2e_ms", "tpot_ms"):
        one, other = getattr(truth, name), getattr(said, name)
        reach = within_ms + _unseen_ms(said) * (name == "tpot_ms")
        if (one is None) != (other is None) or (one and abs(one - other) > reach):
            wrong.append(name)
    low, high = said.tpot_bounds_ms
    if low and high and not low - within_ms <= (truth.tpot_ms or 0) <= high + within_ms:
        wrong.append("tpot_bounds_ms")
    return wrong


def _unseen_ms(said: Figures) -> float:
    """What one token more or less in the first bundle does to a time per token."""
    if said.tpot_bounds_ms[0] is None or not said.tokens or not said.tpot_ms:
        return 0.0
    return 1.5 * said.tpot_ms / said.tokens


def in_order(times: Sequence[int]) -> bool:
    """Whether times never go back."""
    return all(a <= b for a, b in itertools.pairwise(times))
