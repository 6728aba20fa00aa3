"""BFCL's types of parameters as JSON Schema, and back."""

from __future__ import annotations

from typing import Any

# None: any value. The second half are types of its Java and JavaScript cases.
_TO_JSON: dict[str, str | None] = {
    "dict": "object",
    "float": "number",
    "tuple": "array",
    "any": None,
    "hashmap": "object",
    "hashtable": "object",
    "arraylist": "array",
    "list": "array",
    "set": "array",
    "queue": "array",
    "stack": "array",
    "long": "integer",
    "short": "integer",
    "byte": "integer",
    "bigint": "integer",
    "double": "number",
    "char": "string",
    "string": "string",
    "boolean": "boolean",
    "array": "array",
    "integer": "integer",
    "number": "number",
    "object": "object",
    "null": "null",
}
_TO_BFCL = {"object": "dict", "number": "float"}
_SHAPES: dict[str, tuple[type, ...]] = {
    "type": (str, list),
    "properties": (dict,),
    "items": (dict, bool),
    "additionalProperties": (dict, bool),
    **dict.fromkeys(("required", "enum"), (list,)),
    **dict.fromkeys(("minimum", "maximum", "minLength", "maxLength"), (int, float)),
    **dict.fromkeys(("minItems", "maxItems"), (int,)),
    **dict.fromkeys(("pattern", "format", "description"), (str,)),
}
_INSIDE = ("items", "additionalProperties", "not")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions", "patternProperties")
_WITH_SCHEMAS = frozenset((*_INSIDE, *_LISTED, *_NAMED))


class NotSaid(ValueError):
    """BFCL has no form for a schema; the message is the reason, in the middle of a sentence."""


def to_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with JSON Schema's types. What JSON Schema could not read says nothing: a
    type nobody knows, a `required` that is a boolean, a limit that is a text."""
    return _walked(schema, _json_type)


def to_bfcl(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with BFCL's types. Raises NotSaid for a union of types."""
    return _walked(schema, _bfcl_type)


def _json_type(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    found = _TO_JSON.get(kind.lower()) if isinstance(kind, str) else None
    typed: dict[str, Any] = {} if found is None else {"type": found}
    for key, value in schema.items():
        shape = _SHAPES.get(key)
        fits = shape is None or isinstance(value, shape)
        if fits and (key != "type" or not isinstance(kind, str)):
            typed[key] = value
    return typed


def _bfcl_type(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, list):
        raise NotSaid(f"a tool has a parameter of the types {', '.join(map(str, kind))}")
    for union in ("anyOf", "oneOf", "allOf", "$ref"):
        if union in schema:
            raise NotSaid(f"a tool's schema has {union}")
    if kind is None:
        return {"type": "any", **schema}
    return {**schema, "type": _TO_BFCL.get(str(kind), kind)}


def _walked(schema: dict[str, Any], change: Any) -> dict[str, Any]:
    """`change` made to a schema and to every schema in it; properties named "type" are safe."""
    out = dict(schema)
    for key in out.keys() & _WITH_SCHEMAS:
        value = out[key]
        if key in _INSIDE and isinstance(value, dict):
            out[key] = _walked(value, change)
        elif key in _LISTED and isinstance(value, list):
            out[key] = [_walked(v, change) if isinstance(v, dict) else v for v in value]
        elif key in _NAMED and isinstance(value, dict):
            out[key] = {
                n: _walked(v, change) if isinstance(v, dict) else v for n, v in value.items()
            }
    changed: dict[str, Any] = change(out)
    return changed
