"""What is wrong with the schema of a tool's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from engine.tools.schema_shape import surely_sound

DEPTH_MAX = 100
# Values of these words are data, not schemas.
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
_MAPS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
# Words whose schemas look at the same value as the schema they stand in.
_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")


def schema_faults(schema: Any) -> Iterator[str]:
    """Sentences, the most basic first; nothing is fetched and nothing hangs."""
    if not isinstance(schema, dict):
        yield "Parameters must be a JSON Schema object."
        return
    if _deeper_than(schema, DEPTH_MAX):
        yield f"The schema is nested more than {DEPTH_MAX} levels deep."
        return
    if schema.get("type", "object") != "object":
        yield 'Parameters must be of type "object": arguments have names.'
    if not surely_sound(schema):
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            place = ".".join(str(part) for part in error.absolute_path) or "The schema"
            yield f"{place}: {error.message[:200]}."
            return
    yield from _reference_faults(schema)


def _reference_faults(schema: dict[str, Any]) -> Iterator[str]:
    resource: Resource[Any] = DRAFT202012.create_resource(schema)
    resolver = Registry().with_resource("", resource).crawl().resolver()
    same_value: dict[int, list[Any]] = {}
    sound = True
    for part in _schemas(schema):
        if "patternProperties" in part and "unevaluatedProperties" in part:
            yield "patternProperties beside unevaluatedProperties is not supported."
        targets = same_value[id(part)] = [*_beside(part)]
        for word in ("$ref", "$dynamicRef"):
            if not isinstance(ref := part.get(word), str):
                continue
            try:
                targets.append(resolver.lookup(ref).contents)
            except (Unresolvable, ValueError):
                sound = False
                yield f"{word} {ref[:100]!r} leads nowhere in this schema; nothing is fetched."
    if sound and _has_loop(same_value):
        yield "The schema refers to itself without end."


def _schemas(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema, itself first."""
    pending: list[Any] = [root]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            yield part
            for word, value in part.items():
                if word in _MAPS and isinstance(value, dict):
                    pending += value.values()
                elif word not in _DATA:
                    pending.append(value)


def _beside(part: dict[str, Any]) -> Iterator[Any]:
    for word in _SAME_VALUE:
        value = part.get(word)
        yield from value if isinstance(value, list) else [value]


def _has_loop(edges: dict[int, list[Any]]) -> bool:
    """Whether some schema reaches itself without looking into the value."""
    done: set[int] = set()
    for start, first in edges.items():
        path: list[tuple[int, Iterator[Any]]] = [(start, iter(first))]
        open_: set[int] = {start}
        while path and start not in done:
            here, following = path[-1]
            target = next((id(t) for t in following if id(t) in edges), None)
            if target in open_:
                return True
            if target is None:
                path.pop()
                open_.discard(here)
                done.add(here)
            elif target not in done:
                path.append((target, iter(edges[target])))
                open_.add(target)
    return False


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            part
            for item in level
            for part in (item.values() if isinstance(item, dict) else item)
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True
