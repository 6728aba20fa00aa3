"""The benchmark form: typed text in, a `BenchmarkSpec` or one sentence a field out.

Rules live in the spec; here is only the way between form fields and spec fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from engine.config import Defaults, PromptTemplate
from engine.specs import BenchmarkSpec, TargetRef, explain
from webapp.benchmark import load_form, workload_form
from webapp.benchmark.load_form import text

# Fields of one text box each, named like the spec's.
TEXTS = (
    "name",
    "prompt",
    "runs",
    "warmup",
    "max_tokens",
    "temperature",
    "timeout_s",
    "retries",
    "seed",
)
NAMES = (*TEXTS, *load_form.NAMES, *workload_form.NAMES)
LABELS = {
    "prompt": "Prompt",
    "runs": "Runs per model",
    "warmup": "Warm-up requests",
    "max_tokens": "Most tokens out",
    "temperature": "Temperature",
    "timeout_s": "Timeout",
    "retries": "Retries",
    "seed": "Seed",
    "name": "Name",
    **load_form.LABELS,
    **workload_form.LABELS,
}
UNKNOWN_TARGET = "{} is not among your models any more. Choose another one."


@dataclass(frozen=True, slots=True)
class BenchmarkForm:
    """What the form shows: `values` and `tiers` as typed, `targets` as ticked
    ("provider/model"), a sentence for each refused field, and the spec when none was."""

    values: dict[str, str]
    targets: frozenset[str] = frozenset()
    tiers: tuple[str, ...] = ("0",)
    template: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    spec: BenchmarkSpec | None = None

    def refuse(self, name: str, sentence: str) -> BenchmarkForm:
        """The same form with one more message; the first message of a field stays."""
        return replace(self, spec=None, errors={name: sentence, **self.errors})


def blank(defaults: Mapping[str, Any]) -> BenchmarkForm:
    """A new form; `defaults` are spec fields that replace the spec's own defaults."""
    fields = BenchmarkSpec.model_fields
    values = {name: text(defaults.get(name, fields[name].default)) for name in TEXTS}
    return BenchmarkForm(values | load_form.shown(None) | workload_form.shown(None))


def from_spec(spec: BenchmarkSpec) -> BenchmarkForm:
    """The form that would build `spec` again."""
    return BenchmarkForm(
        values={name: text(getattr(spec, name)) for name in TEXTS}
        | load_form.shown(spec.load)
        | workload_form.shown(spec),
        targets=frozenset(str(ref) for ref in spec.targets),
        tiers=tuple(str(tier) for tier in spec.context_tiers),
        spec=spec,
    )


def again(spec: BenchmarkSpec, known: Mapping[str, TargetRef]) -> BenchmarkForm:
    """`from_spec`, with a message when one of its models cannot be chosen any more."""
    form = from_spec(spec)
    lost = next((str(ref) for ref in spec.targets if str(ref) not in known), None)
    return form if lost is None else form.refuse("targets", UNKNOWN_TARGET.format(lost))


def read(form: MultiDict[str, str], known: Mapping[str, TargetRef]) -> BenchmarkForm:
    """Read what was sent. `known` maps "provider/model" to the models the user may choose."""
    ticked = list(dict.fromkeys(form.getlist("target")))
    filled = BenchmarkForm(
        values={name: form.get(name, "") for name in NAMES},
        targets=frozenset(ticked),
        tiers=tuple(form.getlist("context_tiers")),
        template=form.get("template", ""),
    )
    lost = next((name for name in ticked if name not in known), None)
    if lost is not None:
        filled = filled.refuse("targets", UNKNOWN_TARGET.format(lost))
    return _validated(filled, form, [known[name] for name in ticked if name in known])


def with_label(field: str, sentence: str) -> str:
    """A message away from its field names the field."""
    return f"{LABELS[field]}: {sentence[:1].lower()}{sentence[1:]}" if field in LABELS else sentence


def sizes(form: BenchmarkForm, defaults: Defaults) -> list[int]:
    """The context sizes to offer: config.yaml's, and those the form already has."""
    own = {int(tier) for tier in form.tiers if tier.isdecimal() and len(tier) < 8}
    return sorted({*defaults.context_tiers, *own})


def by_category(
    templates: Mapping[str, PromptTemplate],
) -> list[tuple[str, list[tuple[str, PromptTemplate]]]]:
    """Prompt templates under their categories, in the order of config.yaml."""
    found: dict[str, list[tuple[str, PromptTemplate]]] = {}
    for key, template in templates.items():
        found.setdefault(template.category, []).append((key, template))
    return list(found.items())


def _validated(
    filled: BenchmarkForm, form: MultiDict[str, str], refs: list[TargetRef]
) -> BenchmarkForm:
    data: dict[str, Any] = {name: form[name] for name in TEXTS if name in form}
    if data.get("temperature", "0").strip() == "":
        data["temperature"] = None
    data["targets"] = [ref.model_dump() for ref in refs]
    asked, unreadable = workload_form.data(filled.values, list(filled.tiers))
    data |= asked
    if filled.values["ask"] in (workload_form.PROMPTS, workload_form.SYNTHETIC):
        data = {name: value for name, value in data.items() if name != "prompt" or value.strip()}
    data["load"] = load_form.data(filled.values)
    if data["load"] is not None:
        data.pop("runs", None)  # its field is out of sight
    try:
        spec = BenchmarkSpec.model_validate(data)
    except ValidationError as error:
        return replace(filled, errors=_by_field(explain(error)) | unreadable | filled.errors)
    errors = unreadable | filled.errors
    return replace(filled, errors=errors) if errors else replace(filled, spec=spec)


def _by_field(sentences: dict[str, str]) -> dict[str, str]:
    """Messages about an item (`context_tiers.2`) stand at the field that lists it; those about
    a part of the spec at its first field."""
    fields: dict[str, str] = {}
    for path, sentence in sentences.items():
        name = path.removeprefix("load.").removeprefix("synthetic.").split(".")[0]
        fields.setdefault(_FIRST.get(name, name), sentence)
    return fields


# A set of prompts can be too large for a load run; lengths have no field of their own.
_FIRST = {"load": "prompts", "synthetic": "input_mean"}
