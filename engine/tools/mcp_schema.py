"""An MCP tool's input schema as models and scorers like it: local references put in place,
and "this or null" as one type. What cannot be said more simply stays as it came."""

from __future__ import annotations

from typing import Any

_PREFIXES = ("#/$defs/", "#/definitions/")
# References to references grow without end; beyond this the schema stays as it came.
NODES_MAX = 5_000
DEFINITIONS_MAX = 500
NESTED_MAX = 40
# Keywords that decide nothing: what stands beside a reference or a union wins.
_NOTES = frozenset({"title", "description", "default", "examples", "deprecated"})


class _TooLarge(Exception):
    """Putting the references in place would blow the schema up."""


def mapped(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that means the same. A definition that refers to itself is kept as one, with
    its `$ref`; references to elsewhere stay as they are."""
    try:
        return _Mapper(schema).run()
    except _TooLarge:
        return schema


class _Mapper:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._defs = {
            prefix + name: part
            for prefix in _PREFIXES
            for name, part in _table(schema, prefix).items()
        }
        if len(self._defs) > DEFINITIONS_MAX:
            raise _TooLarge
        self._named = {ref: self._refs(part) for ref, part in self._defs.items()}
        self._left = NODES_MAX
        self._kept: set[str] = set()

    def run(self) -> dict[str, Any]:
        root = {k: v for k, v in self._schema.items() if k not in ("$defs", "definitions")}
        out: dict[str, Any] = self._part(root, ())
        done: dict[str, Any] = {}
        while missing := sorted(self._kept - done.keys()):
            done |= {ref: self._part(self._defs[ref], (ref,)) for ref in missing}
        for ref in sorted(done):
            _, place, name = ref.split("/", 2)
            out.setdefault(place, {})[name] = done[ref]
        return out

    def _part(self, part: Any, inside: tuple[str, ...]) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooLarge
        if isinstance(part, list):
            return [self._part(item, inside) for item in part]
        if not isinstance(part, dict):
            return part
        ref = part.get("$ref")
        if isinstance(ref, str) and ref in self._defs:
            return self._referred(ref, part, inside)
        return _nullable({key: self._part(value, inside) for key, value in part.items()})

    def _referred(self, ref: str, part: dict[str, Any], inside: tuple[str, ...]) -> Any:
        if len(inside) > NESTED_MAX:
            raise _TooLarge
        if ref in inside or self._returns(ref):
            self._kept.add(ref)
            return dict(part)
        beside = {key: value for key, value in part.items() if key != "$ref"}
        target = self._defs[ref]
        if not isinstance(target, dict):
            return self._part(target, (*inside, ref))
        if beside.keys() & target.keys() - _NOTES:
            return self._part(
                {**beside, "allOf": [target, *beside.get("allOf", ())]}, (*inside, ref)
            )
        return self._part({**target, **beside}, (*inside, ref))

    def _returns(self, ref: str) -> bool:
        """Whether a definition leads back to itself."""
        seen: set[str] = set()
        waiting = set(self._named[ref])
        while waiting:
            found = waiting.pop()
            if found == ref:
                return True
            if found not in seen:
                seen.add(found)
                waiting |= self._named[found]
        return False

    def _refs(self, part: Any) -> set[str]:
        found: set[str] = set()
        waiting = [part]
        while waiting:
            item = waiting.pop()
            if isinstance(item, dict):
                ref = item.get("$ref")
                if isinstance(ref, str) and ref in self._defs:
                    found.add(ref)
                waiting += item.values()
            elif isinstance(item, list):
                waiting += item
        return found


def _table(schema: dict[str, Any], prefix: str) -> dict[str, Any]:
    table = schema.get(prefix.split("/")[1])
    return table if isinstance(table, dict) else {}


def _nullable(part: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [X, null]` as X that may be null, where X names its type."""
    options = part.get("anyOf")
    null = {"type": "null"}
    if not isinstance(options, list) or len(options) != 2 or null not in options:
        return part
    other = options[1] if options[0] == null else options[0]
    if not isinstance(other, dict) or not isinstance(other.get("type"), str) or "const" in other:
        return part
    beside = {key: value for key, value in part.items() if key != "anyOf"}
    if beside.keys() & other.keys() - _NOTES:
        return part
    out = {**other, **beside, "type": [other["type"], "null"]}
    if isinstance(other.get("enum"), list) and None not in other["enum"]:
        out["enum"] = [*other["enum"], None]
    return out
