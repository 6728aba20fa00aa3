"""Anthropic's format: /v1/messages and its own /v1/models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from engine.demo.catalog import Model
from engine.demo.chat import Answer, ChatRequest, Piece, Refused, Usage
from engine.demo.formats import utf8
from engine.demo.formats.anthropic_request import read_request
from engine.demo.tokens import compact

_ERROR_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
}
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
# Kind of a piece: type of its block, of its delta, and the delta's field.
_BLOCKS = {
    "text": ("text", "text_delta", "text"),
    "reasoning": ("thinking", "thinking_delta", "thinking"),
    "arguments": ("tool_use", "input_json_delta", "partial_json"),
}
_SIGNATURE = "c2ltdWxhdGVk"


class Anthropic:
    """See `Format`."""

    content_type = "text/event-stream; charset=utf-8"

    def serves(self, path: str) -> bool:
        return path == "/v1/messages"

    def lists(self, path: str, headers: Mapping[str, str]) -> bool:
        # OpenAI's list has the same address; this header is required here and unknown there.
        return path == "/v1/models" and "anthropic-version" in headers

    def key(self, headers: Mapping[str, str], target: str) -> str:
        return headers.get("x-api-key", "").strip()

    def read(self, target: str, body: dict[str, Any]) -> ChatRequest:
        return read_request(body)

    def encoder(self, answer: Answer, request: ChatRequest) -> _Encoder:
        return _Encoder(answer)

    def refusal(self, refused: Refused) -> bytes:
        return utf8(compact(_error(refused)))

    def new_id(self, number: str) -> str:
        return f"msg_{number}"

    def models(self, models: Sequence[Model]) -> bytes:
        entries = [
            {
                "type": "model",
                "id": model.id,
                "display_name": model.id,
                "created_at": "1970-01-01T00:00:00Z",
                "max_input_tokens": model.window,
                "max_tokens": model.max_output,
            }
            for model in models
        ]
        page = {"has_more": False, "first_id": models[0].id, "last_id": models[-1].id}
        return utf8(compact({"data": entries, **page}))


class _Encoder:
    """See `Encoder`. Content comes in numbered blocks, each started before its first delta
    and stopped before the next one starts."""

    whole_calls = False

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._open: tuple[str, int] | None = None
        self._index = -1

    def opening(self, usage: Usage | None) -> bytes:
        # The first output token is counted before there is one.
        counts = None if usage is None else usage._replace(output=1)
        message = self._message([], None, counts)
        return _event({"type": "message_start", "message": message}) + _PING

    def pieces(self, pieces: Sequence[Piece], so_far: Usage | None) -> bytes:
        first = pieces[0]
        kind = "arguments" if first.kind == "call" else first.kind
        started = b"" if self._open == (kind, first.call) else self._start(kind, first.call)
        if first.kind == "call":
            return started
        text = first.text if len(pieces) == 1 else "".join(piece.text for piece in pieces)
        return started + self._delta(kind, text)

    def keepalive(self) -> bytes:
        empty = self._delta("text", "") if self._open and self._open[0] == "text" else b""
        return b": keep-alive\n\n" + _PING + empty

    def malformed(self) -> bytes:
        return _named("content_block_delta", '{"type":"content_block_delta","index":0,"delta":{"ty')

    def error(self, refused: Refused) -> bytes:
        return _event(_error(refused))

    def closing(self, usage: Usage | None, *, done: bool) -> bytes:
        reason = _STOP_REASONS[self._answer.finish]
        delta = {"stop_reason": reason, "stop_sequence": None}
        counts = {} if usage is None else {"usage": _output_counts(usage)}
        last = _event({"type": "message_delta", "delta": delta, **counts})
        return self._stop() + last + (_event({"type": "message_stop"}) if done else b"")

    def whole(self, usage: Usage | None) -> bytes:
        reason = _STOP_REASONS[self._answer.finish]
        return utf8(compact(self._message(self._content(), reason, usage)))

    def _message(
        self, content: list[dict[str, Any]], reason: str | None, usage: Usage | None
    ) -> dict[str, Any]:
        counts = {} if usage is None else {"usage": _counts(usage)}
        return {
            "id": self._answer.id,
            "type": "message",
            "role": "assistant",
            "model": self._answer.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            **counts,
        }

    def _content(self) -> list[dict[str, Any]]:
        answer = self._answer
        blocks: list[dict[str, Any]] = []
        if thoughts := answer.text("reasoning"):
            blocks.append({"type": "thinking", "thinking": thoughts, "signature": _SIGNATURE})
        if text := answer.text():
            blocks.append({"type": "text", "text": text})
        for number, call in enumerate(answer.calls):
            blocks.append({**self._tool_use(number), "input": _parsed(call.arguments)})
        return blocks

    def _tool_use(self, number: int) -> dict[str, Any]:
        call = self._answer.calls[number]
        name = call.id.removeprefix("call_")
        return {"type": "tool_use", "id": f"toolu_{name}", "name": call.name, "input": {}}

    def _start(self, kind: str, call: int) -> bytes:
        stopped = self._stop()
        self._open, self._index = (kind, call), self._index + 1
        block_type, _, field = _BLOCKS[kind]
        block: dict[str, Any] = {"type": block_type, field: ""}
        if kind == "arguments":
            block = self._tool_use(call)
        elif kind == "reasoning":
            block["signature"] = ""
        start = {"type": "content_block_start", "index": self._index, "content_block": block}
        return stopped + _event(start)

    def _stop(self) -> bytes:
        if self._open is None:
            return b""
        kind, self._open = self._open[0], None
        signed = b""
        if kind == "reasoning":
            delta = {"type": "signature_delta", "signature": _SIGNATURE}
            signed = _event({"type": "content_block_delta", "index": self._index, "delta": delta})
        return signed + _event({"type": "content_block_stop", "index": self._index})

    def _delta(self, kind: str, text: str) -> bytes:
        _, delta_type, field = _BLOCKS[kind]
        return _named(
            "content_block_delta",
            f'{{"type":"content_block_delta","index":{self._index},'
            f'"delta":{{"type":"{delta_type}","{field}":{quoted(text)}}}}}',
        )


def _named(name: str, data: str) -> bytes:
    return utf8(f"event: {name}\ndata: {data}\n\n")


def _event(data: dict[str, Any]) -> bytes:
    return _named(data["type"], compact(data))


_PING = _event({"type": "ping"})


def _counts(usage: Usage) -> dict[str, Any]:
    """Input that was read from the cache, or stored in it, is not in `input_tokens`."""
    return {
        "input_tokens": usage.input - usage.cached - usage.stored,
        "cache_creation_input_tokens": usage.stored,
        "cache_read_input_tokens": usage.cached,
        **_output_counts(usage),
    }


def _output_counts(usage: Usage) -> dict[str, Any]:
    counts: dict[str, Any] = {"output_tokens": usage.output}
    if usage.reasoning:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return counts


def _parsed(arguments: str) -> Any:
    """Arguments as an object; a call that was cut short has none that could be sent."""
    try:
        return json.loads(arguments)
    except ValueError:
        return {}


def _error(refused: Refused) -> dict[str, Any]:
    kind = _ERROR_TYPES.get(refused.status, "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": refused.message}}


ANTHROPIC = Anthropic()
