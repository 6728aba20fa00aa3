"""The recall probe: a fact hidden in the filler and asked for, so that a context size shows
whether the model still reads, not only how fast it talks."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from engine.samples import Sample

# None of these words stands in the filler, so that nothing else can be taken for the fact.
_PLACES = "lighthouse observatory greenhouse windmill planetarium boathouse lodge pavilion".split()
_WORDS = "cobalt amber crimson indigo saffron teal scarlet violet".split()
# Where the fact may lie, as a share of the filler.
SHALLOWEST, DEEPEST = 0.05, 0.95
_GOLDEN = 0.6180339887498949
_FILLING = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Fact:
    """The access code of a place, hidden at `depth` (a share of the filler, 0 is its start)."""

    place: str
    code: str
    depth: float

    @property
    def statement(self) -> str:
        return f"The access code of the {self.place} is {self.code}."

    @property
    def question(self) -> str:
        """Asked for first, so that an answer that is cut short still holds it."""
        return (
            f"First, on a line of its own: what is the access code of the {self.place}? "
            "It stands in the material above. Then go on with this:"
        )


def fact_of(seed: int, tier: int, number: int = 0) -> Fact:
    """The fact of request `number`. Depths go in golden steps from a drawn one on, so that
    even a few requests look everywhere."""
    start = random.Random(f"{seed}:{tier}:depth").random()
    rng = random.Random(f"{seed}:{tier}:{number}:fact")
    return Fact(
        place=rng.choice(_PLACES),
        code=f"{rng.choice(_WORDS)}-{rng.randint(1000, 9999)}",
        depth=SHALLOWEST + (DEEPEST - SHALLOWEST) * ((start + number * _GOLDEN) % 1),
    )


def recalled(sample: Sample, fact: Fact | None) -> bool | None:
    """Whether the answer holds the code, however it is punctuated; None where nothing was
    hidden, and where no answer was seen that could hold it."""
    if fact is None or not sample.ok or sample.ttfa_ms is None:
        return None
    return _bare(fact.code) in _bare(sample.text)


def _bare(text: str) -> str:
    return _FILLING.sub("", text).casefold()
