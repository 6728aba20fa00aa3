"""Reading config.yaml, and saying in one sentence where and why it cannot be used."""

from __future__ import annotations

import difflib
import reprlib
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

Place = tuple[int | str, ...]


class ConfigError(Exception):
    """config.yaml cannot be used; the message names the place and what is allowed."""


def read_yaml(path: Path) -> tuple[dict[str, Any], yaml.Node]:
    """The mapping in a YAML file and its node tree (for line numbers). Raises ConfigError
    for a file that is missing, unreadable, not YAML, not a mapping, or has a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_double_keys(node, path)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_sentence(error, path)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}.") from error
    if not isinstance(data, dict) or node is None:
        kind = "is empty" if data is None else "is not a mapping"
        raise ConfigError(f"{path} {kind}; it needs at least `providers:` with entries below.")
    return data, node


def _syntax_sentence(error: yaml.MarkedYAMLError, path: Path) -> str:
    mark = error.problem_mark or error.context_mark
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{path}{place}: this is not YAML: {error.problem or error.context}."


def _refuse_double_keys(root: yaml.Node | None, path: Path) -> None:
    """YAML itself would silently keep the last of two equal keys."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited:  # an alias may point back at its own parent
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(value for _, value in node.value)
            _refuse_in_mapping(node, path)


def _refuse_in_mapping(node: yaml.MappingNode, path: Path) -> None:
    seen: dict[str, int] = {}
    for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
        line = key.start_mark.line + 1
        if key.value in seen:
            raise ConfigError(
                f"{path}, line {line}: the key `{key.value}` stands here for the second time "
                f"(first in line {seen[key.value]}); keep one."
            )
        seen[key.value] = line


def explain(error: ValidationError, model: type[BaseModel], path: Path, node: yaml.Node) -> str:
    """One line for each thing that is wrong: file, line, key path, what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        place = tuple(part for part in item["loc"] if part != "[key]")
        where = f"{path}, line {_line_of(node, place)}: {_dotted(place)}"
        lines.append(f"{where} {_sentence(item, model, place)}")
    return "\n".join(dict.fromkeys(lines))


def _dotted(place: Place) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _line_of(node: yaml.Node, place: Place) -> int:
    """The line of the deepest part of the path that exists in the file."""
    line = node.start_mark.line
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


_ALLOWED = {
    "missing": "is missing; fill it in.",
    "int_parsing": "is {input}; give a whole number.",
    "int_from_float": "is {input}; give a whole number.",
    "int_type": "is {input}; give a whole number.",
    "float_parsing": "is {input}; give a number.",
    "float_type": "is {input}; give a number.",
    "finite_number": "is {input}; give a number.",
    "string_type": "is {input}; give text (in quotes, where it looks like a number).",
    "tuple_type": "is {input}; give a list.",
    "dict_type": "is {input}; give keys with values.",
    "model_type": "is {input}; give keys with values.",
    "model_attributes_type": "is {input}; give keys with values.",
    "greater_than_equal": "is {input}; give {ge:,} or more.",
    "less_than_equal": "is {input}; give {le:,} or less.",
    "string_too_short": "is empty; fill it in.",
    "string_too_long": "is too long; keep it to {max_length:,} characters.",
    "value_error": "is not usable: {error}.",
}
_PATTERNS = {
    "api_key_env": "is not the name of an environment variable; give its name, never the key.",
    "": "is no usable key; use small letters, digits, - and _.",
}


def _sentence(item: Any, model: type[BaseModel], place: Place) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, place)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(place[-1]), _PATTERNS[""])
    template = _ALLOWED.get(kind, "is not usable: {message}.")
    # A key may stand in the wrong place: what is said of such a field never shows its value.
    shown = "not usable" if "api_key" in place else reprlib.repr(item.get("input"))
    bounds = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in item.get("ctx", {}).items()
    }
    return template.format(input=shown, message=item["msg"], **bounds)


def _unknown_key(model: type[BaseModel], place: Place) -> str:
    known = sorted(_fields_at(model, place[:-1]))
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known here are {', '.join(known)}."
    return f"is not known; {hint}"


def _fields_at(model: type[BaseModel], place: Place) -> set[str]:
    """Names of the fields of the model at a path."""
    kind: Any = model
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        elif get_origin(kind) in (dict, tuple):
            kind = get_args(kind)[0 if get_origin(kind) is tuple else 1]
        if get_origin(kind) in (Union, UnionType):
            kind = next(a for a in get_args(kind) if a is not type(None))
    fields: dict[str, Any] = kind.model_fields
    return set(fields)
