"""The studio's own format: one JSON document that says everything, and nothing twice."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.tools.io.problems import Exported, Imported, ImportProblem, Source
from engine.tools.io.text import decoded, json_document, line_of, no_doubles, refused
from engine.tools.suites import FORMAT, Suite

KEY = "studio"
LABEL = "Studio (JSON)"
# Written even where they are the default: they say what the rest means.
_ALWAYS = frozenset({"format", "kind"})
# A document of more characters is written without space: it would else come out larger than an
# import takes, and indenting it takes seconds.
INDENTED_MAX = 4_000_000


def fits(value: Any) -> bool:
    """Whether a document, or the first line of a file, is of this format."""
    return isinstance(value, dict) and (
        value.get("format") == FORMAT or {"name", "tools", "cases"} <= value.keys()
    )


def read(sources: list[Source], name: str) -> Imported:
    """The suite in the one file; `name` replaces its name. Raises ImportProblem."""
    if len(sources) > 1:
        raise ImportProblem(None, "A suite of the Studio is one file; import one at a time.")
    source = sources[0]
    text = decoded(source)
    data = json_document(text, source.name)
    if not isinstance(data, dict):
        raise ImportProblem(1, "A suite is a JSON object.", source.name)
    no_doubles(text, data, source.name, {"tools": "name", "cases": "id"})
    try:
        suite = Suite.model_validate(data | ({"name": name} if name else {}))
    except ValidationError as error:
        raise refused(error, text=text, file=source.name) from None
    return Imported(suite, KEY, place=lambda path: (line_of(text, path), source.name))


def write(suite: Suite) -> Exported:
    """One file that reads back as the same suite, and always the same bytes."""
    return Exported({"suite.json": dumps(suite)})


def dumps(suite: Suite) -> str:
    """The document, without what is as the format has it by default. It is indented as long as
    it can then be imported again."""
    data = lean(suite)
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if len(packed) > INDENTED_MAX:
        return packed + "\n"
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def lean(part: BaseModel) -> dict[str, Any]:
    """A part of a suite as plain data, without the fields that have their default."""
    found: dict[str, Any] = {}
    for name, default in _defaults(type(part)):
        value = getattr(part, name)
        if name in _ALWAYS or value != default:
            found[name] = _plain(value)
    return found


@cache
def _defaults(kind: type[BaseModel]) -> list[tuple[str, Any]]:
    return [
        (name, field.get_default(call_default_factory=True, validated_data={}))
        for name, field in kind.model_fields.items()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return lean(value) if isinstance(value, BaseModel) else value
