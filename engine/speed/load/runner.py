"""Runs a load benchmark: targets one after another, each tier level by level.

The consumer sees the same events as from a sequential run, and a `LevelDone` after the
last sample of each level. A level that was cut short is repeated whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from engine.cancel import CancelToken
from engine.environment import describe_environment
from engine.events import Event, LevelDone, Notice, SampleDone, SampleFailed, Started
from engine.llm.errors import ProviderError
from engine.llm.prepare import prepare
from engine.llm.request import PreparedRequest
from engine.llm.tokens import count_tokens
from engine.pricing import cost_usd, price_of
from engine.samples import LevelKey, Sample, SampleKey, unpack_arrivals
from engine.specs import BenchmarkSpec, LoadSpec
from engine.speed.budget import BUDGET_ENDED, Budget
from engine.speed.levels import SATURATION_GAIN, Level, levels_of
from engine.speed.load.levels import Pressed, processes_for, run_level
from engine.speed.load.pool import GeneratorPool
from engine.speed.load.work import NONCE, Stream
from engine.speed.plan import make_plan, skip_notice, warmups_of
from engine.speed.recall import recalled
from engine.speed.runner import ending
from engine.speed.steady import steady, tokens_within
from engine.speed.workload import Question, Workload
from engine.targets import Target


def run_load(
    spec: BenchmarkSpec,
    load: LoadSpec,
    targets: Sequence[Target],
    *,
    cancel: CancelToken,
    stored: frozenset[LevelKey] = frozenset(),
    budget: Budget | None = None,
    workload: Workload | None = None,
) -> Iterator[Event]:
    """Run every level that is not in `stored`; the first event is `Started`, the last
    `Finished`. Raises `pool.GeneratorDied` when a generator process is lost."""
    plan = make_plan(spec, targets)
    yield Started(plan.total, describe_environment())
    yield from plan.notices
    budget, workload = budget or Budget(None), workload or Workload(spec)
    processes = max((processes_for(level, 1) for level in levels_of(load)), default=1)
    with GeneratorPool(processes) as pool:
        for target in targets:
            for tier in spec.context_tiers:
                if skip_notice(spec, target, tier) is None and not cancel.reason:
                    work = _Work(spec, load, target, tier, workload, budget, pool, cancel)
                    yield from work.run(stored)
    yield from ending(cancel, budget)


@dataclass(slots=True)
class _Work:
    """One target at one context size: warm-up, then the levels."""

    spec: BenchmarkSpec
    load: LoadSpec
    target: Target
    tier: int
    workload: Workload
    budget: Budget
    pool: GeneratorPool
    cancel: CancelToken
    questions: list[Question] = field(default_factory=list)
    prepared: list[PreparedRequest] = field(default_factory=list)
    counted: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Planned requests; a level that ends by time counts none before it ran."""
        return warmups_of(self.spec) + _requests(levels_of(self.load))

    def run(self, stored: frozenset[LevelKey]) -> Iterator[Event]:
        if all(LevelKey(*self._where, level.label) in stored for level in levels_of(self.load)):
            return
        if self.budget.reached:
            self.budget.leave_out(self.total)
            return
        try:
            self._prepare()
        except ProviderError as error:
            yield self._left_out(error.message)
            return
        if self.cancel.reason:
            return
        warm: list[Sample] = []
        for event in self._warm_up():
            warm.append(event.sample)
            yield event
        if warmups_of(self.spec) and not any(sample.ok for sample in warm):
            if not self.cancel.reason:
                yield self._left_out(warm[-1].message if warm else "the warm-up did not answer")
            return
        yield from self._levels(warm, stored)

    def _left_out(self, why: str | None) -> Notice:
        label = self.target.label or self.target.model
        return Notice("target_left_out", f"{label} is left out: {why}", self.target.ref, self.total)

    def _prepare(self) -> None:
        asked = replace(self.target, system_prompt="")  # it is part of the questions
        self.questions = self.workload.load_questions(self.target, self.tier, NONCE)
        for question in self.questions:  # a thousand of them can take LiteLLM seconds
            if not self.cancel.reason:
                self.prepared.append(prepare(asked, question.request))

    def _warm_up(self) -> Iterator[SampleDone | SampleFailed]:
        warmups = warmups_of(self.spec)
        if not warmups:
            return
        pressed = self._pressed("warm-up", self.spec.seed + 1)
        for told in run_level(self.pool, Level("closed", 1, warmups), pressed, self.cancel):
            if isinstance(told, Stream):
                yield _told(self._finished(told, SampleKey(*self._where, told.number, True)))

    def _pressed(self, label: str, seed: int, **more: Any) -> Pressed:
        nonces = self.workload.nonces(LevelKey(*self._where, label))
        more["text_chars"] = 2_000 if self.spec.recall else 200
        return Pressed(self.target, self.prepared, self.spec.timeout_s, seed, nonces, **more)

    @property
    def _where(self) -> tuple[str, str, int]:
        return self.target.provider, self.target.model, self.tier

    def _levels(self, warm: Sequence[Sample], stored: frozenset[LevelKey]) -> Iterator[Event]:
        times = [sample.total_ms for sample in warm if sample.ok and sample.total_ms]
        best = 0.0
        levels = levels_of(self.load)
        for position, level in enumerate(levels):
            if LevelKey(*self._where, level.label) in stored or self.cancel.reason:
                continue
            if self.budget.reached:
                self.budget.leave_out(_requests(levels[position:]))
                return
            samples: list[Sample] = []
            pressed = self._pressed(
                level.label,
                self.spec.seed + 2 + position,
                service_s=median(times) / 1e3 if times else 0.0,
                estimates=any(sample.tokens.source == "estimate" for sample in warm),
            )
            yield from self._level(level, pressed, samples)
            reached = _throughput(level, samples)
            if self.load.stop_at_saturation and best and reached < best * (1 + SATURATION_GAIN):
                yield from self._saturated(level, levels[position + 1 :])
                return
            best = max(best, reached)

    def _level(self, level: Level, pressed: Pressed, samples: list[Sample]) -> Iterator[Event]:
        """Run a level; its samples are also put into `samples`. When they have spent the
        budget, what is still open ends incomplete."""
        token = CancelToken(parent=self.cancel)
        where = LevelKey(*self._where, level.label)
        for told in run_level(self.pool, level, pressed, token):
            if isinstance(told, Stream):
                key = SampleKey(*self._where, told.number, False, level.label)
                cut = bool(token.reason) and not self.cancel.reason
                samples.append(self._ended(self._finished(told, key), cut))
                yield _told(samples[-1])
                if self.budget.reached:
                    token.cancel()
            elif not self.cancel.reason:
                yield LevelDone(where, told)
        if token.reason and not self.cancel.reason and not _whole(level, samples):
            self.budget.leave_out(max(0, (level.requests or 0) - len(samples)))

    def _ended(self, sample: Sample, cut: bool) -> Sample:
        """A sample says when it was the budget that `cut` it."""
        if not cut or sample.outcome != "incomplete":
            return sample
        self.budget.cut += 1
        return replace(sample, message=BUDGET_ENDED)

    def _finished(self, stream: Stream, key: SampleKey) -> Sample:
        """The sample of a stream: what only this process knows is filled in."""
        which = stream.number % len(self.questions)
        question, sample, price = self.questions[which], stream.sample, price_of(self.target)
        tokens = sample.tokens
        if tokens.source == "estimate":
            if which not in self.counted:
                self.counted[which] = count_tokens(question.text)
            tokens = replace(tokens, input=self.counted[which])
        finished = replace(
            sample,
            key=key,
            tokens=tokens,
            cost_usd=cost_usd(tokens, price) if price else None,
            delay_ms=(sample.start_ns - stream.planned_ns) / 1e6 if sample.start_ns else None,
            prompt_index=question.index,
            recall=recalled(sample, question.fact),
            arrivals=unpack_arrivals(stream.arrivals),
        )
        self.budget.add(finished)
        return finished

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
            _requests(left),
        )


def _told(sample: Sample) -> SampleDone | SampleFailed:
    return SampleDone(sample) if sample.ok else SampleFailed(sample)


def _requests(levels: Sequence[Level]) -> int:
    return sum(level.requests or 0 for level in levels)


def _whole(level: Level, samples: Sequence[Sample]) -> bool:
    """Whether a level with a number of requests took all of them."""
    return (
        level.requests is not None
        and sum(s.outcome != "incomplete" for s in samples) >= level.requests
    )


def _throughput(level: Level, samples: Sequence[Sample]) -> float:
    """Output tokens a second of the level at full strength, 0 when nothing was answered."""
    ok = [s for s in samples if s.ok and s.total_ms is not None]
    if not ok:
        return 0.0
    if window := steady(samples, level.concurrency):
        return tokens_within(ok, window) / window.seconds
    start = min(s.started_at for s in ok)
    end = max(s.started_at + (s.total_ms or 0.0) / 1e3 for s in ok)
    return sum(s.tokens.output or 0 for s in ok) / max(end - start, 1e-9)
