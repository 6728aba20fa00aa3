"""One trial: ask, answer the calls, until the conversation ends; then score it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from typing import Any

from engine.cancel import Cancelled
from engine.llm.ask import Asked
from engine.llm.errors import ProviderError
from engine.llm.request import ChatRequest
from engine.pricing import price_of
from engine.samples import Sample, SampleKey, Tokens
from engine.speed.metrics import measure
from engine.tools.answers import Answer, Call, Scored
from engine.tools.asking import Voice
from engine.tools.chains import Conversation, Told
from engine.tools.offer import Offer
from engine.tools.reading import read_answer
from engine.tools.suites import Case
from engine.tools.trials import Outcome, Trial, TrialKey

_COUNTS = [item.name for item in fields(Tokens) if item.name != "source"]

Ask = Callable[[ChatRequest], Awaitable[Asked]]
Score = Callable[[Case, Told], Scored]


@dataclass(frozen=True, slots=True)
class Round:
    """One request and what came of it; `answer` is None when nothing did."""

    turn: int
    asked: Asked
    sample: Sample
    answer: Answer | None


@dataclass(slots=True)
class Attempt:
    """One trial under way. `ask` sends a request and waits for its answer; what takes time
    on the processor runs in `cpu`."""

    key: TrialKey
    case: Case
    voice: Voice
    ask: Ask
    score: Score
    cpu: Executor
    rounds: list[Round] = field(default_factory=list)

    async def run(self) -> Trial | None:
        """The trial; None when it was cancelled before anything was sent."""
        conversation = Conversation(self.case, self.voice)
        while not conversation.done:
            request = self.voice.request(
                self.case, conversation.messages, first=conversation.begins_turn
            )
            asked = await self.ask(request)
            if asked.cancelled and asked.capture is None and not self.rounds:
                return None
            last = await self._in_cpu(self._read, asked, request, conversation.turn)
            self.rounds.append(last)
            if last.answer is None:
                return self._ended(last, conversation)
            conversation.take(last.answer)
        try:
            scored = await self._in_cpu(self.score, self.case, conversation.told)
        except Cancelled:
            return self._trial("incomplete", conversation)
        except ProviderError as error:  # of who is asked by a semantic matcher
            message = f"The answer could not be scored: {error.message}"
            return self._trial("infrastructure", conversation, error=error.kind, message=message)
        return self._trial("scored", conversation, scored=scored)

    async def _in_cpu(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.cpu, work, *arguments)

    def _read(self, asked: Asked, request: ChatRequest, turn: int) -> Round:
        offer = self.voice.offer(self.case)
        key = SampleKey(self.key.provider, self.key.model, 0, self.key.trial, False)
        prompt = _text_of(request, offer)
        sample = measure(key, asked, price_of(self.voice.target), prompt)
        decoded = asked.decoded
        # A model that ends its answer without a word has answered: it called nothing.
        silent = sample.error == "empty_output" and decoded is not None and decoded.finished
        answered = decoded is not None and (sample.ok or silent)
        return Round(turn, asked, sample, read_answer(decoded, offer) if answered else None)  # type: ignore[arg-type]

    def _ended(self, last: Round, conversation: Conversation) -> Trial:
        """The trial of a request that failed or was cut off."""
        outcome: Outcome = "incomplete" if last.asked.cancelled else "infrastructure"
        return self._trial(
            outcome, conversation, error=last.sample.error, message=last.sample.message
        )

    def _trial(self, outcome: Outcome, conversation: Conversation, **more: Any) -> Trial:
        samples = [item.sample for item in self.rounds]
        answers = [item.answer for item in self.rounds if item.answer]
        return Trial(
            key=self.key,
            outcome=outcome,
            category=self.case.category,
            tries=tuple(one for sample in samples for one in sample.tries),
            recovered=any(answer.recovered for answer in answers),
            tokens=_sum_of_tokens([sample.tokens for sample in samples]),
            cost_usd=_sum([sample.cost_usd for sample in samples]),
            ttft_ms=samples[0].ttft_ms,
            e2e_ms=_sum([sample.e2e_ms for sample in samples]),
            rounds=len(answers),
            started_at=samples[0].started_at,
            transcript=self._transcript(conversation),
            **more,
        )

    def _transcript(self, conversation: Conversation) -> dict[str, Any]:
        offer = self.voice.offer(self.case)
        transcript: dict[str, Any] = {
            "request": self.voice.parameters(self.case),
            "tools": [definition["function"]["name"] for definition in offer.definitions],
            "messages": conversation.messages,
            "rounds": [_described(item) for item in self.rounds],
        }
        if offer.renamed:
            transcript["renamed"] = dict(offer.renamed)
        if conversation.told.state is not None:
            transcript["state"] = conversation.told.state
        return transcript


def _described(item: Round) -> dict[str, Any]:
    sample, decoded, answer = item.sample, item.asked.decoded, item.answer
    calls = answer.calls if answer else None
    return {
        "turn": item.turn,
        "text": answer.text if answer else decoded.text if decoded else "",
        "reasoning": decoded.reasoning if decoded else "",
        "calls": None if calls is None else [_described_call(call) for call in calls],
        "recovered": bool(answer and answer.recovered),
        "finish_reason": decoded.finish_reason if decoded else None,
        "tokens": [sample.tokens.input, sample.tokens.output],
        "ttft_ms": sample.ttft_ms,
        "e2e_ms": sample.e2e_ms,
        "error": sample.message if answer is None else None,
    }


def _described_call(call: Call) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments, "raw": call.raw, "id": call.id}


def _text_of(request: ChatRequest, offer: Offer) -> str:
    """What was sent, as far as it is counted where a provider reports no usage."""
    contents = [str(message.get("content") or "") for message in request.messages]
    return "\n".join([*contents, offer.text])


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known and len(known) == len(values) else None


def _sum_of_tokens(rounds: Sequence[Tokens]) -> Tokens:
    """Counts over all rounds, None where one is unknown; one estimate makes it one."""

    def total(name: str) -> int | None:
        found = _sum([getattr(tokens, name) for tokens in rounds])
        return None if found is None else int(found)

    sources = [tokens.source for tokens in rounds]
    worst = next((s for s in ("none", "estimate", "tokenizer") if s in sources), sources[0])
    return Tokens(**{name: total(name) for name in _COUNTS}, source=worst)
