"""Ollama's lines, as LiteLLM reads them and beyond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.llm.answer import Decoded, Usage
from engine.llm.decode import decode
from tests.engine.llm.agreement import both, counted, same_answer
from tests.engine.llm.formats import (
    NDJSON,
    OLLAMA,
    Stream,
    ollama,
    ollama_end,
    one_read_each,
    recorded,
    spoken,
)
from tests.engine.llm.streams import capture_of

MODEL = "ollama_chat/llama3.1"


def read(stream: Stream, model: str = MODEL) -> Decoded:
    return decode(one_read_each(stream, NDJSON), model, ())


# LiteLLM takes what follows a tag that is a piece of its own for text.
@pytest.mark.parametrize("name", sorted(OLLAMA.keys() - {"tags"}))
def test_it_agrees_with_litellm_on_the_same_bytes(name: str) -> None:
    ours, theirs = both(recorded(MODEL, name), MODEL)
    same_answer(ours, theirs)
    assert counted(ours.usage) == counted(theirs.usage)


def test_its_completion_is_read_like_its_chat() -> None:
    words = [{"response": piece} for piece in ("Grüße", ", 東京")]
    last = {"response": "", "done": True, "prompt_eval_count": 7, "eval_count": 3}
    model = "ollama/llama3.1"
    ours, theirs = both(one_read_each(ollama(*words, last), NDJSON), model)
    same_answer(ours, theirs)
    assert (ours.text, ours.usage) == ("Grüße, 東京", Usage(7, 3))


def test_thoughts_may_come_beside_the_text_or_between_tags() -> None:
    for name in ("thinking", "tags"):
        decoded = read(OLLAMA[name])
        assert decoded.text == "Ja"
        assert decoded.reasoning.startswith("Hm")
        assert [event.part for event in decoded.events][-1] == "text"


def test_calls_come_whole_and_without_ids() -> None:
    decoded = read(OLLAMA["tools"])
    assert decoded.finish_reason == "tool_calls"
    assert [(c["name"], json.loads(c["arguments"])) for c in decoded.tool_calls] == [
        ("weather", {"city": "Oslo"}),
        ("time", {}),
    ]
    assert [event.part for event in decoded.events] == ["text", "tool"]


def test_a_prompt_that_was_wholly_cached_is_not_counted() -> None:
    end: dict[str, Any] = ollama_end("stop", 0, 2)
    del end["prompt_eval_count"]
    assert read(ollama(spoken("a b"), end)).usage == Usage(None, 2)


def test_an_error_ends_the_answer_in_its_words() -> None:
    decoded = read([*ollama(spoken("part")), ('{"error": "model runner has crashed"}',)])
    assert (decoded.text, decoded.finished) == ("part", False)
    assert decoded.error is not None
    assert "model runner has crashed" in decoded.error.message


def test_a_whole_answer_is_read() -> None:
    body = json.dumps({"model": "m", **spoken("yes"), "done": True, "eval_count": 1}).encode()
    start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    decoded = decode(capture_of(start % len(body) + body), MODEL, ())
    assert (decoded.text, decoded.finished, decoded.usage.output) == ("yes", True, 1)
