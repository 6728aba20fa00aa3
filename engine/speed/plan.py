"""The plan of a benchmark: which samples are taken, by whom, in which order.

Pure and cheap, so that the form can show the consequence while one types.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.events import Notice
from engine.pricing import price_of
from engine.samples import SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.fixed_output import can_fix_output
from engine.speed.levels import levels_of
from engine.targets import Target

# Room left in the window for the chat template and counting differences, in tokens.
WINDOW_MARGIN = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """`lanes` maps a provider to its samples in order; lanes run in parallel, and inside a
    lane one request at a time. `notices` name what is left out, and why."""

    lanes: dict[str, tuple[SampleKey, ...]]
    notices: tuple[Notice, ...]

    @property
    def total(self) -> int:
        return sum(len(keys) for keys in self.lanes.values())


def make_plan(spec: BenchmarkSpec, targets: Sequence[Target]) -> Plan:
    """Lay out a run: warm-ups first, then tier by tier, models in A B B A order over the
    runs, so that drift of the hour does not become a difference between models.

    Load levels follow each other target by target; a level that ends by time alone has no
    number of requests yet and stands for none."""
    notices: list[Notice] = []
    lanes: dict[str, tuple[SampleKey, ...]] = {}
    lane = _load_lane if spec.load else _lane
    for provider in dict.fromkeys(target.provider for target in targets):
        members = [target for target in targets if target.provider == provider]
        lanes[provider] = tuple(lane(spec, members, notices))
    return Plan(lanes, (*notices, *_limits(spec, targets)))


def warmups_of(spec: BenchmarkSpec) -> int:
    """Warm-ups of a target; a warm cache needs at least the request that primes it."""
    return max(1, spec.warmup) if spec.cache == "warm" else spec.warmup


def still_to_take(
    spec: BenchmarkSpec, lane: Sequence[SampleKey], stored: frozenset[SampleKey]
) -> list[SampleKey]:
    """The samples of `lane` that are not stored. A cache that an earlier attempt had warmed
    answers nothing any more, so a resumed run primes each target and size once more."""
    left: list[SampleKey] = []
    primed: set[tuple[str, int]] = set()
    for key in lane:
        if key in stored:
            continue
        place = (key.model, key.context_tokens)
        if spec.cache == "warm" and not key.warmup and place not in primed:
            left.append(key._replace(run=_next_warmup(key, stored), warmup=True))
        primed.add(place)
        left.append(key)
    return left


def _next_warmup(key: SampleKey, stored: frozenset[SampleKey]) -> int:
    taken = (one.run for one in stored if one.warmup and one[:3] == key[:3])
    return max(taken, default=-1) + 1


def _limits(spec: BenchmarkSpec, targets: Sequence[Target]) -> Iterable[Notice]:
    """What was asked for and cannot be had from a target."""
    for target in targets:
        label = target.label or target.model
        if spec.fixed_output and not can_fix_output(target):
            text = f"{label} cannot be told to write answers of one length; they may differ."
            yield Notice("no_fixed_output", text, target.ref)
        if spec.budget_usd is not None and price_of(target) is None:
            text = f"The price of {label} is not known, so its cost is outside the budget."
            yield Notice("budget_unpriced", text, target.ref)


def skip_notice(spec: BenchmarkSpec, target: Target, tier: int) -> Notice | None:
    """Why this tier is skipped for this target, or None when it fits the window."""
    window, longest = target.context_window, _longest(spec)
    if tier == 0 or window is None or tier <= window - longest - WINDOW_MARGIN:
        return None
    text = (
        f"{target.label or target.model} is skipped at {tier:,} tokens: its window is "
        f"{window:,} tokens, and {longest:,} for the answer plus a margin of "
        f"{WINDOW_MARGIN} do not fit beside it."
    )
    return Notice("tier_skipped", text, target.ref)


def _longest(spec: BenchmarkSpec) -> int:
    """The longest answer that is asked for, in tokens."""
    return max(
        (item.max_tokens or spec.max_tokens for item in spec.prompts), default=spec.max_tokens
    )


def _lane(
    spec: BenchmarkSpec, targets: Sequence[Target], notices: list[Notice]
) -> Iterable[SampleKey]:
    warm: set[str] = set()
    for tier in spec.context_tiers:
        fitting = []
        for target in targets:
            notice = skip_notice(spec, target, tier)
            if notice is None:
                fitting.append(target)
            else:
                notices.append(notice)
        for target in fitting:
            if target.model not in warm or spec.cache == "warm":
                warm.add(target.model)
                for run in range(warmups_of(spec)):
                    yield SampleKey(target.provider, target.model, tier, run, True)
        for run in range(spec.runs):
            for target in fitting if run % 2 == 0 else reversed(fitting):
                yield SampleKey(target.provider, target.model, tier, run, False)


def _load_lane(
    spec: BenchmarkSpec, targets: Sequence[Target], notices: list[Notice]
) -> Iterable[SampleKey]:
    levels = levels_of(spec.load) if spec.load else []
    for target in targets:
        for tier in spec.context_tiers:
            if notice := skip_notice(spec, target, tier):
                notices.append(notice)
                continue
            where = (target.provider, target.model, tier)
            for run in range(warmups_of(spec)):
                yield SampleKey(*where, run, True)
            for level in levels:
                for run in range(level.requests or 0):
                    yield SampleKey(*where, run, False, level.label)
