"""Turns an answer into writes: which bytes leave at which moment, and the tokens in them.

`writes` lays out the events of an answer as its script wants them; `zipped`, `framed` and
`recut` change the bytes of the writes and never their moments or tokens.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from engine.demo.catalog import Script
from engine.demo.chat import Answer, Piece, Refused
from engine.demo.formats import Encoder

_MS = 1_000_000  # ns
_GZIP = 31  # zlib's window bits for a gzip header
_KEEPALIVE_EVERY = 3
SERVER_FAILED = Refused(500, "server_error", "The demo provider failed as it was scripted to.")


class Write(NamedTuple):
    """`at_ns` counts from the start of service. `tokens` are those whose event this write
    completes. `closing` marks the last write of an answer that ends as it should."""

    at_ns: int
    data: bytes
    tokens: int = 0
    reasoning: bool = False
    closing: bool = False


def writes(
    answer: Answer,
    encoder: Encoder,
    script: Script,
    *,
    first_ns: int,
    gaps_ns: Iterator[int],
    usage_sent: bool,
    rng: Random,
) -> Iterator[Write]:
    """The writes of a streamed answer; they stop early where the script ends it badly."""
    usage = answer.usage if usage_sent else None
    opening, at = encoder.opening(usage), first_ns
    if opening and script.role_ms is not None:
        yield Write(min(round(script.role_ms * _MS), first_ns), opening)
        opening = b""
    for write in _tokens(answer, encoder, script, first_ns, gaps_ns, rng):
        yield write._replace(data=opening + write.data) if opening else write
        opening, at = b"", write.at_ns
    if script.ending == "error":
        yield Write(at, opening + encoder.error(SERVER_FAILED), closing=True)
    elif script.ending == "done":
        ending = encoder.closing(usage, done=script.done)
        yield Write(at + round(script.finish_delay_ms * _MS), opening + ending, closing=True)


def _tokens(
    answer: Answer,
    encoder: Encoder,
    script: Script,
    first_ns: int,
    gaps_ns: Iterator[int],
    rng: Random,
) -> Iterator[Write]:
    at, sent, reasoned = first_ns, 0, 0
    spoilt = _share(answer, script.malformed_after) if script.malformed_after else 0
    stop_at = _share(answer, script.ending_after)
    groups = _groups(answer.pieces, script.chunk_tokens, rng, whole_calls=encoder.whole_calls)
    for number, group in enumerate(groups):
        if sent >= stop_at:
            return
        reasoning = group[0].kind == "reasoning"
        tokens = group[0].tokens if len(group) == 1 else sum(piece.tokens for piece in group)
        for _ in range(tokens - (number == 0)):
            at += next(gaps_ns)
        if script.keepalive and number % _KEEPALIVE_EVERY == 0:
            yield Write(at - _MS // 2, encoder.keepalive())
        sent, reasoned = sent + tokens, reasoned + tokens * reasoning
        if sent - tokens < spoilt <= sent:
            yield Write(at, encoder.malformed())
            continue
        so_far = None
        if script.usage == "every":
            so_far = answer.usage._replace(output=sent, reasoning=reasoned)
        yield Write(at, encoder.pieces(group, so_far), tokens, reasoning)


def duration_ns(answer: Answer, first_ns: int, gaps_ns: Iterator[int]) -> int:
    """How long an answer takes that is sent whole."""
    return first_ns + sum(next(gaps_ns) for _ in range(answer.usage.output - 1))


def zipped(stream: Iterable[Write]) -> Iterator[Write]:
    """The same writes as one gzip stream, flushed after each."""
    packer = zlib.compressobj(wbits=_GZIP)
    for write in stream:
        data = packer.compress(write.data) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield write._replace(data=data + packer.flush() if write.closing else data)


def framed(stream: Iterable[Write], head: bytes, *, chunked: bool) -> Iterator[Write]:
    """The same writes with the response's head and, in HTTP/1.1, chunked coding."""
    for at_ns, data, tokens, reasoning, closing in stream:
        body = data
        if chunked:
            end = b"\r\n0\r\n\r\n" if closing else b"\r\n"
            body = b"%x\r\n%b%b" % (len(data), data, end)
        yield Write(at_ns, head + body if head else body, tokens, reasoning, closing)
        head = b""


def recut(stream: Iterable[Write], choose: Callable[[bytes], int]) -> Iterator[Write]:
    """Each write takes the beginning of the next one along, as far as `choose` says."""
    held: Write | None = None
    for write in stream:
        if held is None:
            held = write
            continue
        cut = choose(write.data)
        yield held._replace(data=held.data + write.data[:cut])
        held = write._replace(data=write.data[cut:])
    if held is not None:
        yield held


def cut_in_character(data: bytes) -> int:
    """A cut after the first byte of a character of several bytes, or in the middle."""
    found = next((at for at, byte in enumerate(data) if byte >= 0xC0), None)
    return len(data) // 2 if found is None else found + 1


def cut_anywhere(rng: Random) -> Callable[[bytes], int]:
    """Cuts at random, but never so late that the write's event would be complete."""
    return lambda data: 1 + int(rng.random() * max(len(data) - 6, 0))


def _groups(
    pieces: Sequence[Piece], size: tuple[int, int], rng: Random, *, whole_calls: bool
) -> Iterator[Sequence[Piece]]:
    """Runs of pieces of one kind, as many as fit one event; a call's pieces are one run if
    `whole_calls`."""
    low, high = size
    if high == 1 and not whole_calls:
        yield from ((piece,) for piece in pieces)
        return
    start = 0
    while start < len(pieces):
        first, end = pieces[start], start + 1
        if whole_calls and first.kind == "call":
            while end < len(pieces) and pieces[end].kind == "arguments":
                end += 1
        else:
            wanted = start + low + int(rng.random() * (high - low + 1))
            while end < min(wanted, len(pieces)) and pieces[end].kind == first.kind != "call":
                end += 1
        yield pieces[start:end]
        start = end


def _share(answer: Answer, share: float) -> int:
    return max(1, int(answer.usage.output * share))
