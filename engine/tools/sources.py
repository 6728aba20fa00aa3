"""Arguments that must come from an earlier answer of another tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.tools.answers import ArgumentDiff
from engine.tools.chains import Hop
from engine.tools.matchers.base import same
from engine.tools.suites import ArgumentSource


def source_diffs(
    sources: Sequence[ArgumentSource], hops: Sequence[Hop]
) -> tuple[float | None, list[ArgumentDiff]]:
    """The share of arguments that came from where they should, None where no such tool was
    called, and a diff for each of them. `call` of a diff is the hop's place."""
    diffs = [
        _diff(source, place, hop, hops[:place])
        for source in sources
        for place, hop in enumerate(hops)
        if hop.call.name == source.tool
    ]
    if not diffs:
        return None, []
    return sum(diff.error is None for diff in diffs) / len(diffs), diffs


def _diff(source: ArgumentSource, place: int, hop: Hop, before: Sequence[Hop]) -> ArgumentDiff:
    given = hop.call.arguments or {}
    present, found = source.argument in given, given.get(source.argument)
    told = [
        value
        for earlier in before
        if earlier.call.name == source.from_tool and earlier.mocked.error is None
        # What is asked for in one answer cannot have been read in it.
        if earlier.round < hop.round
        for value in values_at(earlier.mocked.result, source.field)
    ]
    fits = present and any(same(value, found) for value in told)
    rule = f"Must be {source.field} of an earlier answer of {source.from_tool}."
    expected = told[0] if len(told) == 1 else told
    return ArgumentDiff(
        place, source.argument, expected, found, present, rule, None if fits else "ignored_source"
    )


def values_at(data: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path; a list is entered by position, or in all its items."""
    head, _, rest = path.partition(".")
    if isinstance(data, dict) and path in data:
        yield data[path]
    elif isinstance(data, dict) and head in data:
        yield from values_at(data[head], rest) if rest else (data[head],)
    elif isinstance(data, list) and head.isdecimal():
        if int(head) < len(data):
            yield from values_at(data[int(head)], rest) if rest else (data[int(head)],)
    elif isinstance(data, list):
        for item in data:
            yield from values_at(item, path)
