"""The quick check of a schema's shape, held against jsonschema's own."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from engine.tools.schema_shape import surely_sound

SOUND: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    "type": "object",
    "properties": {
        "n": {"type": ["integer", "null"], "minimum": 1, "multipleOf": 2, "default": 4},
        "t": {"type": "string", "pattern": "^a+$", "minLength": 1, "format": "date"},
        "l": {"type": "array", "items": False, "prefixItems": [{"enum": [1, "a"]}]},
        "u": {"anyOf": [{"type": "string"}, {"not": {"const": 1}}], "uniqueItems": True},
        "c": {"if": {"type": "string"}, "then": True, "else": {"contains": {}}, "x-note": 1},
    },
    "required": ["n", "t"],
    "additionalProperties": {"type": "boolean"},
    "unevaluatedProperties": False,
}
VALUES: list[Any] = [None, True, 0, -1, 1.5, 2.0, "", "object", "[", "#", [], ["a", "a"], {}, [{}]]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [at for key in keys for at in _places(value[key])]


def _is_sound(schema: Any) -> bool:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


def test_a_sound_schema_is_seen_to_be_one() -> None:
    assert surely_sound(SOUND)


def test_nothing_is_called_sound_that_is_not() -> None:
    random_ = random.Random(4)
    sure = 0
    for _ in range(250):
        schema = copy.deepcopy(SOUND)
        container, key = random_.choice(_places(schema))
        container[key] = random_.choice(VALUES)
        if surely_sound(schema):
            sure += 1
            assert _is_sound(schema), schema
    assert 20 < sure < 230  # both answers were given, so both were tried


@pytest.mark.parametrize("word", ["$id", "patternProperties", "$dynamicRef", "dependentRequired"])
def test_rare_words_are_left_to_the_whole_check(word: str) -> None:
    assert not surely_sound({word: {}})


def test_depth_ends() -> None:
    schema: dict[str, Any] = {}
    for _ in range(3_000):
        schema = {"not": schema}
    assert not surely_sound(schema)
