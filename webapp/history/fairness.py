"""What a reader must know before comparing two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.report import numbers
from engine.report.cautions import LENGTHS_DIFFER
from engine.specs import BenchmarkSpec
from webapp.history.comparison import Line
from webapp.models import ACTIVE_STATES, Run


def cautions(a: Run, b: Run, lines: Sequence[Line]) -> list[str]:
    """Sentences, in order of weight; none when the two can be compared as they stand."""
    return [*_unfinished(a, b), *_asked(a, b), *_machines(a, b), *_lengths(lines)]


def _unfinished(a: Run, b: Run) -> Iterator[str]:
    for side, run in (("A", a), ("B", b)):
        if run.job is not None and run.job.state in ACTIVE_STATES:
            yield f"{side} is not finished yet; its figures will change."


def _asked(a: Run, b: Run) -> Iterator[str]:
    """What was asked of both runs in different ways."""
    first, second = (BenchmarkSpec.model_validate(run.spec) for run in (a, b))
    parts = []
    if _prompts(first) != _prompts(second):
        parts.append("the prompt")
    if first.cache != second.cache:
        parts.append(f"the prefix cache ({first.cache} in A, {second.cache} in B)")
    if first.fixed_output != second.fixed_output:
        sides = ("fixed" if spec.fixed_output else "free" for spec in (first, second))
        parts.append("the length of answers ({} in A, {} in B)".format(*sides))
    if first.recall != second.recall:
        parts.append(f"a hidden fact (only {'A' if first.recall else 'B'} asked for one)")
    if _system_prompts(a) != _system_prompts(b):
        parts.append("the system prompt of a model")
    if first.max_tokens != second.max_tokens:
        sides = (numbers.count(spec.max_tokens) for spec in (first, second))
        parts.append("the most tokens out ({} in A, {} in B)".format(*sides))
    if first.temperature != second.temperature:
        sides = (_temperature(spec) for spec in (first, second))
        parts.append("the temperature ({} in A, {} in B)".format(*sides))
    if parts:
        yield f"A and B were asked differently, which can change speeds: {_join(parts)}."


def _prompts(spec: BenchmarkSpec) -> object:
    """What was asked: a set, drawn lengths, or the prompt."""
    return spec.prompts or spec.synthetic or spec.prompt


def _system_prompts(run: Run) -> dict[tuple[str, str], str]:
    return {
        (target["provider"], target["model"]): target["system_prompt"]
        for target in run.targets
        if target.get("system_prompt")
    }


def _temperature(spec: BenchmarkSpec) -> str:
    return "the default" if spec.temperature is None else f"{spec.temperature:g}"


def _machines(a: Run, b: Run) -> Iterator[str]:
    first, second = ([run.environment.get(name) for name in ("cpu", "cpus")] for run in (a, b))
    if a.environment and b.environment and first != second:
        yield "A and B were measured from different machines."


def _lengths(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if line.metric.higher_is_better:
            sides = (line.a, line.b)
            means = [r.tokens.output / r.requests.ok for r in sides if r.tokens.output]
            if len(means) == len(sides) and max(means) > (1 + LENGTHS_DIFFER) * min(means):
                first, second = (numbers.fixed(mean, 0) for mean in means)
                yield (
                    f"Answers of {line.a.label} differ in length: {first} tokens on average in A, "
                    f"{second} in B."
                )


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
