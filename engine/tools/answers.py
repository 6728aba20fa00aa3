"""What a model answered, and how it was scored: plain data between asking, scoring and
showing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

# What a model can get wrong, in the order in which the worst is named first.
ERROR_TYPES = (
    "malformed_arguments",
    "no_call",
    "unneeded_call",
    "unknown_tool",
    "wrong_tool",
    "missing_call",
    "extra_call",
    "wrong_order",
    "missing_argument",
    "unknown_argument",
    "wrong_type",
    "invalid_schema",
    "wrong_value",
    "ignored_source",
    "stalled_chain",
)
Mode = Literal["studio", "bfcl", "schema", "state"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the model made it. `arguments` is None when `raw` could not be read as a
    JSON object; `id` is the provider's."""

    name: str
    arguments: dict[str, Any] | None
    raw: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model: its calls in order, () for none.

    `calls` None means that it tried to call and could not be decoded: never an abstention.
    `recovered` says that the calls were read out of plain text.
    """

    calls: tuple[Call, ...] | None
    text: str = ""
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class ArgumentDiff:
    """An argument, expected and found. `rule` says what decided, in one sentence; `error` is
    its class, None when it fits.

    `call` counts the answer's calls from 0; -1 is an expected call that was not made. `name`
    "" is the call itself: then `expected` and `found` are names of tools, or the text that
    could not be read. Of several allowed values `expected` is the list.
    """

    call: int
    name: str
    expected: Any
    found: Any
    present: bool
    rule: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one trial.

    `passed`: every part full. `error_type` is the worst class that fired (`ERROR_TYPES`, or
    one of BFCL's in that mode), None when passed. `scores` are the parts from 0 to 1 by name
    (overall, selection, arguments, schema, abstention, completion, efficiency …); a part that
    does not apply is missing. `reason` is one sentence for a reader.
    """

    passed: bool
    error_type: str | None
    scores: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    diffs: tuple[ArgumentDiff, ...] = ()
    errors: tuple[str, ...] = ()
