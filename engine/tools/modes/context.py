"""What every mode is given beside the case and the answer, and what they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.specs import ToolWeights
from engine.tools.answers import ERROR_TYPES, Answer, Call
from engine.tools.matchers import Similarity

_RANK = {name: rank for rank, name in enumerate(ERROR_TYPES)}


@dataclass(frozen=True, slots=True)
class Context:
    """How an evaluation scores; `end_state` is the mock tools' of this trial."""

    weights: ToolWeights
    count_recovered: bool = False
    similarity: Similarity | None = None
    end_state: dict[str, Any] | None = None

    def ending(self, state: dict[str, Any]) -> Context:
        """The same for a trial that ended in a state."""
        return replace(self, end_state=state)

    def counted(self, answer: Answer) -> tuple[Call, ...] | None:
        """The calls that count; None when there is no call that can be read."""
        if answer.recovered and not self.count_recovered:
            return ()
        return answer.calls


def worst_first(errors: Iterable[str]) -> tuple[str, ...]:
    """Each class once, the worst first."""
    return tuple(sorted(set(errors), key=_RANK.__getitem__))
