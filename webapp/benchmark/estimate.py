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
from engine.specs import BenchmarkSpec, LoadSpec, TargetRef
from engine.speed.levels import Level, levels_of
from engine.speed.plan import Plan, make_plan, skip_notice, warmups_of
from engine.targets import Target

# Bytes of text a token; real text has more, so the estimate is not too low.
BYTES_PER_TOKEN = 3
# The nonce that begins every prompt and the chat template around it, in tokens.
PROMPT_EXTRA_TOKENS = 40
# Filler is made to within 1 % of its tier.
TIER_TOLERANCE = 1.01
# The hidden fact and the question for it.
RECALL_TOKENS = 80


class Pace(NamedTuple):
    """How fast a model answers: seconds to the first token, and tokens per second."""

    ttft_s: float
    output_tps: float
    input_tps: float = 3_000.0


# A model of middling speed, for those that were never measured.
UNKNOWN_PACE = Pace(1.0, 60.0)
NO_PACES: Mapping[TargetRef, Pace] = {}


@dataclass(frozen=True, slots=True)
class Estimate:
    """`seconds` is a rough forecast; `usd` an upper bound of the targets whose price is
    known (None when no price is), `unpriced` the labels of the others. `notices` are
    sentences about what is skipped; `warmups` is part of `requests`; `budget_usd` ends the run
    early."""

    requests: int
    warmups: int
    seconds: float
    usd: float | None
    unpriced: tuple[str, ...]
    notices: tuple[str, ...]
    simulated: bool
    budget_usd: float | None = None


def estimate(
    spec: BenchmarkSpec, targets: Sequence[Target], paces: Mapping[TargetRef, Pace]
) -> Estimate:
    """What `spec` will ask of `targets`; `paces` holds what was seen of them before."""
    times = requests_of(spec, targets, paces)
    bounds = {target.ref: _bound(spec, target, times) for target in targets}
    known = [bound for bound in bounds.values() if bound is not None]
    by_name = {(target.provider, target.model): target for target in targets}
    seconds: dict[str, float] = {}
    for key, requests in times.items():
        target = by_name[key[:2]]
        lane = "" if spec.load else target.provider  # load: one target after another
        seconds[lane] = seconds.get(lane, 0.0) + _takes_s(spec, key, requests, target, paces)
    return Estimate(
        requests=sum(times.values()),
        warmups=sum(key.warmup for key in times),
        seconds=max(seconds.values(), default=0.0),
        usd=math.fsum(known) if known else None,
        unpriced=tuple(t.label or t.model for t in targets if bounds[t.ref] is None),
        notices=tuple(notice.text for notice in _first_round(spec, targets).notices),
        simulated=all(target.simulated for target in targets),
        budget_usd=spec.budget_usd,
    )


def requests_of(
    spec: BenchmarkSpec, targets: Sequence[Target], paces: Mapping[TargetRef, Pace] = NO_PACES
) -> dict[SampleKey, int]:
    """How often each request of the first round is made over all runs. A load level is one
    key; one that ends by time is counted by the pace of its target."""
    if spec.load:
        return _load_requests(spec, spec.load, targets, paces)
    lanes = _first_round(spec, targets).lanes.values()
    return {key: 1 if key.warmup else spec.runs for lane in lanes for key in lane}


def _first_round(spec: BenchmarkSpec, targets: Sequence[Target]) -> Plan:
    """The plan of a single run: all rounds are alike, and a thousand need not be laid out."""
    return make_plan(spec.model_copy(update={"runs": 1, "load": None}), targets)


def _load_requests(
    spec: BenchmarkSpec, load: LoadSpec, targets: Sequence[Target], paces: Mapping[TargetRef, Pace]
) -> dict[SampleKey, int]:
    found: dict[SampleKey, int] = {}
    for target in targets:
        for tier in spec.context_tiers:
            if skip_notice(spec, target, tier):
                continue
            where = (target.provider, target.model, tier)
            found |= {SampleKey(*where, run, True): 1 for run in range(warmups_of(spec))}
            for level in levels_of(load):
                key = SampleKey(*where, 0, False, level.label)
                found[key] = _level_requests(level, _request_s(spec, key, target, paces))
    return found


def _level_requests(level: Level, request_s: float) -> int:
    """Requests until the level ends, whichever limit comes first."""
    if level.duration_s is None:
        return level.requests or 0
    each_s = request_s / level.concurrency if level.concurrency else 1 / level.value
    timed = max(1, math.ceil(level.duration_s / each_s))
    return min(timed, level.requests) if level.requests else timed


def _takes_s(
    spec: BenchmarkSpec,
    key: SampleKey,
    requests: int,
    target: Target,
    paces: Mapping[TargetRef, Pace],
) -> float:
    """About how long `requests` requests like `key` take, in seconds."""
    one = _request_s(spec, key, target, paces)
    levels = levels_of(spec.load) if spec.load else ()
    level = next((item for item in levels if item.label == key.level), None)
    if level is None:
        return requests * one
    if level.concurrency is None:
        return requests / level.value + one
    return level.ramp_s + math.ceil(requests / level.concurrency) * one


def _bound(spec: BenchmarkSpec, target: Target, times: Mapping[SampleKey, int]) -> float | None:
    """At most so many USD for the requests of `target`; None when its price is unknown."""
    price = price_of(target)
    if price is None:
        return None
    total = 0.0
    for key, requests in times.items():
        if key[:2] == (target.provider, target.model):
            asked, answered = _lengths(spec, target, requests)
            filler = math.ceil(key.context_tokens * TIER_TOLERANCE)
            tokens = Tokens(input=asked + filler, output=answered)
            total += requests * (cost_usd(tokens, price) or 0.0)
    return total


def _lengths(spec: BenchmarkSpec, target: Target, requests: int) -> tuple[int, int]:
    """Tokens in (without filler) and out of one of `requests` requests, on average at most."""
    beside = math.ceil(len(target.system_prompt.encode()) / BYTES_PER_TOKEN) + PROMPT_EXTRA_TOKENS
    beside += RECALL_TOKENS if spec.recall else 0
    if drawn := spec.synthetic:
        # The mean of so many draws lies within three of its own deviations.
        sure = 3 / math.sqrt(max(1, requests))
        asked = math.ceil(drawn.input_mean + sure * drawn.input_std)
        return beside + asked, math.ceil(drawn.output_mean + sure * drawn.output_std)
    texts = [item.prompt for item in spec.prompts] or [spec.prompt]
    # Asked in turn: a prompt comes at most one round more often than the others.
    rounds = -(-requests // len(texts)) * len(texts) / max(1, requests)
    mean = rounds * sum(len(text.encode()) for text in texts) / len(texts)
    return beside + math.ceil(mean / BYTES_PER_TOKEN), _longest(spec, target)


def _request_s(
    spec: BenchmarkSpec, key: SampleKey, target: Target, paces: Mapping[TargetRef, Pace]
) -> float:
    """About how long one request takes, in seconds."""
    pace = paces.get(target.ref, UNKNOWN_PACE)
    asked = spec.synthetic.input_mean if spec.synthetic else key.context_tokens
    reading = asked / pace.input_tps
    return pace.ttft_s + reading + _longest(spec, target) / pace.output_tps


def _longest(spec: BenchmarkSpec, target: Target) -> int:
    if spec.synthetic:
        return spec.synthetic.output_mean
    most = max((item.max_tokens or spec.max_tokens for item in spec.prompts),
               default=spec.max_tokens)  # fmt: skip
    return min(most, target.max_output_tokens or most)
