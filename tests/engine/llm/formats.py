"""Whole answers in the formats that have readers of our own, for the tests of those. A stream
is a list of events, and an event the lines that it is written in."""

from __future__ import annotations

import json
from typing import Any

from engine.llm.exchange import Capture
from tests.engine.llm.streams import capture_of, delta, head

Event = tuple[str, ...]
Stream = list[Event]


def openai(*chunks: dict[str, Any], done: bool = True) -> Stream:
    """Chat completion chunks, with [DONE] at the end."""
    last: Stream = [("data: [DONE]",)] if done else []
    return [*((f"data: {_json(chunk)}",) for chunk in chunks), *last]


def anthropic(*events: dict[str, Any]) -> Stream:
    """Named events."""
    return [(f"event: {event['type']}", f"data: {_json(event)}") for event in events]


def gemini(*chunks: dict[str, Any]) -> Stream:
    """Responses of streamGenerateContent with alt=sse."""
    return [(f"data: {_json(chunk)}",) for chunk in chunks]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def event_bytes(event: Event, end: str = "\n") -> bytes:
    """One event with its empty line."""
    return f"{end.join(event)}{end}{end}".encode()


def one_read_each(stream: Stream, *more: str, chunked: bool = True) -> Capture:
    """A capture in which each read is one event, the head being the first read; times are
    whole milliseconds from 1 on."""
    bodies = [event_bytes(event) for event in stream]
    framed = [b"%x\r\n%s\r\n" % (len(body), body) for body in bodies]
    return capture_of(head(*more), *framed, b"0\r\n\r\n")


def recorded(model: str, name: str) -> Capture:
    """The named stream of a model's format, with the head that belongs to it."""
    return one_read_each(MODELS[model][name], *TYPES.get(model, ()))


# OpenAI


def call(number: int, arguments: str, name: str = "", call_id: str = "") -> dict[str, Any]:
    """A chat completion chunk with a piece of a tool call."""
    piece: dict[str, Any] = {"index": number, "function": {"arguments": arguments}}
    if name:
        piece |= {"id": call_id, "type": "function"}
        piece["function"]["name"] = name
    return delta(delta={"tool_calls": [piece]})


def usage(given: int, output: int, **more: Any) -> dict[str, Any]:
    """OpenAI's last chunk, with counts."""
    counts = {"prompt_tokens": given, "completion_tokens": output, "total_tokens": given + output}
    return delta(usage=counts | more) | {"choices": []}


OPENAI: dict[str, Stream] = {
    "text": openai(
        delta("", delta={"role": "assistant"}),
        *(delta(word) for word in ("Grüße", ", ", "東京", " 🌍!")),
        delta(finish_reason="stop"),
        usage(7, 5),
    ),
    "reasoning": openai(
        delta("", delta={"role": "assistant"}),
        delta(delta={"reasoning_content": "Hm, "}),
        delta(delta={"reasoning_content": "größer?"}),
        delta("Ja"),
        delta("."),
        delta(finish_reason="stop"),
        usage(9, 6, completion_tokens_details={"reasoning_tokens": 3}),
    ),
    "tools": openai(
        delta("Let me see.", delta={"role": "assistant"}),
        call(0, "", "weather", "call_a"),
        call(0, '{"city":'),
        call(0, ' "Łódź"}'),
        call(1, "", "time", "call_b"),
        call(1, "{}"),
        delta(finish_reason="tool_calls"),
        usage(31, 17, prompt_tokens_details={"cached_tokens": 16}),
    ),
    "length": openai(delta("one"), delta(" two"), delta(finish_reason="length"), usage(3, 2)),
}


# Anthropic


def begin(given: int, **more: int) -> dict[str, Any]:
    """The start of a message, with the counts that stand there."""
    counts = {"input_tokens": given, "output_tokens": 1, **more}
    message: dict[str, Any] = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": counts,
    }  # fmt: skip
    return {"type": "message_start", "message": message}


