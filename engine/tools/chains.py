"""A case as a conversation: what is sent next, what mock tools answer, and when it ends.

No request is made here; whoever asks gives each answer to `take`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.tools.answers import Answer, Call
from engine.tools.asking import Message, Voice, assistant_message
from engine.tools.mocks import Mocked, Mocks
from engine.tools.suites import Case, Chain, ExpectAny, ExpectCalls, ExpectNone


@dataclass(frozen=True, slots=True)
class Hop:
    """A call in a chain and what its mock tool answered. `turn` counts user messages and
    `round` the model's answers, both from 0."""

    turn: int
    round: int
    mocked: Mocked

    @property
    def call(self) -> Call:
        return self.mocked.call


@dataclass(frozen=True, slots=True)
class Told:
    """What happened in a conversation, for the scorer: every answer with its turn, every hop,
    the mock tools' state at the end, and whether the model still called when its rounds were
    used up."""

    answers: tuple[tuple[int, Answer], ...]
    hops: tuple[Hop, ...] = ()
    state: dict[str, Any] | None = None
    stalled: bool = False


class Conversation:
    """One trial's conversation. A case without a chain is one question and one answer.

    In a chain every call is answered by its mock tool, until the model answers without a
    call or has used up the turn's rounds; then the next turn's message follows. A
    conversation that stalled goes no further.
    """

    def __init__(self, case: Case, voice: Voice) -> None:
        self._case, self._voice = case, voice
        self._offer = voice.offer(case)
        self._chain = case.chain
        self._mocks = Mocks(case.chain, self._offered()) if case.chain else None
        self._answers: list[tuple[int, Answer]] = []
        self._hops: list[Hop] = []
        self._turn_began = 0
        self._used: set[str] = set()
        self.messages: list[Message] = voice.opening(case)
        self.turn = 0
        self.stalled = False
        self.done = False

    def _offered(self) -> frozenset[str]:
        return frozenset(tool.name for tool in self._voice.suite.tools_of(self._case))

    @property
    def round(self) -> int:
        """The number of answers so far."""
        return len(self._answers)

    @property
    def begins_turn(self) -> bool:
        """Whether the next answer is the first to a user's message."""
        return self.round == self._turn_began

    @property
    def told(self) -> Told:
        state = self._mocks.state if self._mocks else None
        return Told(tuple(self._answers), tuple(self._hops), state, self.stalled)

    def take(self, answer: Answer) -> None:
        """Go on after an answer of the model."""
        self._answers.append((self.turn, answer))
        counts = self._voice.spec.count_recovered or not answer.recovered
        calls = tuple(answer.calls or ()) if counts else ()
        ids = self._ids(calls)
        text = "" if calls and answer.recovered else answer.text
        sent = [
            {"id": call_id, "name": self._offer.sent(call.name), "arguments": _again(call)}
            for call_id, call in zip(ids, calls, strict=True)
        ]
        self.messages.append(assistant_message(text, sent))
        if self._chain is None or self._mocks is None:
            self.done = True
        elif calls:
            self._answer_calls(calls, ids, self._chain, self._mocks)
        else:
            self._next_turn(self._chain)

    def _answer_calls(
        self, calls: tuple[Call, ...], ids: list[str], chain: Chain, mocks: Mocks
    ) -> None:
        for call, call_id in zip(calls, ids, strict=True):
            mocked = mocks.answer(call)
            self._hops.append(Hop(self.turn, self.round - 1, mocked))
            self.messages.append(
                {"role": "tool", "tool_call_id": call_id, "content": mocked.content}
            )
        if self.round - self._turn_began >= chain.max_rounds:
            self.stalled = self.done = True

    def _next_turn(self, chain: Chain) -> None:
        if self.turn == len(chain.turns):
            self.done = True
            return
        self.messages.append({"role": "user", "content": chain.turns[self.turn].prompt})
        self.turn += 1
        self._turn_began = self.round

    def _ids(self, calls: Sequence[Call]) -> list[str]:
        """The provider's ids of calls, one of ours where it gave none or gave it twice."""
        ids: list[str] = []
        for index, call in enumerate(calls):
            new = call.id and call.id not in self._used
            ids.append(call.id if new else f"call_{self.round}_{index}")
            self._used.add(ids[-1])
        return ids


Due = ExpectCalls | ExpectNone | ExpectAny


def due_in_turn(case: Case, turn: int) -> Due | None:
    """What a turn of a chain expects, None for nothing in particular. Turn 0 is the case's
    own question, unless the case expects an end state."""
    if turn > 0 and case.chain is not None:
        return case.chain.turns[turn - 1].expect
    return None if case.expect.kind == "state" else case.expect


def _again(call: Call) -> str:
    """A call's arguments as they go back to the provider, who takes nothing but an object."""
    return json.dumps(call.arguments or {}, ensure_ascii=False)
