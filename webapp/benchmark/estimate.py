"""The consequence of a benchmark before it starts: requests, time, money, what is left out.

Time follows from what the same models did for the same user before, and from plain
assumptions where they were never asked. Money is an upper bound: every answer as long as
it may be, nothing cached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.pricing import cost_usd, price_of
from engine.samples import SampleKey, Tokens
from engine.specs import BenchmarkSpec, TargetRef
from engine.speed.plan import Plan, make_plan
from engine.targets import Target

# Bytes of text a token; real text has more, so the estimate is not too low.
BYTES_PER_TOKEN = 3
# The nonce that begins every prompt and the chat template around it, in tokens.
PROMPT_EXTRA_TOKENS = 40
# Filler is made to within 1 % of its tier.
TIER_TOLERANCE = 1.01


class Pace(NamedTuple):
    """How fast a model answers: seconds to the first token, and tokens per second."""

    ttft_s: float
    output_tps: float
    input_tps: float = 3_000.0


# A model of middling speed, for those that were never measured.
UNKNOWN_PACE = Pace(1.0, 60.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is a rough forecast; `usd` an upper bound of the targets whose price is
    known (None when no price is), `unpriced` the labels of the others. `notices` are
    sentences about what is skipped; `warmups` is part of `requests`."""

    requests: int
    warmups: int
    seconds: float
    usd: float | None
    unpriced: tuple[str, ...]
    notices: tuple[str, ...]
    simulated: bool


def estimate(
    spec: BenchmarkSpec, targets: Sequence[Target], paces: Mapping[TargetRef, Pace]
) -> Estimate:
    """What `spec` will ask of `targets`; `paces` holds what was seen of them before."""
    plan = _first_round(spec, targets)
    times = requests_of(spec, targets)
    bounds = {target.ref: _bound(spec, target, times) for target in targets}
    known = [bound for bound in bounds.values() if bound is not None]
    by_name = {(target.provider, target.model): target for target in targets}
    lanes = [
        sum(times[key] * _request_s(spec, key, by_name[key[:2]], paces) for key in lane)
        for lane in plan.lanes.values()
    ]
    return Estimate(
        requests=sum(times.values()),
        warmups=sum(key.warmup for key in times),
        seconds=max(lanes, default=0.0),
        usd=math.fsum(known) if known else None,
        unpriced=tuple(t.label or t.model for t in targets if bounds[t.ref] is None),
        notices=tuple(notice.text for notice in plan.notices),
        simulated=all(target.simulated for target in targets),
    )


def requests_of(spec: BenchmarkSpec, targets: Sequence[Target]) -> dict[SampleKey, int]:
    """How often each request of the first round is made over all runs."""
    lanes = _first_round(spec, targets).lanes.values()
    return {key: 1 if key.warmup else spec.runs for lane in lanes for key in lane}


def _first_round(spec: BenchmarkSpec, targets: Sequence[Target]) -> Plan:
    """The plan of a single run: all rounds are alike, and a thousand need not be laid out."""
    return make_plan(spec.model_copy(update={"runs": 1}), targets)


def _bound(spec: BenchmarkSpec, target: Target, times: Mapping[SampleKey, int]) -> float | None:
    """At most so many USD for the requests of `target`; None when its price is unknown."""
    price = price_of(target)
    if price is None:
        return None
    texts = len(spec.prompt.encode()) + len(target.system_prompt.encode())
    asked = math.ceil(texts / BYTES_PER_TOKEN) + PROMPT_EXTRA_TOKENS
    total = 0.0
    for key, requests in times.items():
        if key[:2] == (target.provider, target.model):
            filler = math.ceil(key.context_tokens * TIER_TOLERANCE)
            tokens = Tokens(input=asked + filler, output=_longest(spec, target))
            total += requests * (cost_usd(tokens, price) or 0.0)
    return total


def _request_s(
    spec: BenchmarkSpec, key: SampleKey, target: Target, paces: Mapping[TargetRef, Pace]
) -> float:
    """About how long one request takes, in seconds."""
    pace = paces.get(target.ref, UNKNOWN_PACE)
    reading = key.context_tokens / pace.input_tps
    return pace.ttft_s + reading + _longest(spec, target) / pace.output_tps


def _longest(spec: BenchmarkSpec, target: Target) -> int:
    return min(spec.max_tokens, target.max_output_tokens or spec.max_tokens)