def block(index: int, kind: str, *deltas: str, **more: Any) -> list[dict[str, Any]]:
    """A content block: its start, its deltas and its stop."""
    deltas_of: dict[str, tuple[str, str, dict[str, Any]]] = {
        "text": ("text_delta", "text", {"text": ""}),
        "thinking": ("thinking_delta", "thinking", {"thinking": "", "signature": ""}),
        "tool_use": ("input_json_delta", "partial_json", {"input": {}}),
    }
    delta_type, field, empty = deltas_of[kind]
    started = {"type": kind, **empty, **more}
    pieces = [
        {
            "type": "content_block_delta",
            "index": index,
            "delta": {"type": delta_type, field: piece},
        }
        for piece in deltas
    ]
    return [
        {"type": "content_block_start", "index": index, "content_block": started},
        *pieces,
        {"type": "content_block_stop", "index": index},
    ]


def signature(index: int) -> dict[str, Any]:
    """The proof of a thought, which is no token."""
    proof = {"type": "signature_delta", "signature": "c2lnbmVk"}
    return {"type": "content_block_delta", "index": index, "delta": proof}


def end(reason: str, output: int, **more: Any) -> list[dict[str, Any]]:
    """The end of a message with its counts."""
    stop = {"stop_reason": reason, "stop_sequence": None}
    last = {"type": "message_delta", "delta": stop, "usage": {"output_tokens": output, **more}}
    return [last, {"type": "message_stop"}]


PING: dict[str, Any] = {"type": "ping"}

ANTHROPIC: dict[str, Stream] = {
    "text": anthropic(
        begin(25, cache_read_input_tokens=4, cache_creation_input_tokens=6),
        PING,
        *block(0, "text", "Grüße", ", ", "東京", " 🌍!"),
        *end("end_turn", 9),
    ),
    "thinking": anthropic(
        begin(25),
        *(thought := block(0, "thinking", "Hm, ", "größer?"))[:-1],
        signature(0),
        thought[-1],
        *block(1, "text", "Ja", "."),
        *end("end_turn", 40),
    ),
    "tools": anthropic(
        begin(300),
        *block(0, "text", "Let me see."),
        *block(1, "tool_use", "", '{"city":', ' "Łódź"}', id="toolu_a", name="weather"),
        *block(2, "tool_use", id="toolu_b", name="time"),
        *end("tool_use", 60),
    ),
    "length": anthropic(begin(3), *block(0, "text", "one", " two"), *end("max_tokens", 2)),
}


# Gemini


def said(*parts: dict[str, Any], finish: str | None = None, **counts: int) -> dict[str, Any]:
    """One response: parts, a reason to end, and counts where they are given."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    chunk: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini"}
    return chunk | ({"usageMetadata": counts} if counts else {})


def text(piece: str, **more: Any) -> dict[str, Any]:
    return {"text": piece, **more}


def function(name: str, **arguments: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": arguments}}


GEMINI: dict[str, Stream] = {
    "text": gemini(
        said(text("Grüße"), promptTokenCount=7, totalTokenCount=7),
        said(text(", ")),
        said(text("東京")),
        said(
            text(" 🌍!"),
            finish="STOP",
            promptTokenCount=7,
            candidatesTokenCount=5,
            totalTokenCount=12,
        ),
    ),
    "thinking": gemini(
        said(text("Hm, ", thought=True)),
        said(text("größer?", thought=True)),
        said(text("Ja")),
        said(
            text("."),
            finish="STOP",
            promptTokenCount=9,
            candidatesTokenCount=2,
            thoughtsTokenCount=8,
            totalTokenCount=19,
        ),
    ),
    "tools": gemini(
        said(text("Let me see.")),
        said(function("weather", city="Łódź"), function("time")),
        said(
            text(""),
            finish="STOP",
            promptTokenCount=31,
            cachedContentTokenCount=16,
            candidatesTokenCount=17,
            totalTokenCount=48,
        ),
    ),
    "length": gemini(
        said(text("one")),
        said(
            text(" two"),
            finish="MAX_TOKENS",
            promptTokenCount=3,
            candidatesTokenCount=2,
            totalTokenCount=5,
        ),
    ),
}

# Cohere


def cohere(*events: dict[str, Any]) -> Stream:
    """Named events of a chat, its start being the first."""
    start = {"id": "x", "type": "message-start", "delta": {"message": {"role": "assistant"}}}
    return anthropic(start, *events)


def content(field: str, piece: str, kind: str = "content-delta") -> dict[str, Any]:
    """A piece of text or thinking."""
    return {"type": kind, "index": 0, "delta": {"message": {"content": {field: piece}}}}


def cohere_call(index: int, arguments: str, name: str = "", call_id: str = "") -> dict[str, Any]:
    """The start of a call, or a piece of its arguments."""
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    call = {"id": call_id, "type": "function"} if name else {}
    kind = "tool-call-start" if name else "tool-call-delta"
    message = {"tool_calls": call | {"function": function}}
    return {"type": kind, "index": index, "delta": {"message": message}}


def cohere_end(reason: str, given: int, output: int) -> dict[str, Any]:
    """The end with its counts: what is billed, and with Cohere's own prompt."""
    usage = {
        "billed_units": {"input_tokens": given, "output_tokens": output},
        "tokens": {"input_tokens": given + 60, "output_tokens": output + 1},
    }
    return {"id": "x", "type": "message-end", "delta": {"finish_reason": reason, "usage": usage}}


