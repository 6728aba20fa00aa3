"""Mock tools: declarative stand-ins that answer calls and keep a small state."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.tools.answers import Call
from engine.tools.matchers.base import same
from engine.tools.suites import Chain, Mock, MockResponse
from engine.tools.templates import DEEPEST, Filler, TooLarge, at_path

# Characters a mock may write in one answer, and its state may hold.
LARGEST = 200_000
_NOT_READ = "The arguments are not a JSON object."
_NO_ANSWER = "The tool has no answer to these arguments."
_TOO_LARGE = "The tool's answer is too large."


@dataclass(frozen=True, slots=True)
class Mocked:
    """What a mock tool answered: `result` as JSON, or the `error` the model was told."""

    call: Call
    result: Any = None
    error: str | None = None

    @property
    def content(self) -> str:
        """The text of the tool's message."""
        shown = self.result if self.error is None else {"error": self.error}
        return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


class Mocks:
    """The mock tools of one conversation. `state` is theirs alone."""

    def __init__(self, chain: Chain, offered: frozenset[str]) -> None:
        self.state: dict[str, Any] = copy.deepcopy(chain.state)
        self._mocks: dict[str, Mock] = {mock.tool: mock for mock in chain.mocks}
        self._offered = offered
        self._calls: Counter[str] = Counter()

    def answer(self, call: Call) -> Mocked:
        """Answer a call, and change the state as the answer says.

        A tool without a mock says `{"ok": true}`; a tool that was not offered, arguments that
        cannot be read and a call that no response fits are failures of the tool.
        """
        self._calls[call.name] += 1
        if call.arguments is None:
            return Mocked(call, error=_NOT_READ)
        mock = self._mocks.get(call.name)
        if mock is None:
            known = call.name in self._offered
            return Mocked(call, {"ok": True} if known else None, _unknown(call, known))
        for response in mock.responses:
            if self._applies(response, call):
                return self._respond(response, call)
        return Mocked(call, error=_NO_ANSWER)

    def _applies(self, response: MockResponse, call: Call) -> bool:
        if response.on_call is not None and response.on_call != self._calls[call.name]:
            return False
        given = call.arguments or {}
        if not all(k in given and same(v, given[k], trim=False) for k, v in response.when.items()):
            return False
        return holds(self.state, response.when_state)

    def _respond(self, response: MockResponse, call: Call) -> Mocked:
        """The state changes first, so that the answer can tell what became of it."""
        before = self.state
        try:
            self.state = self._changed(response, call)
            filler = self._filler(call)
            if response.error is not None:
                return Mocked(call, error=str(filler.fill(response.error)))
            return Mocked(call, filler.fill(response.result))
        except TooLarge:
            self.state = before
            return Mocked(call, error=_TOO_LARGE)

    def _changed(self, response: MockResponse, call: Call) -> dict[str, Any]:
        if not response.set_state:
            return self.state
        changes = self._filler(call).fill(response.set_state)
        state = copy.deepcopy(self.state)
        for path, value in changes.items():
            _put(state, path.split("."), copy.deepcopy(value))
        if len(json.dumps(state)) > LARGEST:
            raise TooLarge
        return state

    def _filler(self, call: Call) -> Filler:
        return Filler({"args": call.arguments or {}, "state": self.state}, LARGEST)


def holds(state: Any, wanted: Any) -> bool:
    """Whether `state` holds at least `wanted`: objects by their keys (dotted paths too), at
    every depth; anything else is equal."""
    if isinstance(wanted, Mapping):
        return all(
            holds(found, value) if (found := at_path(state, key)) is not None else value is None
            for key, value in wanted.items()
        )
    return same(state, wanted, trim=False)


def _put(state: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    if len(parents) > DEEPEST:
        raise TooLarge
    for name in parents:
        child = state.get(name)
        if not isinstance(child, dict):
            child = state[name] = {}
        state = child
    state[last] = value


def _unknown(call: Call, known: bool) -> str | None:
    return None if known else f"There is no tool named {call.name}."
