"""The models a user may choose from, as the form lists them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.specs import TargetRef
from engine.targets import Target


@dataclass(frozen=True, slots=True)
class Choice:
    """One model in the list; `value` is what its checkbox sends."""

    value: str
    target: Target
    ticked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A provider's models that are shown. `problem` says why none can be chosen (no key)."""

    key: str
    label: str
    problem: str | None
    simulated: bool
    choices: tuple[Choice, ...]


def refs(targets: Iterable[Target]) -> dict[str, TargetRef]:
    """What may be sent as `target`, and the model that it names."""
    return {str(target.ref): target.ref for target in targets}


def groups(targets: Sequence[Target], ticked: Collection[str], search: str = "") -> list[Group]:
    """The targets by provider. `search` hides models that match no word of it in name, id or
    provider; what is ticked stays in sight, so that it is neither lost nor forgotten."""
    words = search.lower().split()
    listed: dict[str, list[Choice]] = {}
    for target in targets:
        choice = Choice(str(target.ref), target, str(target.ref) in ticked)
        if choice.ticked or _matches(target, words):
            listed.setdefault(target.provider, []).append(choice)
    return [_group(choices) for choices in listed.values()]


def tick(
    ticked: Collection[str], shown: Iterable[Group], changes: Mapping[str, bool]
) -> frozenset[str]:
    """`ticked` after "all" (True) or "none" (False) was pressed for some providers; only
    models that are shown and can be asked change."""
    chosen = set(ticked)
    for group in shown:
        if group.key not in changes:
            continue
        values = {choice.value for choice in group.choices if not choice.target.problem}
        chosen = chosen | values if changes[group.key] else chosen - values
    return frozenset(chosen)


def _matches(target: Target, words: Sequence[str]) -> bool:
    names = (target.label, target.model, target.provider_label, target.provider)
    haystack = " ".join(names).lower()
    return all(word in haystack for word in words)


def _group(choices: Sequence[Choice]) -> Group:
    first = choices[0].target
    problems = {choice.target.problem for choice in choices}
    return Group(
        key=first.provider,
        label=first.provider_label or first.provider,
        problem=first.problem if None not in problems else None,
        simulated=first.simulated,
        choices=tuple(choices),
    )
