"""A trial: one independent try of a case by a model, from the first message to the score."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from engine.samples import Tokens, Try
from engine.tools.answers import Scored

Outcome = Literal["scored", "infrastructure", "incomplete"]


class TrialKey(NamedTuple):
    """What makes a trial unique inside its evaluation; `case` is the case's id in the suite,
    `trial` counts from 0."""

    provider: str
    model: str
    case: str
    trial: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial as it went. Times are milliseconds, `started_at` UTC epoch seconds.

    `outcome`: "scored" (then `scored` is set), "infrastructure" (a request failed: outside
    every denominator, `error` is a kind of `engine.samples.ERROR_KINDS` and `message` a
    sentence) or "incomplete" (cut off; it is tried again on resume). `category` repeats the
    case's, so that aggregates need no suite.

    `tokens` and `cost_usd` are sums over the rounds (None where one is unknown), `ttft_ms` is
    the first round's, `e2e_ms` the sum of the rounds', `rounds` the number of answers of the
    model. `tries` are attempts that a rate limit refused. `recovered`: calls were read out of
    plain text.

    `transcript` is plain JSON without a secret:
    `messages`: every message sent, answered (assistant) and mocked (tool), OpenAI's form;
    `request`: the parameters of every request beside messages and tools, in LiteLLM's names;
    `tools`: the names of the tools on offer as they were sent;
    `renamed`: names that had to be changed for the provider, sent name → suite's name;
    `rounds`: one object a model answer: `turn`, `text`, `reasoning`, `calls` (name,
    arguments or null, raw, id), `recovered`, `finish_reason`, `tokens`, `ttft_ms`, `e2e_ms`;
    `state`: the mock tools' state at the end, for a chain.
    """

    key: TrialKey
    outcome: Outcome
    category: str = ""
    error: str | None = None
    message: str | None = None
    tries: tuple[Try, ...] = ()
    scored: Scored | None = None
    recovered: bool = False
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None
    ttft_ms: float | None = None
    e2e_ms: float | None = None
    rounds: int = 0
    started_at: float = 0.0
    transcript: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        """None where there is no score."""
        return self.scored.passed if self.scored else None


def pack_transcript(transcript: dict[str, Any]) -> bytes:
    """Compact, lossless blob: JSON, deflated."""
    text = json.dumps(transcript, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack_transcript(blob: bytes) -> dict[str, Any]:
    """The inverse of `pack_transcript`."""
    data: dict[str, Any] = json.loads(zlib.decompress(blob).decode("utf-8", "surrogatepass"))
    return data
