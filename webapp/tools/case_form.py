"""A case as a form: typed text in, the case as plain data and a sentence a field out.

Rules about cases live in `engine.tools.suites`; here is only the way between the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from webapp.tools import matchers
from webapp.tools.case_rows import CallRow, add, call_data, call_row, read_calls, remove
from webapp.tools.documents import Problem, pretty

TEXTS = ("id", "prompt", "category", "tags", "weight", "trials", "threshold", "match", "setting")
JSONS = ("messages", "chain", "tools", "state")
KINDS = [
    ("calls", "These calls"),
    ("none", "No call"),
    ("any", "Any call"),
    ("state", "An end state"),
]


@dataclass(frozen=True, slots=True)
class CaseForm:
    """What the form shows; `errors` by field, `general` those that no field is to blame for."""

    values: dict[str, str]
    kind: str = "calls"
    strict: bool = False
    alternatives: tuple[tuple[CallRow, ...], ...] = ((CallRow(),),)
    errors: dict[str, str] = field(default_factory=dict)
    general: tuple[Problem, ...] = ()


BLANK = CaseForm(values=dict.fromkeys((*TEXTS, *JSONS), ""))


def from_case(case: Mapping[str, Any]) -> CaseForm:
    """The form that would build this case again."""
    expect = case["expect"]
    match, setting = matchers.shown(case.get("match"))
    values = {name: _text(case.get(name)) for name in TEXTS}
    values |= {"tags": ", ".join(case.get("tags", ())), "match": match, "setting": setting}
    values |= {name: pretty(case[name]) if case.get(name) is not None else "" for name in JSONS}
    values["state"] = pretty(expect["state"]) if expect["kind"] == "state" else ""
    rows = tuple(
        tuple(call_row(call) for call in calls) for calls in expect.get("alternatives", ())
    )
    return CaseForm(
        values, expect["kind"], expect.get("order") == "strict", rows or ((CallRow(),),)
    )


def read(form: MultiDict[str, str]) -> CaseForm:
    """The form as it was typed."""
    values = {name: form.get(name, "").replace("\r\n", "\n") for name in (*TEXTS, *JSONS)}
    alternatives: list[tuple[CallRow, ...]] = []
    while f"a{len(alternatives)}-c0-name" in form:
        alternatives.append(read_calls(form, f"a{len(alternatives)}"))
    return CaseForm(
        values,
        form.get("kind", "calls"),
        form.get("order") == "strict",
        tuple(alternatives) or ((CallRow(),),),
    )


def build(form: CaseForm) -> tuple[dict[str, Any], dict[str, str]]:
    """The case as plain data, and a sentence for each field that could not be read."""
    values, errors = form.values, {}
    case: dict[str, Any] = {"id": values["id"].strip()}
    if values["prompt"].strip():
        case["prompt"] = values["prompt"]
    if values["category"].strip():
        case["category"] = values["category"].strip()
    if tags := [tag.strip() for tag in values["tags"].split(",") if tag.strip()]:
        case["tags"] = tags
    for name in ("weight", "trials", "threshold"):
        if values[name].strip():
            case[name] = values[name].strip()
    if matcher := matchers.read(values["match"], values["setting"]):
        case["match"] = matcher
    for name in ("messages", "chain", "tools"):
        if values[name].strip():
            case[name], errors[name] = _json(values[name])
    case["expect"], errors["state"] = _expect(form)
    errors |= _twice(form)
    return case, {name: sentence for name, sentence in errors.items() if sentence}


def changed(form: CaseForm, what: str) -> CaseForm:
    """The form after a button: "add a0", "add a0-c1", "add", "remove a0-c1-g2" …"""
    verb, _, place = what.partition(" ")
    numbers = [int(number) for number in re.findall(r"\d+", place)][:3]
    tree: list[list[CallRow]] = [list(calls) for calls in form.alternatives]
    try:
        (add if verb == "add" else remove)(tree, numbers)
    except IndexError:
        return form
    kept = tuple(tuple(calls) for calls in tree if calls)
    return replace(form, alternatives=kept or ((CallRow(),),))


def refused(form: CaseForm, problems: Sequence[Problem], prefix: str) -> CaseForm:
    """The form with what the check of the whole suite found in this case."""
    errors, general = dict(form.errors), []
    for path, sentence in problems:
        name = _field(form, path.removeprefix(prefix)) if path.startswith(prefix) else None
        if name is None or name in errors:
            general.append(Problem(path.removeprefix(prefix), sentence))
        else:
            errors[name] = sentence
    return replace(form, errors=errors, general=tuple(general))


def _field(form: CaseForm, path: str) -> str | None:
    """The field that a path of the case stands for."""
    if path.startswith("expect.alternatives."):
        return _call_field(form, path.removeprefix("expect.alternatives."))
    if path.startswith("expect.state"):
        return "state"
    first = path.split(".", 1)[0]
    if first == "match":
        return "setting"
    return first if first in (*TEXTS, *JSONS) else None


def _call_field(form: CaseForm, path: str) -> str | None:
    found = re.match(r"(\d+)\.(\d+)\.(.*)", path)
    if found is None or int(found[1]) >= len(form.alternatives):
        return None
    calls = form.alternatives[int(found[1])]
    if int(found[2]) >= len(calls):
        return None
    call, rest = calls[int(found[2])], found[3]
    where = f"a{found[1]}-c{found[2]}"
    if not rest.startswith("arguments."):
        return f"{where}-name"
    for place, row in enumerate(call.arguments):
        if f"{rest}.".startswith(f"arguments.{row.name}."):
            end = rest.removeprefix(f"arguments.{row.name}").removeprefix(".")
            part = {"": "name", "match": "setting"}.get(end.split(".")[0], "values")
            return f"{where}-g{place}-{part}"
    return f"{where}-name"


def _expect(form: CaseForm) -> tuple[dict[str, Any], str]:
    if form.kind == "state":
        state, error = _json(form.values["state"] or "{}")
        return {"kind": "state", "state": state}, error
    if form.kind != "calls":
        return {"kind": form.kind}, ""
    alternatives = [[call_data(call) for call in calls] for calls in form.alternatives]
    order = {"order": "strict"} if form.strict else {}
    return {"kind": "calls", "alternatives": alternatives, **order}, ""


def _twice(form: CaseForm) -> dict[str, str]:
    """Arguments that stand twice in a call: one would swallow the other."""
    found = {}
    for a, calls in enumerate(form.alternatives if form.kind == "calls" else ()):
        for c, call in enumerate(calls):
            names = [row.name.strip() for row in call.arguments]
            for g, name in enumerate(names):
                if name in names[:g]:
                    found[f"a{a}-c{c}-g{g}-name"] = "This argument stands there twice."
    return found


def _json(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text), ""
    except json.JSONDecodeError as error:
        return None, f"Line {error.lineno} is not JSON: {error.msg[:1].lower()}{error.msg[1:]}."
    except RecursionError:
        return None, "This is nested too deeply to be read."


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
