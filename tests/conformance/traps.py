"""The twelve traps: what a server writes, when, and how many tokens each write completes.

Nothing here comes from the engine or the demo provider. Moments are milliseconds after the
request was received. Words are single tokens of cl100k, so that a count by tiktoken has a
truth too.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Part = Literal["text", "reasoning", "tool"]

FIRST_MS, GAP_MS = 120.0, 10.0
WORDS = tuple(" the sea rises and falls twice a day because the moon pulls".split(" ")[1:])
INPUT = 9


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that leave at a moment, and the tokens of one part whose event they complete."""

    at_ms: float
    data: bytes
    tokens: int = 0
    part: Part = "text"


@dataclass(frozen=True, slots=True)
class Trap:
    """One stream. `text` and `arguments` are the answer; `estimated` says that the tokens
    must be marked as a count of ours, `bundled` that single gaps cannot be known. `refused`
    is the head of a first answer that turns the request away."""

    name: str
    why: str
    writes: tuple[Write, ...]
    text: str
    arguments: str = ""
    outcome: Literal["ok", "incomplete"] = "ok"
    cut: bool = False
    bundled: bool = False
    estimated: bool = False
    refused: bytes = b""


def traps() -> list[Trap]:
    """All twelve; a trap that is two streams is listed twice under one name."""
    return [
        _role_only(),
        _empty_and_comments(),
        _four_a_chunk(),
        _usage_every_chunk(),
        _reasoning_first(),
        _tool_calls(),
        _split_characters(),
        _split_events(),
        _late_finish(),
        _no_usage(),
        _no_done(),
        _cut(),
        _gzip(),
        _retry(),
    ]


