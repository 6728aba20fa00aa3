"""The leaderboard's rules once more, slowly, from section 4 of the specification in words: a
second opinion for the tests.

It knows no cases, suites or diffs: a category, functions, truths and calls give True or False.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

PYTHON = {
    "string": "str",
    "any": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "array": "list",
    "tuple": "list",
    "dict": "dict",
}
Json = dict[str, Any]


def name_of_type(value: Any) -> str:
    return type(value).__name__


def bare(text: str) -> str:
    """Drop space and , . / - _ * ^, lower-case, ' becomes "."""
    return '"'.join(re.sub(r"[ ,./\-_*^]", "", text).lower().split("'"))


def bare_or_same(value: Any) -> Any:
    return bare(value) if name_of_type(value) == "str" else value


def type_of_truth(values: Any) -> str | None:
    """The type of the first allowed value that is not ""."""
    named = [name_of_type(value) for value in values if value != ""]
    return named[0] if named else None


def verdict(category: str, functions: list[Json], truths: list[Json], calls: list[Json]) -> bool:
    """Whether the leaderboard passes these calls, each `{name: {argument: value}}`."""
    if "parallel" in category:
        return in_any_order(functions, truths, calls)
    if len(calls) != 1:
        return False
    if "multiple" in category:
        return fits(described(functions, truths[0]), truths[0], calls[0])
    return fits(functions[0], truths[0], calls[0])


def described(functions: list[Json], truth: Json) -> Json:
    [name] = truth
    return next(function for function in functions if function["name"] == name)


def in_any_order(functions: list[Json], truths: list[Json], calls: list[Json]) -> bool:
    if len(truths) != len(calls):
        return False
    free = set(range(len(calls)))
    for truth in truths:
        function = described(functions, truth)
        taken = [i for i in sorted(free) if fits(function, truth, calls[i])]
        if not taken:
            return False
        free.remove(taken[0])
    return True


def fits(function: Json, truth: Json, call: Json) -> bool:
    [allowed] = truth.values()
    [(name, arguments)] = call.items()
    schema = function["parameters"]
    needed = set(schema["required"]) | {key for key, values in allowed.items() if "" not in values}
    known = schema["properties"].keys() & allowed.keys()
    if name != function["name"] or not needed <= arguments.keys() or not arguments.keys() <= known:
        return False
    return all(
        right(schema["properties"][key], allowed[key], value) for key, value in arguments.items()
    )


def right(schema: Json, allowed: list[Any], value: Any) -> bool:
    """Type first, then the value as its type is compared."""
    declared = PYTHON[schema["type"]]
    if schema["type"] == "float" and name_of_type(value) == "int":
        value = float(value)
    given, truth_type = name_of_type(value), type_of_truth(allowed)
    if given == declared and declared == "list" and not items_right(schema, allowed, value):
        return False
    if given not in (declared, truth_type):
        return False
    if truth_type not in (None, declared):
        return value in allowed  # another type than the schema says: plain membership
    return comparison(declared, schema)(value, allowed)


def items_right(schema: Json, allowed: list[Any], value: list[Any]) -> bool:
    """One level deep, as one of the allowed lists has it."""
    declared = PYTHON[schema["items"]["type"]]
    for candidate in allowed:
        if name_of_type(candidate) != "list":
            return True
        types = {declared, type_of_truth(candidate) or declared}
        if {name_of_type(item) for item in value} <= types:
            return True
    return False


def comparison(declared: str, schema: Json) -> Callable[[Any, list[Any]], bool]:
    if declared == "list" and PYTHON[schema["items"]["type"]] == "dict":
        return same_objects
    return COMPARISONS.get(declared, plainly)


def plainly(value: Any, allowed: list[Any]) -> bool:
    return value in allowed


def same_text(value: str, allowed: list[Any]) -> bool:
    return bare(value) in {bare(item) for item in allowed if name_of_type(item) == "str"}


def same_list(value: list[Any], allowed: list[Any]) -> bool:
    """Whole and in order; an allowed "" is a list of no letters."""
    wanted = [[bare_or_same(item) for item in candidate] for candidate in allowed]
    return [bare_or_same(item) for item in value] in wanted


def same_object(value: Json, allowed: list[Any]) -> bool:
    return any(object_fits(value, truth) for truth in allowed if truth != "")


def object_fits(value: Json, truth: Json) -> bool:
    absent = truth.keys() - value.keys()
    return (
        value.keys() <= truth.keys()
        and all("" in truth[key] for key in absent)
        and all(
            bare_or_same(item) in [bare_or_same(choice) for choice in truth[key]]
            for key, item in value.items()
        )
    )


def same_objects(value: list[Any], allowed: list[Any]) -> bool:
    """In order; what is no object fits nowhere."""
    return any(
        len(value) == len(truths)
        and all(
            name_of_type(item) == name_of_type(truth) == "dict" and object_fits(item, truth)
            for item, truth in zip(value, truths, strict=True)
        )
        for truths in allowed
    )


COMPARISONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "str": same_text,
    "list": same_list,
    "dict": same_object,
}
