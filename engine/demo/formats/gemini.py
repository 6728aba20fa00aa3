"""Gemini's format: /v1beta/models/MODEL:generateContent, its stream, and /v1beta/models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.demo.catalog import Model
from engine.demo.chat import Answer, Call, ChatRequest, Piece, Refused, Usage
from engine.demo.formats import utf8
from engine.demo.formats.gemini_request import PATH, read_request
from engine.demo.tokens import compact

_STATUS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}
_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


class Gemini:
    """See `Format`."""

    content_type = "text/event-stream"

    def serves(self, path: str) -> bool:
        return PATH.fullmatch(path) is not None

    def lists(self, path: str, headers: Mapping[str, str]) -> bool:
        return path == "/v1beta/models"

    def key(self, headers: Mapping[str, str], target: str) -> str:
        in_query = parse_qs(urlsplit(target).query).get("key", [""])[0]
        return (headers.get("x-goog-api-key") or in_query).strip()

    def read(self, target: str, body: dict[str, Any]) -> ChatRequest:
        return read_request(target, body)

    def encoder(self, answer: Answer, request: ChatRequest) -> _Encoder:
        return _Encoder(answer)

    def refusal(self, refused: Refused) -> bytes:
        return utf8(compact(_error(refused)))

    def new_id(self, number: str) -> str:
        return number

    def models(self, models: Sequence[Model]) -> bytes:
        entries = [
            {
                "name": f"models/{model.id}",
                "displayName": model.id,
                "inputTokenLimit": model.window,
                "outputTokenLimit": model.max_output,
                "supportedGenerationMethods": ["generateContent"],
            }
            for model in models
        ]
        return utf8(compact({"models": entries}))


class _Encoder:
    """See `Encoder`. Every event is a whole response with what is new in it; a function
    call comes in one piece, and nothing comes before the first token."""

    whole_calls = True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._tail = f'"modelVersion":{quoted(answer.model)},"responseId":{quoted(answer.id)}'

    def opening(self, usage: Usage | None) -> bytes:
        return b""

    def pieces(self, pieces: Sequence[Piece], so_far: Usage | None) -> bytes:
        first = pieces[0]
        if first.kind == "call":
            return self._event(compact(_call_part(self._answer.calls[first.call])), "", so_far)
        text = first.text if len(pieces) == 1 else "".join(piece.text for piece in pieces)
        thought = ',"thought":true' if first.kind == "reasoning" else ""
        return self._event(f'{{"text":{quoted(text)}{thought}}}', "", so_far)

    def keepalive(self) -> bytes:
        return b": keep-alive\r\n\r\n" + self._event('{"text":""}', "", None)

    def malformed(self) -> bytes:
        return b'data: {"candidates":[{"content":{"pa\r\n\r\n'

    def error(self, refused: Refused) -> bytes:
        return utf8(f"data: {compact(_error(refused))}\r\n\r\n")

    def closing(self, usage: Usage | None, *, done: bool) -> bytes:
        return self._event('{"text":""}', self._finish(), usage)

    def whole(self, usage: Usage | None) -> bytes:
        answer = self._answer
        parts: list[dict[str, Any]] = []
        if thoughts := answer.text("reasoning"):
            parts.append({"text": thoughts, "thought": True})
        if text := answer.text():
            parts.append({"text": text})
        parts += map(_call_part, answer.calls)
        return utf8(self._response(compact(parts)[1:-1], self._finish(), usage))

    def _finish(self) -> str:
        return f',"finishReason":"{_FINISH[self._answer.finish]}"'

    def _event(self, part: str, finish: str, usage: Usage | None) -> bytes:
        return utf8(f"data: {self._response(part, finish, usage)}\r\n\r\n")

    def _response(self, parts: str, finish: str, usage: Usage | None) -> str:
        content = f'{{"parts":[{parts}],"role":"model"}}'
        counts = "" if usage is None else f'"usageMetadata":{compact(_counts(usage))},'
        return f'{{"candidates":[{{"content":{content}{finish},"index":0}}],{counts}{self._tail}}}'


def _call_part(call: Call) -> dict[str, Any]:
    """A call as a part; one that was cut short has no arguments that could be sent."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = {}
    return {"functionCall": {"name": call.name, "args": arguments}}


def _counts(usage: Usage) -> dict[str, Any]:
    """Thoughts are not in `candidatesTokenCount`; counts of 0 are left out."""
    counts = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "cachedContentTokenCount": usage.cached,
        "totalTokenCount": usage.input + usage.output,
    }
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}]}
    return {name: count for name, count in counts.items() if count} | details


def _error(refused: Refused) -> dict[str, Any]:
    status = _STATUS.get(refused.status, "INVALID_ARGUMENT")
    error = {"code": refused.status, "message": refused.message, "status": status}
    return {"error": error}


GEMINI = Gemini()
