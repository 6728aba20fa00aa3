"""The form of an evaluation: typed text in, a `ToolEvalSpec` or one sentence a field out.

Rules live in the spec; here is only the way between form fields and spec fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from engine.specs import TargetRef, ToolEvalSpec, explain
from engine.tools.checks import suite_problems
from engine.tools.suites import Suite
from webapp.benchmark.forms import UNKNOWN_TARGET

# Fields of one text box each, named like the spec's.
TEXTS = (
    "name", "trials", "threshold", "mode", "tool_choice", "max_tokens", "temperature", "timeout_s",
    "retries", "concurrency", "seed",
)  # fmt: skip
WEIGHTS = ("selection", "arguments", "repeat_penalty", "detour_penalty")
MODELS = ("embedding", "judge")
LABELS = {
    "trials": "Trials",
    "threshold": "Share that must pass",
    "max_tokens": "Most tokens out",
    "temperature": "Temperature",
    "timeout_s": "Timeout",
    "retries": "Retries",
    "concurrency": "At once",
    "seed": "Seed",
    "params": "Provider parameters",
}
NO_SUITE = "Choose a suite."
NO_CASE = "This suite has no case yet. Add one first."
UNKNOWN_CASE = "This suite has no case {!r}."


@dataclass(frozen=True, slots=True)
class RunForm:
    """What the form shows: `values` as typed, `targets` as ticked ("provider/model"), a
    sentence for each refused field, and the spec when none was."""

    values: dict[str, str]
    targets: frozenset[str] = frozenset()
    suite: str = ""
    count_recovered: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    spec: ToolEvalSpec | None = None

    def refuse(self, name: str, sentence: str) -> RunForm:
        """The same form with one more message; the first message of a field stays."""
        return replace(self, spec=None, errors={name: sentence, **self.errors})


def blank(suite: str = "") -> RunForm:
    """A new form with the spec's own defaults."""
    fields = ToolEvalSpec.model_fields
    values = {name: _text(fields[name].default) for name in TEXTS}
    return RunForm(values | _weights(fields["weights"].default) | _EMPTY, suite=suite)


def from_spec(spec: ToolEvalSpec, suite: str, known: Mapping[str, TargetRef]) -> RunForm:
    """The form that would build `spec` again, with a message where a model is gone."""
    values = {name: _text(getattr(spec, name)) for name in TEXTS} | _weights(spec.weights) | _EMPTY
    values |= {name: str(ref) for name in MODELS if (ref := getattr(spec, name)) is not None}
    values["cases"] = "\n".join(spec.cases)
    values["params"] = json.dumps(spec.params) if spec.params else ""
    ticked = frozenset(str(ref) for ref in spec.targets)
    form = RunForm(values, ticked, suite, spec.count_recovered)
    lost = next((str(ref) for ref in spec.targets if str(ref) not in known), None)
    return form if lost is None else form.refuse("targets", UNKNOWN_TARGET.format(lost))


def read(form: MultiDict[str, str], known: Mapping[str, TargetRef]) -> RunForm:
    """What was sent. `known` maps "provider/model" to the models the user may choose."""
    names = (*TEXTS, *WEIGHTS, *_EMPTY)
    ticked = list(dict.fromkeys(form.getlist("target")))
    filled = RunForm(
        {name: form.get(name, "").replace("\r\n", "\n") for name in names},
        frozenset(ticked),
        form.get("suite", ""),
        "count_recovered" in form,
    )
    lost = next((name for name in ticked if name not in known), None)
    if lost is not None:
        filled = filled.refuse("targets", UNKNOWN_TARGET.format(lost))
    return _validated(filled, [known[name] for name in ticked if name in known], known)


def checked(form: RunForm, suite: Suite | None, version: int | None) -> RunForm:
    """The form with what only the suite can say, and the suite's version in its spec."""
    if suite is None:
        return form.refuse("suite", NO_SUITE)
    if not suite.cases:
        return form.refuse("suite", NO_CASE)
    spec = form.spec
    if spec is None:
        return form
    ids = {case.id for case in suite.cases}
    lost = next((name for name in spec.cases if name not in ids), None)
    if lost is not None:
        return form.refuse("cases", UNKNOWN_CASE.format(lost))
    similarity = spec.embedding is not None or spec.judge is not None
    unasked = suite_problems(suite, similarity=similarity)
    if unasked:
        path, sentence = next(iter(unasked.items()))
        return form.refuse("embedding", f"{_case_named(suite, path)}{sentence}")
    return replace(form, spec=spec.model_copy(update={"suite": version}))


def needless(suite: Suite | None, form: RunForm) -> int:
    """How many cases expect no call although one would be forced."""
    if suite is None or form.values["tool_choice"] != "required":
        return 0
    return sum(case.expect.kind == "none" for case in suite.cases)


def with_label(name: str, sentence: str) -> str:
    """A message away from its field names the field."""
    return f"{LABELS[name]}: {sentence[:1].lower()}{sentence[1:]}" if name in LABELS else sentence


_EMPTY = dict.fromkeys(("embedding", "judge", "cases", "params"), "")


def _validated(filled: RunForm, refs: list[TargetRef], known: Mapping[str, TargetRef]) -> RunForm:
    values = filled.values
    data: dict[str, Any] = {name: values[name] for name in TEXTS}
    data["temperature"] = values["temperature"].strip() or None
    data["weights"] = {name: values[name] for name in WEIGHTS if values[name].strip()}
    data["targets"] = [ref.model_dump() for ref in refs]
    data["cases"] = [line.strip() for line in values["cases"].splitlines() if line.strip()]
    data["count_recovered"] = filled.count_recovered
    data |= {name: known[values[name]].model_dump() for name in MODELS if values[name] in known}
    errors = dict(filled.errors)
    try:
        data["params"] = json.loads(values["params"] or "{}")
    except json.JSONDecodeError:
        errors["params"] = 'Write an object as JSON, as in {"top_p": 0.9}.'
    try:
        spec = ToolEvalSpec.model_validate(data)
    except ValidationError as error:
        said = {path.removeprefix("weights.").split(".")[0]: text
                for path, text in reversed(explain(error).items())}  # fmt: skip
        return replace(filled, errors=said | errors)
    return replace(filled, errors=errors) if errors else replace(filled, spec=spec)


def _case_named(suite: Suite, path: str) -> str:
    """The case that a path lies in: "Case weather_1: "."""
    parts = path.split(".")
    if parts[0] == "cases" and len(parts) > 1 and int(parts[1]) < len(suite.cases):
        return f"Case {suite.cases[int(parts[1])].id}: "
    return ""


def _weights(weights: Any) -> dict[str, str]:
    return {name: _text(getattr(weights, name)) for name in WEIGHTS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
