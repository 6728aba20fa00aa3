"""Builders of response bytes for the tests of the wire and its decoders."""

from __future__ import annotations

import json
from array import array
from typing import Any

from engine.llm.exchange import Capture
from engine.llm.http import Piece


def delta(content: str | None = None, **more: Any) -> dict[str, Any]:
    """A chat completion chunk with one choice."""
    choice: dict[str, Any] = {"index": 0, "delta": dict(more.pop("delta", {}))}
    if content is not None:
        choice["delta"]["content"] = content
    if "finish_reason" in more:
        choice["finish_reason"] = more.pop("finish_reason")
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [choice], **more}  # fmt: skip


def sse(*chunks: dict[str, Any] | str, end: str = "\n\n") -> bytes:
    """Events with the given chunks as data; a string stands for itself."""
    texts = [c if isinstance(c, str) else json.dumps(c, ensure_ascii=False) for c in chunks]
    return "".join(f"data: {text}{end}" for text in texts).encode()


def chunked(*bodies: bytes) -> bytes:
    """The bodies in chunked transfer coding, with the last chunk."""
    framed = b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies if body)
    return framed + b"0\r\n\r\n"


def head(*lines: str, status: str = "200 OK", chunked: bool = True) -> bytes:
    """A response head for an event stream."""
    fixed = [f"HTTP/1.1 {status}", "content-type: text/event-stream"]
    if chunked:
        fixed.append("transfer-encoding: chunked")
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


def capture_of(*reads: bytes, ended: Any = "complete", step_ns: int = 1_000_000) -> Capture:
    """A capture whose reads arrive `step_ns` apart, the first one at `step_ns`."""
    times = array("q", (step_ns * (index + 1) for index in range(len(reads))))
    return Capture(times=times, chunks=list(reads), ended=ended, ended_ns=step_ns * len(reads))


def pieces_of(*bodies: bytes) -> list[Piece]:
    """Body pieces at 1, 2, 3 ... nanoseconds."""
    return [Piece(index + 1, body) for index, body in enumerate(bodies)]


ANSWER = (
    delta("", delta={"role": "assistant"}),
    delta("Grüße"),
    delta(", "),
    delta("Welt 🌍"),
    delta(finish_reason="stop"),
    delta(usage={"prompt_tokens": 7, "completion_tokens": 3}) | {"choices": []},
    "[DONE]",
)
