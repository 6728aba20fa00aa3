"""What a request still has to do: its sentences as steps, and how far the tools have come.

A sentence begins a call of its own only when it says so: "Also" and "And" go out together,
"Then" and its like wait for what came before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.demo.chat import ChatRequest, Message, Tool
from engine.demo.evidence import CAMEL, QUOTED, Reader, part_of, stems

# A tool is due when the prompt shares this much with it; a word of its name counts double.
_DUE = 2
_BY_NAME = 100
_MOST_CALLS = 32
_READ_CHARS = 20_000
_SENTENCE = re.compile(r"(?<=[.?!;]) +|\n+")
_TOGETHER = re.compile(r"(?i)^(?:also|and|in addition)\b")
_AFTERWARDS = re.compile(r"(?i)^(?:then|after that|afterwards|next|finally|with that)\b")
_FORBIDDEN = re.compile(r"(?i)\b(?:do not|don't|no need to|without calling|never) \w+")
_AGAIN = re.compile(r"(?i)try again|retry|temporar")


class Step(NamedTuple):
    """A sentence that needs a tool."""

    tool: Tool
    text: str


def rounds_of(request: ChatRequest) -> list[list[Step]]:
    """The steps of the last user message, those that go out together in one list."""
    rounds: list[list[Step]] = []
    idle = ""
    for text, waits in _blocks(request.last("user")):
        tool = _tool(request, text)
        if tool is None and rounds:
            last = rounds[-1][-1]
            rounds[-1][-1] = last._replace(text=f"{last.text} {text}")
        elif tool is None:
            idle = f"{idle} {text}".strip()
        else:
            if not rounds or waits:
                rounds.append([])
            rounds[-1].append(Step(tool, text))
    if not rounds and (tool := _tool(request, idle)):
        return [[Step(tool, idle)]]
    return rounds


def _blocks(prompt: str) -> list[tuple[str, bool]]:
    """Sentences that belong together, and whether they wait for what came before. What is
    forbidden is no part of them."""
    blocks: list[tuple[str, bool]] = []
    for sentence in _SENTENCE.split(prompt[-_READ_CHARS:]):
        if not sentence.strip() or _FORBIDDEN.search(sentence):
            continue
        waits = _AFTERWARDS.match(sentence) is not None
        starts = not blocks or waits or _TOGETHER.match(sentence)
        if starts and len(blocks) < _MOST_CALLS:
            blocks.append((sentence, waits))
        else:
            text, waited = blocks[-1]
            blocks[-1] = (f"{text} {sentence}", waited)
    return blocks


def _tool(request: ChatRequest, text: str) -> Tool | None:
    words = stems(QUOTED.sub(" ", text))
    scores = [_relevance(tool, words, text) for tool in request.tools]
    best = max(range(len(scores)), key=scores.__getitem__, default=None)
    return None if best is None or scores[best] < _DUE else request.tools[best]


def best_tool(request: ChatRequest) -> Tool:
    """The tool that a request comes nearest to, due or not."""
    text = request.last("user")
    words = stems(text)
    return max(request.tools, key=lambda tool: _relevance(tool, words, text))


def _relevance(tool: Tool, words: set[str], text: str) -> int:
    name = stems(CAMEL.sub(" ", tool.name))
    parameters = " ".join(part_of(tool.parameters.get("properties")))
    told = stems(f"{tool.description} {CAMEL.sub(' ', parameters)}")
    spelled = len(tool.name) > 3 and re.search(rf"(?<!\w){re.escape(tool.name)}(?!\w)", text)
    return 2 * len(words & name) + len(words & (told - name)) + (_BY_NAME if spelled else 0)


def done_rounds(request: ChatRequest) -> int:
    """How many rounds of calls were made since the user spoke; one whose tool asked to try
    again counts as not made, once."""
    made, repeated = 0, False
    since = _since_user(request.messages)
    for index, message in enumerate(since):
        if message.role != "assistant" or not message.calls:
            continue
        made += 1
        answers = [m.text for m in _answers_after(since, index)]
        if not repeated and any(_is_error(text) and _AGAIN.search(text) for text in answers):
            made, repeated = made - 1, True
    return made


def _since_user(messages: tuple[Message, ...]) -> list[Message]:
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
    return list(messages[last + 1 :])


def _answers_after(messages: list[Message], index: int) -> Iterator[Message]:
    for message in messages[index + 1 :]:
        if message.role != "tool":
            return
        yield message


def _is_error(text: str) -> bool:
    return "error" in text[:200].lower()


def known_fields(request: ChatRequest) -> dict[str, Any]:
    """What tools have answered so far, by field; the latest answer wins."""
    known: dict[str, Any] = {}
    for message in request.messages:
        if message.role == "tool":
            try:
                data = json.loads(message.text[:20_000])
            except (ValueError, RecursionError):
                continue
            _collect(data, known, 0)
    return known


def _collect(data: Any, known: dict[str, Any], depth: int) -> None:
    if depth > 4:
        return
    if isinstance(data, list):
        for item in reversed(data[:20]):  # the first of a list is the one to go on with
            _collect(item, known, depth + 1)
    elif isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, dict | list):
                _collect(value, known, depth + 1)
            else:
                known[str(key)] = value


def filled(step: Step, known: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The arguments of a step, and whether all that cannot be guessed was there."""
    reader = Reader(step.text, known)
    arguments = reader.fill(step.tool.parameters)
    return arguments, not reader.missing
