"""From bytes to JSON with line numbers: every import begins here, and bad text ends here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from typing import Any, NamedTuple

from pydantic import ValidationError

from engine.specs import explain
from engine.tools.io.problems import ImportProblem, Source

MAX_BYTES = 40 * 1024 * 1024
# Deeper than any schema people write, and far from the depth that breaks a parser.
MAX_DEPTH = 64
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = " \t\n\r"


class Line(NamedTuple):
    """A JSON value of a file and the line it starts on."""

    number: int
    value: Any


def decoded(source: Source) -> str:
    """The text of a file: UTF-8, with or without a byte order mark. Raises ImportProblem."""
    if len(source.data) > MAX_BYTES:
        limit = MAX_BYTES // 1024**2
        raise ImportProblem(None, f"The file is larger than {limit} MB; split it.", source.name)
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        raise ImportProblem(
            line, f"This is not UTF-8 text (byte {error.start}).", source.name
        ) from None
    if not text.strip():
        raise ImportProblem(None, "The file is empty.", source.name)
    return text


def json_document(text: str, file: str = "") -> Any:
    """The one JSON value of a text. Raises ImportProblem with the line of what is wrong."""
    return _loaded(text, 1, file)


def json_lines(text: str, file: str = "") -> Iterator[Line]:
    """Each line's JSON value; empty lines are passed over. Raises ImportProblem."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield Line(number, _loaded(line, number, file))


def json_items(text: str, file: str = "") -> Iterator[Line]:
    """The items of a file that is one JSON list, else its lines. Raises ImportProblem."""
    if not text.lstrip().startswith("["):
        yield from json_lines(text, file)
        return
    items = json_document(text, file)
    line, before = 1, 0
    for item, (_, start) in zip(items, _members(text, _after_space(text, 0)), strict=True):
        line, before = line + text.count("\n", before, start), start
        yield Line(line, item)


def _loaded(text: str, first_line: int, file: str) -> Any:
    try:
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except JSONDecodeError as error:
        line = first_line + error.lineno - 1
        reason = f"This is not JSON: {error.msg} (column {error.colno})."
        raise ImportProblem(line, reason, file) from None
    except UnicodeEncodeError:
        raise ImportProblem(first_line, "Half a character stands here (\\ud800).", file) from None
    except ValueError as error:
        raise ImportProblem(first_line, f"This is not JSON: {error}.", file) from None
    except RecursionError:
        raise ImportProblem(first_line, _TOO_DEEP, file) from None
    # No text is deeper than the brackets it has, and counting those costs nothing.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise ImportProblem(first_line, _TOO_DEEP, file)
    return value


_TOO_DEEP = f"This is nested more than {MAX_DEPTH} deep."


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line of the deepest part of `path` that exists in a valid JSON text; parts that
    name nothing there (a variant of a union) are passed over."""
    at = _after_space(text, 0)
    for part in path:
        found = _step(text, at, part)
        at = at if found is None else found
    return text.count("\n", 0, at) + 1


def _step(text: str, at: int, part: str | int) -> int | None:
    if text[at] == "{" and isinstance(part, str):
        return next((start for key, start in _members(text, at) if key == part), None)
    if text[at] == "[" and isinstance(part, int):
        items = (start for index, (_, start) in enumerate(_members(text, at)) if index == part)
        return next(items, None)
    return None


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """(key, where its value starts) of the object at `at`, or ("", start) of the list there."""
    keyed = text[at] == "{"
    at = _after_space(text, at + 1)
    while text[at] not in "]}":
        key = ""
        if keyed:
            key, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        at = _after_space(text, at + 1) if text[at] == "," else at


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def no_doubles(text: str, data: Any, file: str, places: dict[str, str]) -> None:
    """Raise ImportProblem at the second item of a list that has a name of an earlier one.
    `places` maps the key of a list to the key of its items' names."""
    for place, key in places.items():
        items = data.get(place)
        seen: set[Any] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get(key) if isinstance(item, dict) else None
            if isinstance(name, str) and name in seen:
                reason = f"{place}: {name!r} stands there twice; rename or remove one."
                raise ImportProblem(line_of(text, [place, index]), reason, file)
            seen.add(name if isinstance(name, str) else None)


def refused(
    error: ValidationError, *, text: str = "", line: int | None = None, file: str = ""
) -> ImportProblem:
    """The first thing pydantic refused, at its line of `text`, or at `line`."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = [part for part in first["loc"] if part != "[key]"]
    sentence = next(iter(explain(error).values())).removeprefix("Value error, ")
    reason = f"{'.'.join(str(part) for part in path)}: {sentence}" if path else sentence
    return ImportProblem(line_of(text, path) if text else line, reason, file)
