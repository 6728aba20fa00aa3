"""The rows of a case's form: expected calls and their arguments, one line of text each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from webapp.tools import matchers

FLAGS = ("optional", "ignore", "default_ok")


@dataclass(frozen=True, slots=True)
class ArgumentRow:
    """An expected argument: one allowed value a line."""

    name: str = ""
    values: str = ""
    match: str = ""
    setting: str = ""
    optional: bool = False
    ignore: bool = False
    default_ok: bool = True


@dataclass(frozen=True, slots=True)
class CallRow:
    """An expected call."""

    name: str = ""
    ignore_others: bool = False
    arguments: tuple[ArgumentRow, ...] = ()


def add(tree: list[list[CallRow]], at: Sequence[int]) -> None:
    if not at:
        tree.append([CallRow()])
    elif len(at) == 1:
        tree[at[0]].append(CallRow())
    else:
        call = tree[at[0]][at[1]]
        tree[at[0]][at[1]] = replace(call, arguments=(*call.arguments, ArgumentRow()))


def remove(tree: list[list[CallRow]], at: Sequence[int]) -> None:
    if len(at) == 1:
        del tree[at[0]]
    elif len(at) == 2:
        del tree[at[0]][at[1]]
    elif at:
        call = tree[at[0]][at[1]]
        rest = [row for place, row in enumerate(call.arguments) if place != at[2]]
        tree[at[0]][at[1]] = replace(call, arguments=tuple(rest))


def call_data(row: CallRow) -> dict[str, Any]:
    arguments = {argument.name.strip(): _argument(argument) for argument in row.arguments}
    others = {"ignore_others": True} if row.ignore_others else {}
    return {"name": row.name.strip(), "arguments": arguments, **others}


def _argument(row: ArgumentRow) -> dict[str, Any]:
    made: dict[str, Any] = {
        "values": [_value(line) for line in row.values.splitlines() if line.strip()]
    }
    if matcher := matchers.read(row.match, row.setting):
        made["match"] = matcher
    made |= {name: True for name in ("optional", "ignore") if getattr(row, name)}
    return made if row.default_ok else made | {"default_ok": False}


def call_row(call: Mapping[str, Any]) -> CallRow:
    arguments = call.get("arguments", {}).items()
    return CallRow(
        str(call["name"]),
        bool(call.get("ignore_others")),
        tuple(_argument_row(name, argument) for name, argument in arguments),
    )


def _argument_row(name: str, argument: Mapping[str, Any]) -> ArgumentRow:
    match, setting = matchers.shown(argument.get("match"))
    return ArgumentRow(
        name,
        "\n".join(value_text(value) for value in argument.get("values", ())),
        match,
        setting,
        bool(argument.get("optional")),
        bool(argument.get("ignore")),
        bool(argument.get("default_ok", True)),
    )


def read_calls(form: MultiDict[str, str], where: str) -> tuple[CallRow, ...]:
    calls: list[CallRow] = []
    while f"{where}-c{len(calls)}-name" in form:
        at = f"{where}-c{len(calls)}"
        arguments: list[ArgumentRow] = []
        while f"{at}-g{len(arguments)}-name" in form:
            arguments.append(_read_argument(form, f"{at}-g{len(arguments)}"))
        calls.append(CallRow(form[f"{at}-name"], f"{at}-ignore_others" in form, tuple(arguments)))
    return tuple(calls)


def _read_argument(form: MultiDict[str, str], at: str) -> ArgumentRow:
    texts = [form.get(f"{at}-{name}", "") for name in ("name", "values", "match", "setting")]
    flags = [f"{at}-{name}" in form for name in FLAGS]
    return ArgumentRow(texts[0], texts[1].replace("\r\n", "\n"), texts[2], texts[3], *flags)


def value_text(value: Any) -> str:
    """A value in one line that `_value` reads back: text stands plain where that is clear."""
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return value if _value(value) == value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _value(line: str) -> Any:
    text = line.strip()
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
