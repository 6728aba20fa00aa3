"""Runs a load benchmark: targets one after another, each tier level by level.

The consumer sees the same events as from a sequential run, and a `LevelDone` after the
last sample of each level. A level that was cut short is repeated whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from engine.cancel import CancelToken
from engine.environment import describe_environment
from engine.events import Event, Finished, LevelDone, Notice, SampleDone, SampleFailed, Started
from engine.llm.errors import ProviderError
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest, PreparedRequest
from engine.llm.tokens import count_tokens
from engine.pricing import cost_usd, price_of
from engine.samples import LevelKey, Sample, SampleKey, unpack_arrivals
from engine.specs import BenchmarkSpec, LoadSpec
from engine.speed.filler import prompt_with
from engine.speed.levels import SATURATION_GAIN, Level, levels_of
from engine.speed.load.levels import Pressed, processes_for, run_level
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.work import NONCE, Stream
from engine.speed.plan import make_plan, skip_notice
from engine.targets import Target

# Different shuffles of the filler among the requests of a level.
SHUFFLES = 8


def run_load(
    spec: BenchmarkSpec,
    load: LoadSpec,
    targets: Sequence[Target],
    *,
    cancel: CancelToken,
    stored: frozenset[LevelKey] = frozenset(),
) -> Iterator[Event]:
    """Run every level that is not in `stored`; the first event is `Started`, the last
    `Finished`. Raises `pool.GeneratorDied` when a generator process is lost."""
    plan = make_plan(spec, targets)
    yield Started(plan.total, describe_environment())
    yield from plan.notices
    work = [
        _Work(spec, load, target, tier)
        for target in targets
        for tier in spec.context_tiers
        if skip_notice(spec, target, tier) is None
    ]
    processes = max((processes_for(level, 1) for level in levels_of(load)), default=1)
    with GeneratorPool(processes) as pool:
        for item in work:
            if not cancel.reason:
                yield from item.run(pool, cancel, stored)
    reason = cancel.reason
    yield Finished("cancelled" if reason == "cancelled" else "deadline" if reason else "complete")


@dataclass(slots=True)
class _Work:
    """One target at one context size: warm-up, then the levels."""

    spec: BenchmarkSpec
    load: LoadSpec
    target: Target
    tier: int

    @property
    def total(self) -> int:
        """Planned requests; a level that ends by time counts none before it ran."""
        return self.spec.warmup + sum(level.requests or 0 for level in levels_of(self.load))

    def run(
        self, pool: GeneratorPool, cancel: CancelToken, stored: frozenset[LevelKey]
    ) -> Iterator[Event]:
        if all(LevelKey(*self._where, level.label) in stored for level in levels_of(self.load)):
            return
        try:
            prompt = prompt_with(NONCE, self.spec.prompt, self.tier, random.Random(0))
            prepared = self._prepared()
        except ProviderError as error:
            yield self._left_out(error.message)
            return
        warm: list[Sample] = []
        for event in self._warm_up(pool, prepared, prompt, cancel):
            warm.append(event.sample)
            yield event
        if self.spec.warmup and not any(sample.ok for sample in warm):
            if not cancel.reason:
                yield self._left_out(warm[-1].message if warm else "the warm-up did not answer")
            return
        yield from self._levels(pool, prepared, prompt, warm, cancel, stored)

    def _left_out(self, why: str | None) -> Notice:
        label = self.target.label or self.target.model
        return Notice("target_left_out", f"{label} is left out: {why}", self.target.ref, self.total)

    def _prepared(self) -> list[PreparedRequest]:
        shuffles = SHUFFLES if self.tier else 1
        return [prepare(self.target, self._request(number)) for number in range(shuffles)]

    def _request(self, number: int) -> ChatRequest:
        shuffle = random.Random(f"{self.spec.seed}:{number}")
        text = prompt_with(NONCE, self.spec.prompt, self.tier, shuffle)
        return ChatRequest(
            messages=({"role": "user", "content": text},),
            max_tokens=self.spec.max_tokens,
            temperature=self.spec.temperature,
        )

    def _warm_up(
        self,
        pool: GeneratorPool,
        prepared: Sequence[PreparedRequest],
        prompt: str,
        cancel: CancelToken,
    ) -> Iterator[SampleDone | SampleFailed]:
        if not self.spec.warmup:
            return
        pressed = Pressed(self.target, prepared, self.spec.timeout_s, self.spec.seed + 1)
        for told in run_level(pool, Level("closed", 1, self.spec.warmup), pressed, cancel):
            if isinstance(told, Stream):
                key = SampleKey(*self._where, told.number, True)
                yield _told(_finished(told, key, self.target, prompt))

    @property
    def _where(self) -> tuple[str, str, int]:
        return self.target.provider, self.target.model, self.tier

    def _levels(
        self,
        pool: GeneratorPool,
        prepared: Sequence[PreparedRequest],
        prompt: str,
        warm: Sequence[Sample],
        cancel: CancelToken,
        stored: frozenset[LevelKey],
    ) -> Iterator[Event]:
        times = [sample.total_ms for sample in warm if sample.ok and sample.total_ms]
        best = 0.0
        levels = levels_of(self.load)
        for position, level in enumerate(levels):
            where = LevelKey(*self._where, level.label)
            if where in stored or cancel.reason:
                continue
            samples: list[Sample] = []
            pressed = Pressed(
                self.target,
                prepared,
                self.spec.timeout_s,
                self.spec.seed + 2 + position,
                service_s=median(times) / 1e3 if times else 0.0,
                estimates=any(sample.tokens.source == "estimate" for sample in warm),
            )
            for told in run_level(pool, level, pressed, cancel):
                if isinstance(told, Stream):
                    key = SampleKey(*self._where, told.number, False, level.label)
                    samples.append(_finished(told, key, self.target, prompt))
                    yield _told(samples[-1])
                elif not cancel.reason:
                    yield LevelDone(where, told)
            reached = _throughput(samples)
            if self.load.stop_at_saturation and best and reached < best * (1 + SATURATION_GAIN):
                yield from self._saturated(level, levels[position + 1 :])
                return
            best = max(best, reached)

    def _saturated(self, level: Level, left: Sequence[Level]) -> Iterator[Notice]:
        if not left:
            return
        label = self.target.label or self.target.model
        what = "streams" if level.arrivals == "closed" else "requests/s"
        yield Notice(
            "saturated",
            f"{label} is saturated at {level.value:g} {what}: this level added less than "
            f"{SATURATION_GAIN:.0%} of throughput, so higher ones were left out.",
            self.target.ref,
            sum(item.requests or 0 for item in left),
        )


def _told(sample: Sample) -> SampleDone | SampleFailed:
    return SampleDone(sample) if sample.ok else SampleFailed(sample)


def _finished(stream: Stream, key: SampleKey, target: Target, prompt: str) -> Sample:
    """The sample of a stream: what only this process knows is filled in."""
    sample = stream.sample
    tokens = sample.tokens
    if tokens.source == "estimate":
        tokens = replace(tokens, input=count_tokens(target.system_prompt + prompt))
    price = price_of(target)
    delay = (sample.start_ns - stream.planned_ns) / 1e6 if sample.start_ns else None
    return replace(
        sample,
        key=key,
        tokens=tokens,
        cost_usd=cost_usd(tokens, price) if price and sample.ok else None,
        delay_ms=delay,
        arrivals=unpack_arrivals(stream.arrivals),
    )


def _throughput(samples: Sequence[Sample]) -> float:
    """Output tokens a second over the level, 0 when nothing was answered."""
    ok = [s for s in samples if s.ok and s.total_ms is not None]
    if not ok:
        return 0.0
    start = min(s.started_at for s in ok)
    end = max(s.started_at + (s.total_ms or 0.0) / 1e3 for s in ok)
    return sum(s.tokens.output or len(s.arrivals) for s in ok) / max(end - start, 1e-9)
