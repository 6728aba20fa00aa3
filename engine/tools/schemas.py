"""JSON Schema 2020-12 of tools: what is wrong with a schema, and what is wrong with arguments.

References are followed inside a schema only, nothing is ever fetched; patterns run on RE2;
a schema that refers to itself, or that multiplies, ends by a bound. jsonschema is imported on
first use.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.tools import quick_schema, schema_errors
from engine.tools.schema_errors import PROBLEMS_MAX, BadSchema, Problem
from engine.tools.suites import Suite, Tool

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["BadSchema", "Problem", "Schema", "check_tool", "problems", "problems_of"]

_DEPTH_MAX = 100


class Schema:
    """A tool's parameters, made ready once for many checks."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.parameters = parameters

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The explicit defaults of top-level arguments."""
        return {
            name: item["default"]
            for name, item in self.properties.items()
            if isinstance(item, dict) and "default" in item
        }

    @cached_property
    def properties(self) -> dict[str, Any]:
        """The arguments that are named, through local references and combined schemas."""
        found: dict[str, Any] = {}
        for part in _combined(self.parameters, self.parameters, set()):
            own = part.get("properties")
            if isinstance(own, dict):
                found = {**own, **found}
        return found

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The top-level arguments that must be there."""
        names = self.parameters.get("required", ())
        return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()

    def problems(self, arguments: Any) -> list[Problem]:
        """What is wrong with the arguments, at most PROBLEMS_MAX; BadSchema when the schema
        itself makes the question unanswerable."""
        if self._quick is not None:
            faults = self._quick(arguments)
            return schema_errors.told(faults) if faults else []
        return schema_errors.explained(self._validator, arguments)

    @property
    def is_plain(self) -> bool:
        """Whether the schema is sound and needs but the plain part of the language."""
        return self._quick is not None

    @cached_property
    def _quick(self) -> quick_schema.Check | None:
        """The plain check of a plain schema of an object, None for any other."""
        if self.parameters.get("type", "object") != "object":
            return None
        return quick_schema.compiled(self.parameters)

    @cached_property
    def _validator(self) -> Validator:
        from engine.tools.validator import validator_for

        return validator_for(self.parameters)


def problems(schema: dict[str, Any], arguments: Any) -> list[Problem]:
    """`Schema(schema).problems(arguments)`, for a single check."""
    return Schema(schema).problems(arguments)


def check_tool(tool: Tool) -> list[str]:
    """What is wrong with a tool's schema, as sentences; [] when it can be used."""
    if Schema(tool.parameters).is_plain:
        return []
    from engine.tools.schema_faults import schema_faults

    return list(islice(schema_faults(tool.parameters), PROBLEMS_MAX))


def problems_of(suite: Suite, *, similarity: bool = False) -> dict[str, str]:
    """What keeps a suite from being saved: a sentence for each place (`cases.3.expect…`, as in
    `engine.specs.explain`), {} when it can be used.

    `similarity` says that semantic matchers have somebody to ask: an embedding model or a
    judge.
    """
    from engine.tools.checks import suite_problems

    return suite_problems(suite, similarity=similarity)


def _combined(
    part: Any, root: dict[str, Any], seen: set[int], depth: int = 0
) -> Iterator[dict[str, Any]]:
    """A schema and those it is combined of by allOf, anyOf, oneOf and local references."""
    if not isinstance(part, dict) or id(part) in seen or depth > _DEPTH_MAX:
        return
    seen.add(id(part))
    yield part
    if isinstance(part.get("$ref"), str):
        yield from _combined(_local(part["$ref"], root), root, seen, depth + 1)
    for word in ("allOf", "anyOf", "oneOf"):
        listed = part.get(word)
        for item in listed if isinstance(listed, list) else ():
            yield from _combined(item, root, seen, depth + 1)


def _local(ref: str, root: dict[str, Any]) -> Any:
    """What `#/a/b` points at, None when it points nowhere in this schema."""
    if not ref.startswith("#"):
        return None
    place: Any = root
    for raw in ref[1:].split("/")[1:]:
        key = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        elif isinstance(place, dict) and key in place:
            place = place[key]
        else:
            return None
    return place