COHERE: dict[str, Stream] = {
    "text": cohere(
        content("text", "", "content-start"),
        *(content("text", piece) for piece in ("Grüße", ", ", "東京", " 🌍!")),
        {"type": "content-end", "index": 0},
        cohere_end("COMPLETE", 5, 4),
    ),
    "thinking": cohere(
        content("thinking", "Hm, "),
        content("thinking", "größer?"),
        content("text", "Ja"),
        cohere_end("COMPLETE", 5, 30),
    ),
    "tools": cohere(
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will look."}}},
        cohere_call(0, "", "weather", "weather_1"),
        cohere_call(0, '{"city":'),
        cohere_call(0, ' "Łódź"}'),
        {"type": "tool-call-end", "index": 0},
        cohere_call(1, "{}", "time", "time_2"),
        {"type": "tool-call-end", "index": 1},
        cohere_end("TOOL_CALL", 31, 17),
    ),
}

# Ollama


def ollama(*chunks: dict[str, Any]) -> Stream:
    """Lines, not events: `event_bytes` puts an empty one behind each."""
    fixed = {"model": "llama3.1", "created_at": "2026-01-01T00:00:00Z"}
    return [(_json(fixed | {"done": False} | chunk),) for chunk in chunks]


def spoken(piece: str, **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": piece, **more}}


def ollama_end(reason: str, given: int, output: int) -> dict[str, Any]:
    counts = {"prompt_eval_count": given, "eval_count": output, "total_duration": 5_000}
    return spoken("") | {"done": True, "done_reason": reason} | counts


OLLAMA: dict[str, Stream] = {
    "text": ollama(
        *(spoken(piece) for piece in ("Grüße", ", ", "東京", " 🌍!")), ollama_end("stop", 7, 5)
    ),
    "thinking": ollama(
        spoken("", thinking="Hm, "),
        spoken("", thinking="größer?"),
        spoken("Ja"),
        ollama_end("stop", 9, 6),
    ),
    "tags": ollama(
        *(spoken(piece) for piece in ("<think>", "Hm", "</think>", "Ja")), ollama_end("stop", 9, 6)
    ),
    "tools": ollama(
        spoken("Let me see."),
        spoken(
            "",
            tool_calls=[
                {"function": {"name": "weather", "arguments": {"city": "Oslo"}}},
                {"function": {"name": "time", "arguments": {}}},
            ],
        ),
        ollama_end("stop", 31, 17),
    ),
    "length": ollama(spoken("one"), spoken(" two"), ollama_end("length", 3, 2)),
}

NDJSON = "content-type: application/x-ndjson"
MODELS = {
    "ollama_chat/llama3.1": OLLAMA,
    "cohere_chat/command-a-03-2025": COHERE,
    "openai/gpt-4o": OPENAI,
    "anthropic/claude-sonnet-4-5": ANTHROPIC,
    "gemini/gemini-2.5-flash": GEMINI,
}
# What a format's head says of its body, where that is no event stream.
TYPES = {"ollama_chat/llama3.1": (NDJSON,)}
ALL = [(model, name) for model, streams in MODELS.items() for name in streams]
