"""The OpenAI format: /v1/chat/completions and /v1/models."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from engine.demo.catalog import Model
from engine.demo.chat import Answer, Call, ChatRequest, Piece, Refused, Usage
from engine.demo.formats import utf8
from engine.demo.formats.openai_request import read_request
from engine.demo.tokens import compact

_ERROR_TYPES = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error"}


class OpenAI:
    """See `Format`."""

    content_type = "text/event-stream; charset=utf-8"

    def serves(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def lists(self, path: str, headers: Mapping[str, str]) -> bool:
        return path == "/v1/models"

    def key(self, headers: Mapping[str, str], target: str) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ").strip()

    def read(self, target: str, body: dict[str, Any]) -> ChatRequest:
        return read_request(body)

    def encoder(self, answer: Answer, request: ChatRequest) -> _Encoder:
        return _Encoder(answer, usage_field=request.usage_asked)

    def refusal(self, refused: Refused) -> bytes:
        return utf8(compact({"error": _error(refused)}))

    def new_id(self, number: str) -> str:
        return f"chatcmpl-{number}"

    def models(self, models: Sequence[Model]) -> bytes:
        entries = [
            {
                "id": model.id,
                "object": "model",
                "created": 0,
                "owned_by": "demo",
                "max_model_len": model.window,
                "max_output_tokens": model.max_output,
            }
            for model in models
        ]
        return utf8(compact({"object": "list", "data": entries}))


class _Encoder:
    """See `Encoder`. Everything but the delta is built once, before the first token."""

    whole_calls = False

    def __init__(self, answer: Answer, *, usage_field: bool) -> None:
        self._answer = answer
        self._common = f'"created":{int(time.time())},"model":{quoted(answer.model)}'
        self._head = (
            f'data: {{"id":{quoted(answer.id)},"object":"chat.completion.chunk",'
            f'{self._common},"choices":['
        )
        # Where counts are asked for, the other events say that theirs are still to come.
        self._no_usage = ',"usage":null' if usage_field else ""
        self._tail = f',"finish_reason":null}}]{self._no_usage}}}\n\n'

    def opening(self, usage: Usage | None) -> bytes:
        return self._delta('{"role":"assistant","content":""}')

    def pieces(self, pieces: Sequence[Piece], so_far: Usage | None) -> bytes:
        delta = self._delta_of(pieces)
        if so_far is None:
            return self._delta(delta)
        return self._event(f'{{"index":0,"delta":{delta},"finish_reason":null}}', so_far)

    def keepalive(self) -> bytes:
        return b": keep-alive\n\n" + self._delta('{"content":""}') + self._delta("{}")

    def malformed(self) -> bytes:
        return utf8(self._head + '{"index":0,"delta":{"conte\n\n')

    def error(self, refused: Refused) -> bytes:
        return utf8(f"data: {compact({'error': _error(refused)})}\n\n")

    def closing(self, usage: Usage | None, *, done: bool) -> bytes:
        choice = f'{{"index":0,"delta":{{}},"finish_reason":"{self._answer.finish}"}}'
        events = self._event(choice, None)
        if usage is not None:
            events += self._event("", usage)
        return events + (b"data: [DONE]\n\n" if done else b"")

    def whole(self, usage: Usage | None) -> bytes:
        answer = self._answer
        message: dict[str, Any] = {"role": "assistant", "content": answer.text() or None}
        if not answer.calls and message["content"] is None:
            message["content"] = ""
        if answer.usage.reasoning:
            message["reasoning_content"] = answer.text("reasoning")
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        choice = compact({"index": 0, "message": message, "finish_reason": answer.finish})
        counts = f',"usage":{_usage(usage)}' if usage is not None else ""
        return utf8(
            f'{{"id":{quoted(answer.id)},"object":"chat.completion",{self._common},'
            f'"choices":[{choice}]{counts}}}'
        )

    def _delta_of(self, pieces: Sequence[Piece]) -> str:
        first = pieces[0]
        text = first.text if len(pieces) == 1 else "".join(piece.text for piece in pieces)
        if first.kind == "text":
            return f'{{"content":{quoted(text)}}}'
        if first.kind == "reasoning":
            return f'{{"reasoning_content":{quoted(text)}}}'
        if first.kind == "arguments":
            function = f'{{"arguments":{quoted(text)}}}'
            return f'{{"tool_calls":[{{"index":{first.call},"function":{function}}}]}}'
        opened = _call(self._answer.calls[first.call]._replace(arguments=""))
        return compact({"tool_calls": [{"index": first.call, **opened}]})

    def _delta(self, delta: str) -> bytes:
        return utf8(f'{self._head}{{"index":0,"delta":{delta}{self._tail}')

    def _event(self, choice: str, usage: Usage | None) -> bytes:
        counts = f',"usage":{_usage(usage)}' if usage is not None else self._no_usage
        return utf8(f"{self._head}{choice}]{counts}}}\n\n")


def _call(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _usage(usage: Usage) -> str:
    return compact(
        {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        }
    )


def _error(refused: Refused) -> dict[str, Any]:
    return {
        "message": refused.message,
        "type": _ERROR_TYPES.get(refused.status, "invalid_request_error"),
        "param": refused.param,
        "code": refused.code,
    }


OPENAI = OpenAI()