def _event(*, usage: Any = None, finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk: dict[str, Any] = {"id": "t", "object": "chat.completion.chunk", "choices": [choice]}
    if usage is not None:
        chunk["usage"] = usage
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


def _usage(output: int, **details: int) -> dict[str, Any]:
    counts: dict[str, Any] = {"prompt_tokens": INPUT, "completion_tokens": output}
    if details:
        counts["completion_tokens_details"] = details
    return counts | {"total_tokens": INPUT + output}


def _end(at_ms: float, output: int | None, finish: str = "stop", **details: int) -> list[Write]:
    """Finish reason, usage and [DONE], each in a write of its own."""
    usage = json.dumps({"choices": [], "usage": _usage(output, **details)}) if output else ""
    ends = [_event(finish=finish), f"data: {usage}\n\n".encode() if usage else b""]
    return [Write(at_ms, data) for data in [*ends, b"data: [DONE]\n\n"] if data]


def _words(count: int, first_ms: float = FIRST_MS) -> list[Write]:
    """That many words, one token and one write each."""
    return [
        Write(first_ms + GAP_MS * index, _event(content=_word(index)), 1) for index in range(count)
    ]


def _word(index: int) -> str:
    return f" {WORDS[index % len(WORDS)]}"


def _text(count: int) -> str:
    return "".join(map(_word, range(count)))


def _framed(writes: Iterable[Write], *headers: str, cut: bool = False) -> tuple[Write, ...]:
    """The writes as one HTTP response in chunked coding, its head leaving with the first."""
    lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked"]
    head = "\r\n".join([*lines, *headers, "", ""]).encode()
    framed = [replace(w, data=b"%x\r\n%s\r\n" % (len(w.data), w.data)) for w in writes]
    framed[0] = replace(framed[0], data=head + framed[0].data)
    if not cut:
        framed[-1] = replace(framed[-1], data=framed[-1].data + b"0\r\n\r\n")
    return tuple(framed)


def _last(writes: Sequence[Write]) -> float:
    return writes[-1].at_ms + 1


def _role_only() -> Trap:
    role, words = Write(20, _event(role="assistant", content="")), _words(20)
    return Trap(
        "role-only first chunk",
        "the role comes 100 ms before the first token",
        _framed([role, *words, *_end(_last(words), 20)]),
        _text(20),
    )


def _empty_and_comments() -> Trap:
    silent = [
        Write(10, b": waiting\n\n"),
        Write(40, _event(content="")),
        Write(70, _event(role="assistant", content=None, reasoning_content="")),
        Write(90, b":\n\n"),
    ]
    between = [Write(word.at_ms + 5, b": still here\n\n" + _event()) for word in _words(12)]
    words = sorted([*_words(12), *between], key=lambda write: write.at_ms)
    return Trap(
        "empty deltas, comments",
        "keep-alives and deltas without content stand between the tokens",
        _framed([*silent, *words, *_end(_last(words), 12)]),
        _text(12),
    )


def _four_a_chunk() -> Trap:
    writes = [
        Write(
            FIRST_MS + 4 * GAP_MS * n,
            _event(content="".join(map(_word, range(4 * n, 4 * n + 4)))),
            4,
        )
        for n in range(6)
    ]
    return Trap(
        "four tokens a chunk",
        "the number of chunks is a quarter of the tokens",
        _framed([*writes, *_end(_last(writes), 24)]),
        _text(24),
        bundled=True,
    )


def _usage_every_chunk() -> Trap:
    writes, said, at_ms = [], 0, FIRST_MS
    for tokens in (1, 4, 2, 3, 4, 1, 4):
        at_ms += GAP_MS * tokens
        content = "".join(_word(said + n) for n in range(tokens))
        said += tokens
        writes.append(Write(at_ms, _event(content=content, usage=_usage(said)), tokens))
    return Trap(
        "usage in every chunk",
        "tokens of each chunk are known, and differ",
        _framed([*writes, *_end(_last(writes), said)]),
        _text(said),
    )


def _reasoning_first() -> Trap:
    thoughts = [
        Write(FIRST_MS + GAP_MS * n, _event(reasoning_content=_word(n)), 1, "reasoning")
        for n in range(20)
    ]
    words = _words(8, first_ms=_last(thoughts) + 60)
    return Trap(
        "reasoning before the answer",
        "the first token and the first token of the answer are two moments",
        _framed([*thoughts, *words, *_end(_last(words), 28, reasoning_tokens=20)]),
        _text(8),
    )


def _tool_calls() -> Trap:
    arguments = ['{"', "city", '":', ' "', "O", "slo", '"}']
    start = {"index": 0, "id": "call_1", "type": "function"}
    named = start | {"function": {"name": "weather", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    writes = [
        Write(FIRST_MS + GAP_MS * n, _event(tool_calls=[call]), 1, "tool")
        for n, call in enumerate([named, *pieces])
    ]
    role = Write(30, _event(role="assistant", content=None))
    return Trap(
        "tool-call deltas",
        "the answer is a call and has no content at all",
        _framed([role, *writes, *_end(_last(writes), len(writes), "tool_calls")]),
        "",
        "".join(arguments),
    )


def _split_characters() -> Trap:
    pieces = ["grün", "größe", " 東京", " Ωmega", " 🌊", "œuvre", "naïve", " Łódź"]
    writes = [
        Write(FIRST_MS + GAP_MS * n, _event(content=piece), 1) for n, piece in enumerate(pieces)
    ]

    def inside(data: bytes) -> int:
        return next(at for at, byte in enumerate(data) if byte >= 0xC0) + 1

    whole = _framed([*writes, *_end(_last(writes), len(pieces))])
    return Trap(
        "split characters and events",
        "a write ends inside a character of the next event",
        _recut(whole, [inside(w.data) if w.tokens else 0 for w in whole]),
        "".join(pieces),
    )


def _split_events() -> Trap:
    words = _words(12)
    whole = _framed([*words, *_end(_last(words), 12)])
    cuts = [1 + 7 * n % (len(write.data) - 6) for n, write in enumerate(whole)]
    return Trap(
        "split characters and events",
        "a write ends anywhere in the next event or its framing",
        _recut(whole, cuts),
        _text(12),
    )


def _recut(writes: Sequence[Write], cuts: Sequence[int]) -> tuple[Write, ...]:
    """Each write takes along that many bytes of the next, which is complete only later."""
    out = [writes[0]]
    for write, cut in zip(writes[1:], cuts[1:], strict=True):
        out[-1] = replace(out[-1], data=out[-1].data + write.data[:cut])
        out.append(replace(write, data=write.data[cut:]))
    return tuple(out)


def _late_finish() -> Trap:
    words = _words(20)
    return Trap(
        "finish 300 ms late",
        "finish reason and usage come long after the last token",
        _framed([*words, *_end(_last(words) + 299, 20)]),
        _text(20),
    )


def _no_usage() -> Trap:
    writes = [
        Write(FIRST_MS + 2 * GAP_MS * n, _event(content=_word(2 * n) + _word(2 * n + 1)), 2)
        for n in range(6)
    ]
    return Trap(
        "no usage",
        "nobody says how many tokens came",
        _framed([*writes, *_end(_last(writes), None)]),
        _text(12),
        bundled=True,
        estimated=True,
    )


def _no_done() -> Trap:
    words = _words(12)
    return Trap(
        "no [DONE], or a cut",
        "the stream ends with its finish reason and usage",
        _framed([*words, *_end(_last(words), 12)[:-1]]),
        _text(12),
    )


def _cut() -> Trap:
    words = _words(12)
    return Trap(
        "no [DONE], or a cut",
        "the connection closes in the middle of the answer",
        _framed([*words, Write(_last(words), b'data: {"choi')], cut=True),
        _text(12),
        outcome="incomplete",
        cut=True,
    )


def _gzip() -> Trap:
    words = _words(20)
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    zipped = []
    for write in [*words, *_end(_last(words), 20)]:
        data = packer.compress(write.data) + packer.flush(zlib.Z_SYNC_FLUSH)
        zipped.append(replace(write, data=data))
    zipped[-1] = replace(zipped[-1], data=zipped[-1].data + packer.flush())
    assert gzip.decompress(b"".join(write.data for write in zipped))
    return Trap(
        "gzip",
        "the events are compressed, although nobody asked for it",
        _framed(zipped, "content-encoding: gzip"),
        _text(20),
    )


def _retry() -> Trap:
    words = _words(12)
    body = b'{"error": {"message": "slow down", "type": "rate_limit_error"}}'
    head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0.15\r\ncontent-type: application/json"
    return Trap(
        "retry after 429",
        "the first try is refused and the clock must start anew",
        _framed([*words, *_end(_last(words), 12)]),
        _text(12),
        refused=f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body,
    )
