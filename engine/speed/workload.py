"""What each request of a benchmark asks: prompt, filler, nonce, length, hidden fact.

Everything but the nonce follows from the spec, so a run can be repeated. The nonce is new in
every run: a prefix cache may still know what the same benchmark asked an hour ago.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.llm.request import ChatRequest
from engine.llm.tokens import encoding_of
from engine.samples import LevelKey, SampleKey
from engine.specs import (
    LOAD_BODIES_MAX_TOKENS,
    MAX_TOKENS_MAX,
    BenchmarkSpec,
    SyntheticSpec,
)
from engine.speed.filler import prompt_with, synthetic_prompt
from engine.speed.fixed_output import fixed_output
from engine.speed.recall import Fact, fact_of
from engine.targets import Target

# Different requests among those of a load level: shuffles of the filler, and drawn lengths.
SHUFFLES, DRAWN = 8, 128


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `text` is all that the model reads, `index` the place of its prompt in the
    set (or of its drawn lengths), None without one."""

    request: ChatRequest
    text: str
    index: int | None = None
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    prompt: str
    max_tokens: int
    index: int | None = None
    input_tokens: int | None = None


class Workload:
    """The questions of one run of `spec`."""

    def __init__(self, spec: BenchmarkSpec) -> None:
        self._spec = spec
        self._salt = secrets.token_hex(8)
        self._order = list(range(len(spec.prompts)))
        random.Random(f"{spec.seed}:order").shuffle(self._order)

    def question(self, key: SampleKey, target: Target) -> Question:
        """What the sample `key` asks of `target`; the same of every target, but for the nonce."""
        run = -1 - key.run if key.warmup else key.run
        return self._question(target, key.context_tokens, run, self._nonce(key))

    def load_questions(self, target: Target, tier: int, nonce: str) -> list[Question]:
        """The different requests of a load level, to be sent in turn. `nonce` stands where each
        sending puts its own; a warm run has its one nonce there."""
        spec = self._spec
        count = SHUFFLES if tier and spec.cache == "cold" else 1
        if spec.prompts or spec.synthetic:
            count = len(spec.prompts) or _drawn(spec.synthetic)
        nonce = nonce if spec.cache == "cold" else self._nonce(None)
        return [self._question(target, tier, number, nonce) for number in range(count)]

    def _question(self, target: Target, tier: int, number: int, nonce: str) -> Question:
        spec, item = self._spec, self._item(number)
        warm = spec.cache == "warm"
        which = 0 if warm else number  # a warm prefix is the same to its end
        shuffle = random.Random(f"{spec.seed}:{tier}:{which}")
        encoding = encoding_of(target.litellm_model)
        fact = fact_of(spec.seed, tier, which) if spec.recall and tier else None
        if item.input_tokens is not None:
            prompt = synthetic_prompt(nonce, item.input_tokens, shuffle, encoding)
        else:
            prompt = prompt_with(nonce, item.prompt, tier, shuffle, encoding, fact)
        messages: list[Mapping[str, Any]] = [{"role": "user", "content": prompt}]
        system = f"[{nonce}]\n{target.system_prompt}" if target.system_prompt else ""
        if system:  # it comes first, so a cache could answer for it
            messages.insert(0, {"role": "system", "content": system})
        extra = fixed_output(target, item.max_tokens) if spec.fixed_output else {}
        request = ChatRequest(tuple(messages), item.max_tokens, spec.temperature, extra)
        return Question(request, system + prompt, item.index, fact)

    def _item(self, number: int) -> _Item:
        """The prompt or the lengths that have their turn at `number`; warm-ups count below 0."""
        spec = self._spec
        if spec.prompts:
            index = self._order[number % len(self._order)]
            chosen = spec.prompts[index]
            return _Item(chosen.prompt, chosen.max_tokens or spec.max_tokens, index)
        if drawn := spec.synthetic:
            rng = random.Random(f"{spec.seed}:lengths:{number}")
            asked = max(1, round(rng.gauss(drawn.input_mean, drawn.input_std)))
            answered = round(rng.gauss(drawn.output_mean, drawn.output_std))
            answered = min(max(1, answered), MAX_TOKENS_MAX)
            return _Item("", answered, number if number >= 0 else None, asked)
        return _Item(spec.prompt, spec.max_tokens)

    def nonces(self, level: LevelKey) -> int:
        """The seed of the nonces that the requests of a load level get as they are sent."""
        return int(self._digest(str(level))[:14], 16)

    def _nonce(self, key: SampleKey | None) -> str:
        return self._digest("" if key is None or self._spec.cache == "warm" else str(key))[:16]

    def _digest(self, whose: str) -> str:
        return hashlib.sha256(f"{self._salt}:{whose}".encode()).hexdigest()


def _drawn(lengths: SyntheticSpec | None) -> int:
    """How many lengths are drawn for a load level: fewer long ones, whose bodies wait in
    memory."""
    room = LOAD_BODIES_MAX_TOKENS // lengths.input_mean if lengths else 0
    return max(SHUFFLES, min(DRAWN, room))
