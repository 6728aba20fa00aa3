"""Runs a benchmark: spec and targets in, events out. (Load levels: `engine.speed.load`.)

Providers run in parallel, each in its own lane; inside a lane one request is open at a
time. All sockets are read by one event loop in a thread of its own; preparing and decoding
happen in another, and the consumer (database, terminal) in the caller's.
"""

from __future__ import annotations

import asyncio
import queue
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from engine.cancel import CancelToken
from engine.environment import describe_environment
from engine.events import Event, Finished, Notice, SampleDone, SampleFailed, SampleStarted, Started
from engine.llm.ask import Asked, Asker
from engine.llm.request import ChatRequest
from engine.pricing import price_of
from engine.quiet import short_slices
from engine.samples import LevelKey, Sample, SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.filler import build_prompt
from engine.speed.metrics import measure
from engine.speed.pending import refuse_pending
from engine.speed.plan import make_plan
from engine.targets import Target

# A target that never answered and failed this often for a reason that will not pass is
# left out of the rest of the run.
GIVE_UP_AFTER = 3
_LASTING = frozenset({"auth", "connect", "unsupported"})

Emit = Callable[[Event], None]


def run_benchmark(
    spec: BenchmarkSpec,
    targets: Sequence[Target],
    *,
    cancel: CancelToken,
    stored: frozenset[SampleKey] = frozenset(),
    levels: frozenset[LevelKey] = frozenset(),
) -> Iterator[Event]:
    """Take every planned sample that is not in `stored` (with `spec.load`: run every level
    that is not in `levels`), and yield what happens.

    The first event is `Started`, the last `Finished`. What a provider does wrong becomes a
    failed sample, never an exception. Closing the iterator cancels the run.
    """
    refuse_pending(spec)
    if spec.load is not None:
        from engine.speed.load.runner import run_load

        yield from run_load(spec, spec.load, targets, cancel=cancel, stored=levels)
        return
    plan = make_plan(spec, targets)
    yield Started(plan.total, describe_environment())
    yield from plan.notices
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    lanes = {name: [key for key in keys if key not in stored] for name, keys in plan.lanes.items()}
    by_key = {(target.provider, target.model): target for target in targets}

    def work() -> None:
        with short_slices(), ThreadPoolExecutor(2, thread_name_prefix="decode") as cpu:
            asyncio.run(_run_lanes(spec, lanes, by_key, cancel, cpu, events.put))

    with ThreadPoolExecutor(1, thread_name_prefix="engine") as engine:
        working = engine.submit(work)
        working.add_done_callback(lambda _: events.put(None))
        try:
            while (event := events.get()) is not None:
                yield event
        finally:
            if not working.done():
                cancel.cancel()
        working.result()
    reason = cancel.reason
    yield Finished("cancelled" if reason == "cancelled" else "deadline" if reason else "complete")


async def _run_lanes(
    spec: BenchmarkSpec,
    lanes: dict[str, list[SampleKey]],
    targets: dict[tuple[str, str], Target],
    cancel: CancelToken,
    cpu: Executor,
    emit: Emit,
) -> None:
    async with asyncio.TaskGroup() as group:
        for keys in lanes.values():
            group.create_task(_Lane(spec, targets, cancel, cpu, emit).run(keys))


class _Lane:
    """One provider's requests, one after the other."""

    def __init__(
        self,
        spec: BenchmarkSpec,
        targets: dict[tuple[str, str], Target],
        cancel: CancelToken,
        cpu: Executor,
        emit: Emit,
    ) -> None:
        self._spec, self._targets, self._cancel = spec, targets, cancel
        self._cpu, self._emit = cpu, emit
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
                sample = await self._take(key)
                if sample is None:
                    return
                self._emit(SampleDone(sample) if sample.ok else SampleFailed(sample))
                self._look(sample, keys[position + 1 :])
        finally:
            for asker in self._askers.values():
                asker.close()

    async def _take(self, key: SampleKey) -> Sample | None:
        """One sample; None when the run was cancelled before anything was sent."""
        target = self._targets[key.provider, key.model]
        loop = asyncio.get_running_loop()
        prompt = await loop.run_in_executor(
            self._cpu, build_prompt, self._spec.prompt, key.context_tokens, key, self._spec.seed
        )
        request = ChatRequest(
            messages=({"role": "user", "content": prompt},),
            max_tokens=self._spec.max_tokens,
            temperature=self._spec.temperature,
        )
        asked = await self._asker(target).ask(request, lambda: self._emit(SampleStarted(key)))
        if asked.cancelled and asked.capture is None:
            return None
        return await loop.run_in_executor(
            self._cpu, _measured, key, asked, target, target.system_prompt + prompt
        )

    def _asker(self, target: Target) -> Asker:
        if target.model not in self._askers:
            self._askers[target.model] = Asker(
                target,
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
        if sample.ok or sample.error not in _LASTING:
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

    def _notice(self, sample: Sample, code: str, text: str, dropped: int = 0) -> None:
        ref = self._targets[sample.key.provider, sample.key.model].ref
        if (code, ref.model) not in self._noticed:
            self._noticed.add((code, ref.model))
            self._emit(Notice(code, text, ref, dropped))


def _measured(key: SampleKey, asked: Asked, target: Target, prompt_text: str) -> Sample:
    return measure(key, asked, price_of(target), prompt_text)
