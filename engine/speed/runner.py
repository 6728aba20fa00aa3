"""Runs a benchmark: spec and targets in, events out. (Load levels: `engine.speed.load`.)

Providers run in parallel, each in its own lane; inside a lane one request is open at a
time. All sockets are read by one event loop in a thread of its own; preparing and decoding
happen in another, and the consumer (database, terminal) in the caller's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from engine.cancel import CancelToken
from engine.environment import describe_environment
from engine.events import Event, Finished, Notice, SampleDone, SampleFailed, SampleStarted, Started
from engine.llm.ask import Asked, Asker
from engine.llm.errors import GIVE_UP_AFTER, LASTING
from engine.llm.tokens import tokenizer_of
from engine.loop import Emit, events_of
from engine.pricing import price_of
from engine.samples import LevelKey, Sample, SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.budget import Budget
from engine.speed.metrics import counted_otherwise, measure
from engine.speed.plan import make_plan, still_to_take
from engine.speed.recall import recalled
from engine.speed.workload import Question, Workload
from engine.targets import Target


def run_benchmark(
    spec: BenchmarkSpec,
    targets: Sequence[Target],
    *,
    cancel: CancelToken,
    stored: frozenset[SampleKey] = frozenset(),
    levels: frozenset[LevelKey] = frozenset(),
    spent_usd: float = 0.0,
) -> Iterator[Event]:
    """Take every planned sample that is not in `stored` (with `spec.load`: run every level
    that is not in `levels`), and yield what happens. `spent_usd` of the budget is gone
    already.

    The first event is `Started`, the last `Finished`. What a provider does wrong becomes a
    failed sample, never an exception. Closing the iterator cancels the run.
    """
    if spec.load is not None:
        from engine.speed.load.runner import run_load

        budget = Budget(spec.budget_usd, spent_usd)
        yield from run_load(spec, spec.load, targets, cancel=cancel, stored=levels, budget=budget)
        return
    plan = make_plan(spec, targets)
    lanes = {name: still_to_take(spec, keys, stored) for name, keys in plan.lanes.items()}
    yield Started(len(stored.union(*lanes.values())), describe_environment())
    yield from plan.notices
    budget = Budget(spec.budget_usd, spent_usd)

    async def work(cpu: Executor, emit: Emit) -> None:
        await _run_lanes(_Run(spec, targets, budget, cancel, cpu, emit), lanes)

    yield from events_of(work, cancel)
    yield from ending(cancel, budget)


def ending(cancel: CancelToken, budget: Budget) -> Iterator[Notice | Finished]:
    """The last events of a run."""
    stopped = budget.left_out is not None and cancel.reason is None
    if stopped:
        yield budget.notice()
    match cancel.reason:
        case "cancelled":
            yield Finished("cancelled")
        case None:
            yield Finished("budget" if stopped else "complete")
        case _:
            yield Finished("deadline")


class _Run:
    """What the lanes of a run share."""

    def __init__(
        self,
        spec: BenchmarkSpec,
        targets: Sequence[Target],
        budget: Budget,
        cancel: CancelToken,
        cpu: Executor,
        emit: Emit,
    ) -> None:
        self.spec, self.budget, self.cancel, self.cpu, self.emit = spec, budget, cancel, cpu, emit
        self.targets = {(target.provider, target.model): target for target in targets}
        self.workload = Workload(spec)


async def _run_lanes(run: _Run, lanes: dict[str, list[SampleKey]]) -> None:
    async with asyncio.TaskGroup() as group:
        for keys in lanes.values():
            group.create_task(_Lane(run).run(keys))


class _Lane:
    """One provider's requests, one after the other."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._spec, self._targets, self._cancel = run.spec, run.targets, run.cancel
        self._cpu, self._emit = run.cpu, run.emit
        self._askers: dict[str, Asker] = {}
        self._failures: dict[str, int] = {}
        self._noticed: set[tuple[str, str]] = set()

    async def run(self, keys: Sequence[SampleKey]) -> None:
        try:
            for position, key in enumerate(keys):
                if self._cancel.reason:
                    return
                if self._failures.get(key.model, 0) >= GIVE_UP_AFTER:
                    continue
                if self._run.budget.reached:
                    self._run.budget.leave_out(1)
                    continue
                sample = await self._take(key)
                if sample is None:
                    return
                self._run.budget.add(sample)
                self._emit(SampleDone(sample) if sample.ok else SampleFailed(sample))
                self._look(sample, keys[position + 1 :])
                await self._recount(sample)
        finally:
            for asker in self._askers.values():
                asker.close()

    async def _take(self, key: SampleKey) -> Sample | None:
        """One sample; None when the run was cancelled before anything was sent."""
        target = self._targets[key.provider, key.model]
        loop = asyncio.get_running_loop()
        question = await loop.run_in_executor(self._cpu, self._run.workload.question, key, target)
        asker = self._asker(target)
        asked = await asker.ask(question.request, lambda: self._emit(SampleStarted(key)))
        if asked.cancelled and asked.capture is None:
            return None
        return await loop.run_in_executor(self._cpu, _measured, key, asked, target, question)

    def _asker(self, target: Target) -> Asker:
        if target.model not in self._askers:
            self._askers[target.model] = Asker(
                replace(target, system_prompt=""),  # it is part of the question
                self._cpu,
                self._cancel,
                timeout_s=self._spec.timeout_s,
                retries=self._spec.retries,
                jitter=random.Random(f"{self._spec.seed}:{target.ref}"),
            )
        return self._askers[target.model]

    def _look(self, sample: Sample, rest: Sequence[SampleKey]) -> None:
        """Notice what the user should know, and give up on a target that cannot be asked."""
        model = sample.key.model
        if sample.ok or sample.error not in LASTING:
            self._failures[model] = -len(rest) - GIVE_UP_AFTER if sample.ok else 0
        else:
            self._failures[model] = self._failures.get(model, 0) + 1
        left = sum(1 for key in rest if key.model == model)
        label = self._targets[sample.key.provider, model].label or model
        if self._failures[model] == GIVE_UP_AFTER and left:
            self._notice(
                sample,
                "target_left_out",
                f"{label} is left out after {GIVE_UP_AFTER} failed requests: {sample.message}",
                left,
            )
        if sample.ok and sample.tokens.source == "estimate":
            text = f"{label} reports no token usage; its counts are estimates and so are its rates."
            self._notice(sample, "no_usage", text)
        if sample.ok and sample.bundled:
            text = (
                f"{label} sends several tokens in one event; gaps between single tokens cannot "
                "be seen, only their mean."
            )
            self._notice(sample, "bundled", text)

    async def _recount(self, sample: Sample) -> None:
        """Hold the provider's count against its own tokenizer's, where that is at hand."""
        target = self._targets[sample.key.provider, sample.key.model]
        tokenizer = tokenizer_of(target.litellm_model)
        if tokenizer is None or ("counts_differ", target.model) in self._noticed:
            return
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._cpu, counted_otherwise, sample, tokenizer)
        if found is not None:
            text = (
                f"{target.label or target.model} reports {sample.tokens.output:,} tokens for an "
                f"answer in which its tokenizer finds {found:,}; rates follow its report."
            )
            self._notice(sample, "counts_differ", text)

    def _notice(self, sample: Sample, code: str, text: str, dropped: int = 0) -> None:
        ref = self._targets[sample.key.provider, sample.key.model].ref
        if (code, ref.model) not in self._noticed:
            self._noticed.add((code, ref.model))
            self._emit(Notice(code, text, ref, dropped))


def _measured(key: SampleKey, asked: Asked, target: Target, question: Question) -> Sample:
    tokenizer = tokenizer_of(target.litellm_model)
    sample = measure(key, asked, price_of(target), question.text, tokenizer)
    recall = recalled(sample, question.fact)
    return replace(sample, prompt_index=question.index, recall=recall)
