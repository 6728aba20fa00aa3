"""Decides what is answered: prose, or a tool call, cut to the lengths that were asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from random import Random

from engine.demo import prose, skill
from engine.demo.catalog import Model, Script
from engine.demo.chat import Answer, Call, ChatRequest, Piece, Refused, Tool, Usage, dice
from engine.demo.tokens import compact, count, input_tokens, split

_BLOCK_TOKENS = 128
_BLOCKS_KEPT = 50_000
# Called by the script that must call a tool, when the request offers none.
_LOOK_UP = Tool(
    "look_up",
    "Look a term up.",
    {"properties": {"term": {"type": "string"}}, "required": ["term"]},
    {},
)


class PrefixCache:
    """Remembers input prefixes in blocks of 128 tokens; the oldest blocks are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, model_id: str, tokens: Sequence[str]) -> int:
        """How many input tokens lie in a prefix that this model read before."""
        chain, hits, unbroken = model_id.encode(), 0, True
        for at in range(_BLOCK_TOKENS, len(tokens) + 1, _BLOCK_TOKENS):
            block = "".join(tokens[at - _BLOCK_TOKENS : at]).encode("utf-8", "replace")
            chain = blake2b(chain + block, digest_size=16).digest()
            unbroken = unbroken and chain in self._known
            hits += unbroken
            self._known[chain] = None
            self._known.move_to_end(chain)
        while len(self._known) > _BLOCKS_KEPT:
            self._known.popitem(last=False)
        return hits * _BLOCK_TOKENS


def read_input(request: ChatRequest, model: Model, cache: PrefixCache) -> Usage:
    """The input counts of a request, with no output yet; Refused(400) if it does not fit."""
    tokens = input_tokens(
        ((message.role, message.text + message.calls) for message in request.messages),
        (tool.source for tool in request.tools),
    )
    size, wanted = len(tokens), request.max_tokens or 0
    if size + max(wanted, 1) > model.window:
        asked = f" and asks for up to {wanted:,} more" if wanted else ""
        raise Refused(
            400,
            "context_length_exceeded",
            f"This model's maximum context length is {model.window} tokens; the request has "
            f"{size:,} input tokens{asked}. Shorten the messages or lower max_tokens.",
            "messages",
        )
    if wanted > model.max_output:
        raise Refused(
            400,
            "invalid_value",
            f"{model.id} answers with {model.max_output:,} tokens at most; lower max_tokens.",
            "max_tokens",
        )
    if not model.caches_prefixes:
        return Usage(input=size, output=0)
    cached = cache.cached_tokens(model.id, tokens)
    stored = size - size % _BLOCK_TOKENS - cached
    return Usage(input=size, output=0, cached=cached, stored=stored)


def compose(
    request: ChatRequest,
    model: Model,
    script: Script,
    usage: Usage,
    *,
    answer_id: str,
    seed: int,
    ordinal: int,
    said: str = "",
) -> tuple[Answer, skill.Attempt]:
    """The whole answer and what was decided about tools.

    `usage` carries the input counts, and a text begins with `said`. At temperature 0 or with
    a seed, a repeated request (its `ordinal` counts from 0) gets the same answer.
    """
    fixed = request.temperature == 0 or request.seed is not None
    rng = dice(seed, model.id, request.last("user"), request.seed, 0 if fixed else ordinal)
    tried = _attempt(request, model, script, rng)
    limit = request.max_tokens or min(model.max_output, model.window - usage.input)
    pieces, finish = _thoughts(request, script, rng), "stop"
    calls: tuple[Call, ...] = ()
    if tried.tool is not None:
        calls = tuple(
            Call(f"call_{rng.getrandbits(48):012x}", name, compact(arguments))
            for name, arguments in tried.calls
        )
        pieces += _call_pieces(calls)
        finish = "tool_calls"
    elif not script.empty:
        pieces += (
            Piece("text", token) for token in _text(request, model, script, limit, rng, said)
        )
    kept = tuple(_fitting(pieces, limit))
    if len(kept) < len(pieces):
        finish, calls = "length", tuple(_made(calls, kept))
    output = sum(piece.tokens for piece in kept)
    reasoning = sum(piece.tokens for piece in kept if piece.kind == "reasoning")
    counts = usage._replace(output=output, reasoning=reasoning)
    return Answer(answer_id, request.model, kept, calls, finish, counts), tried


def _thoughts(request: ChatRequest, script: Script, rng: Random) -> list[Piece]:
    if not script.reasoning_tokens:
        return []
    tokens = prose.write(request.last("user"), script.reasoning_tokens, rng)
    return [Piece("reasoning", token) for token in tokens[: script.reasoning_tokens]]


def _attempt(request: ChatRequest, model: Model, script: Script, rng: Random) -> skill.Attempt:
    if script.empty:
        return skill.Attempt(None, {})
    if script.tool_call and not request.tools:
        term = prose.topic_of(request.last("user"))
        return skill.Attempt(_LOOK_UP.name, {"term": term})
    return skill.attempt(model, request, rng)


def _call_pieces(calls: Iterable[Call]) -> Iterator[Piece]:
    for index, call in enumerate(calls):
        yield Piece("call", call.name, count(call.name), index)
        for token in split(call.arguments):
            yield Piece("arguments", token, 1, index)


def _made(calls: Iterable[Call], kept: Sequence[Piece]) -> Iterator[Call]:
    """The calls as far as they were sent."""
    for index, call in enumerate(calls):
        sent = [piece for piece in kept if piece.kind != "text" and piece.call == index]
        if any(piece.kind == "call" for piece in sent):
            arguments = "".join(piece.text for piece in sent if piece.kind == "arguments")
            yield call._replace(arguments=arguments)


def _text(
    request: ChatRequest, model: Model, script: Script, limit: int, rng: Random, said: str
) -> list[str]:
    """The answer's tokens up to a stop text; more than `limit` when it would go on."""
    if script.text is not None:
        tokens = split(script.text)
    else:
        low, high = model.answer_tokens
        natural = low + int(rng.random() * (high - low + 1))
        length = limit + 1 if request.ignore_eos else max(natural, request.min_tokens)
        tokens = split(said + _told(request)) + prose.write(
            request.last("user"), min(length, limit + 1), rng
        )
    if not request.stop:
        return tokens
    text = "".join(tokens[: limit + 1])
    found = [text.find(stop) for stop in request.stop if stop in text]
    return split(text[: min(found)]) if found else tokens


def _told(request: ChatRequest) -> str:
    """After a tool has answered, the model says what it was told."""
    last = request.messages[-1]
    if last.role != "tool":
        return ""
    return f"The tool answered: {' '.join(last.text[:400].split())}\n\n"


def _fitting(pieces: Iterable[Piece], limit: int) -> Iterator[Piece]:
    for piece in pieces:
        limit -= piece.tokens
        if limit < 0:
            return
        yield piece
