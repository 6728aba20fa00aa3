"""One provider's part of an evaluation: trials side by side over kept connections."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from engine.cancel import CancelToken
from engine.events import CaseScored, Notice, TrialStarted
from engine.llm.ask import Asked, Asker
from engine.llm.errors import GIVE_UP_AFTER, LASTING, ProviderError
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest
from engine.loop import Emit
from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.asking import Voice, carries_choice
from engine.tools.attempt import Attempt
from engine.tools.chain_scoring import TrialScorer
from engine.tools.suites import Case, Suite
from engine.tools.trials import Trial, TrialKey

# While requests are open, garbage collection is off (engine.quiet), and here some always are.
_COLLECT_EVERY = 250


@dataclass(frozen=True, slots=True)
class World:
    """What all lanes share."""

    spec: ToolEvalSpec
    suite: Suite
    cancel: CancelToken
    cpu: Executor
    scorer: TrialScorer
    emit: Emit


class Lane:
    """One provider's trials, `concurrency` at a time."""

    def __init__(self, world: World, targets: Sequence[Target]) -> None:
        self._world = world
        self._cases = {case.id: case for case in world.suite.cases}
        self._voices = {t.model: Voice.of(world.spec, world.suite, t) for t in targets}
        self._idle: dict[str, list[Asker]] = {target.model: [] for target in targets}
        self._failures: Counter[str] = Counter()
        self._answered: set[str] = set()
        self._left_out: set[str] = set()
        self._noticed: set[tuple[str, str]] = set()
        self._waiting: deque[TrialKey] = deque()
        self._ended = 0

    async def run(self, keys: Sequence[TrialKey]) -> None:
        self._waiting.extend(keys)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._world.spec.concurrency, len(keys))):
                    group.create_task(self._work())
        finally:
            for askers in self._idle.values():
                for asker in askers:
                    asker.close()

    async def _work(self) -> None:
        while self._waiting and not self._world.cancel.reason:
            key = self._waiting.popleft()
            if key.model in self._left_out:
                continue
            trial = await self._try(key)
            if trial is None:
                return
            self._world.emit(CaseScored(trial))
            self._look(trial)

    async def _try(self, key: TrialKey) -> Trial | None:
        voice, case, started = self._voices[key.model], self._cases[key.case], False

        def starts() -> None:
            nonlocal started
            if not started:
                started = True
                self._world.emit(TrialStarted(key))

        async def ask(request: ChatRequest) -> Asked:
            return await self._ask(voice, case, request, starts)

        world = self._world
        return await Attempt(key, case, voice, ask, world.scorer.score, world.cpu).run()

    async def _ask(
        self, voice: Voice, case: Case, request: ChatRequest, on_send: Callable[[], None]
    ) -> Asked:
        """Ask over an idle connection; without a tool_choice where the provider takes none."""
        if "tool_choice" in request.extra and not voice.checked:
            await self._check_choice(voice, request)
        if "tool_choice" in request.extra and not voice.forces:
            request = voice.unforced(request)
        asker = self._borrow(voice.target)
        try:
            asked = await asker.ask(request, on_send)
            if "tool_choice" in request.extra and _refuses_choice(asked.error):
                self._without_choice(voice)
                request = voice.unforced(request)
                asked = await asker.ask(request, on_send)
        finally:
            self._idle[voice.target.model].append(asker)
        if _ignored_choice(request, asked):
            text = (
                "was told whether to call a tool and did otherwise; its server ignores tool choice."
            )
            self._notice(voice.target, "tool_choice_ignored", f"{_label(voice.target)} {text}")
        if renamed := voice.offer(case).renamed:
            sent, name = next(iter(renamed.items()))
            self._notice(
                voice.target,
                "renamed",
                f"{_label(voice.target)} takes no tool named {name}: such names are sent with "
                f"underscores ({sent}) and mapped back.",
            )
        return asked

    def _borrow(self, target: Target) -> Asker:
        idle = self._idle[target.model]
        if idle:
            return idle.pop()
        spec = self._world.spec
        return Asker(
            target,
            self._world.cpu,
            self._world.cancel,
            timeout_s=spec.timeout_s,
            retries=spec.retries,
            jitter=random.Random(f"{spec.seed}:{target.ref}"),
        )

    async def _check_choice(self, voice: Voice, request: ChatRequest) -> None:
        """Look at a request as it would be sent: LiteLLM leaves the choice out for some."""
        voice.checked = True
        loop = asyncio.get_running_loop()
        try:
            prepared = await loop.run_in_executor(self._world.cpu, prepare, voice.target, request)
        except ProviderError as error:
            if _refuses_choice(error):
                self._without_choice(voice)
            return
        if not carries_choice(prepared):
            self._without_choice(voice)

    def _without_choice(self, voice: Voice) -> None:
        voice.forces = False
        self._notice(
            voice.target,
            "tool_choice_auto",
            f"{_label(voice.target)} cannot be told whether to call a tool; it is asked with "
            "tool choice “auto”.",
        )

    def _look(self, trial: Trial) -> None:
        """Give up on a target that cannot be asked, and collect garbage now and then."""
        self._ended += 1
        if self._ended % _COLLECT_EVERY == 0:
            gc.collect()
        model = trial.key.model
        if trial.outcome == "scored" or trial.rounds:
            self._answered.add(model)
        elif trial.outcome == "infrastructure":
            lasting = trial.error in LASTING
            self._failures[model] = self._failures[model] + 1 if lasting else 0
        if self._failures[model] >= GIVE_UP_AFTER and model not in self._answered:
            self._leave_out(model, trial.message)

    def _leave_out(self, model: str, message: str | None) -> None:
        self._left_out.add(model)
        if left := sum(key.model == model for key in self._waiting):
            target = self._voices[model].target
            text = f"{_label(target)} is left out after {GIVE_UP_AFTER} failed requests: {message}"
            self._notice(target, "target_left_out", text, left)

    def _notice(self, target: Target, code: str, text: str, dropped: int = 0) -> None:
        if (code, target.model) not in self._noticed:
            self._noticed.add((code, target.model))
            self._world.emit(Notice(code, text, target.ref, dropped))


def _label(target: Target) -> str:
    return target.label or target.model


def _ignored_choice(request: ChatRequest, asked: Asked) -> bool:
    """Whether a whole answer did not do what the request's tool_choice said."""
    choice, decoded = request.extra.get("tool_choice"), asked.decoded
    if choice is None or decoded is None or decoded.finish_reason not in ("stop", "tool_calls"):
        return False
    forbidden = bool(choice == "none")
    return bool(decoded.tool_calls) is forbidden


def _refuses_choice(error: ProviderError | None) -> bool:
    """Whether a provider, or LiteLLM for it, refused the tool_choice."""
    if error is None or error.kind not in ("bad_request", "unsupported"):
        return False
    return "tool_choice" in error.message.lower()
