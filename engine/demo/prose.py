"""Answers in prose about the prompt's topic, from the frames and words of prose.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import yaml

from engine.demo.tokens import split

# The topic is looked for in the last line of the prompt, where the question stands.
_TOPIC_CHARS = 600
_WORD = re.compile(r"[^\W\d_]{4,24}")
_SLOT = re.compile(r"\{(\w+)\}")
_COMMON = frozenset(
    "about above actually after again also answer been before being below between both "
    "briefly cannot could describe does doing down each every example explain explains find "
    "first from gets give given goes happen happens have help here into just know less like "
    "list make makes many mean means more most much must need only other over paragraph "
    "please same sentence sentences shall short should show some such summarise summarize "
    "tell than that their them then there these they this those three through under until "
    "using very want were what when where which while will with word words work works would "
    "write your yourself".split()
)

Frame = tuple[str, ...]  # literal, slot, literal, slot ... literal


class _Grammar(NamedTuple):
    openings: Sequence[Frame]
    sentences: Sequence[Frame]
    closings: Sequence[Frame]
    lists: Sequence[Frame]
    slots: dict[str, Sequence[Frame]]


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    path = Path(__file__).parent / "prose.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    slots: dict[str, Sequence[Frame]] = {
        name: _frames(entries) for name, entries in data.pop("slots").items()
    }
    return _Grammar(slots=slots, **{name: _frames(texts) for name, texts in data.items()})


def _frames(texts: Sequence[str]) -> tuple[Frame, ...]:
    return tuple(tuple(_SLOT.split(text)) for text in texts)


def topic_of(prompt: str) -> str:
    """The first telling word of the prompt's last line, in lower case."""
    line = prompt[-_TOPIC_CHARS:].rstrip().rpartition("\n")[2]
    words = (word.lower() for word in _WORD.findall(line))
    return next((word for word in words if word not in _COMMON), "the question")


def write(prompt: str, length: int, rng: Random) -> list[str]:
    """The tokens of a text about the prompt: at least `length`, ending with a sentence.

    It is decided by `prompt`'s topic, `length` and `rng` alone.
    """
    topic, tokens = topic_of(prompt), []
    for sentence in _sentences(topic, rng):
        tokens += split(sentence)
        if len(tokens) >= length:
            return tokens
    raise AssertionError("sentences never end")


def _sentences(topic: str, rng: Random) -> Iterator[str]:
    grammar = _grammar()
    yield _say(_pick(grammar.openings, rng), topic, rng)
    while True:
        for _ in range(2 + int(rng.random() * 4)):
            yield " " + _say(_pick(grammar.sentences, rng), topic, rng)
        turn = rng.random()
        kind = "lists" if turn < 0.2 else "closings" if turn < 0.4 else "sentences"
        frames: Sequence[Frame] = getattr(grammar, kind)
        yield "\n\n" + _say(_pick(frames, rng), topic, rng)


def _say(frame: Frame, topic: str, rng: Random) -> str:
    text = _fill(frame, topic, rng)
    return text[0].upper() + text[1:]


def _fill(frame: Frame, topic: str, rng: Random) -> str:
    slots, parts = _grammar().slots, list(frame)
    for i in range(1, len(parts), 2):
        slot = parts[i].lower()
        text = topic if slot == "topic" else _fill(_pick(slots[slot], rng), topic, rng)
        parts[i] = text[0].upper() + text[1:] if text and parts[i][0].isupper() else text
    return "".join(parts)


def _pick(frames: Sequence[Frame], rng: Random) -> Frame:
    return frames[int(rng.random() * len(frames))]
