"""Calls that were made against calls that were due: each pair argument by argument, and the
pairing that is best for the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.tools.answers import ArgumentDiff, Call
from engine.tools.assignment import best_pairs, best_pairs_in_order
from engine.tools.matchers import MATCHERS, Similarity
from engine.tools.matchers.base import kind_of, same, shown
from engine.tools.rules import ArgumentRules, CallRules
from engine.tools.suites import Argument


@dataclass(slots=True)
class Pair:
    """A call held against an expected one: how many of its arguments count, how many fit.
    A call without arguments to look at counts as one."""

    items: int = 0
    fits: int = 0
    diffs: list[ArgumentDiff] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.fits / self.items if self.items else 1.0


@dataclass(slots=True)
class Matching:
    """Who answers for what: (expected, call, pair) for each expected call that was made, the
    expected ones that were `missing`, the calls that are `extra`, and the (expected, call) that
    would be a pair but for the order that is due."""

    pairs: list[tuple[int, int, Pair]]
    missing: list[int]
    extra: list[int]
    displaced: list[tuple[int, int]] = field(default_factory=list)


def match_calls(
    expected: Sequence[CallRules],
    calls: Sequence[Call],
    *,
    strict: bool = False,
    similarity: Similarity | None = None,
) -> Matching:
    """The best pairing by total score, of calls with the expected name only."""
    if len(expected) == 1 and len(calls) == 1 and expected[0].name == calls[0].name:
        return Matching([(0, 0, compare(expected[0], calls[0], 0, similarity))], [], [])
    pairs = {
        (row, column): compare(rules, call, column, similarity)
        for row, rules in enumerate(expected)
        for column, call in enumerate(calls)
        if rules.name == call.name
    }
    chosen = free = _freely(expected, calls, pairs)
    if strict and len(expected) > 1:
        chosen = _in_order(len(expected), len(calls), pairs)
        if _total(chosen, pairs) > _total(free, pairs) - 1e-9:
            free = chosen
    used_rows = {row for row, _ in (*chosen, *free)}
    used_columns = {column for _, column in (*chosen, *free)}
    rows = {row for row, _ in chosen}
    return Matching(
        [(row, column, pairs[row, column]) for row, column in chosen],
        [row for row in range(len(expected)) if row not in used_rows],
        [column for column in range(len(calls)) if column not in used_columns],
        [(row, column) for row, column in free if row not in rows],
    )


Pairs = dict[tuple[int, int], Pair]


def _freely(
    expected: Sequence[CallRules], calls: Sequence[Call], pairs: Pairs
) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for name in dict.fromkeys(rules.name for rules in expected):
        rows = [row for row, rules in enumerate(expected) if rules.name == name]
        columns = [column for column, call in enumerate(calls) if call.name == name]
        if columns:
            shares = [[pairs[row, column].share for column in columns] for row in rows]
            chosen += [(rows[row], columns[column]) for row, column in best_pairs(shares)]
    return sorted(chosen)


def _in_order(rows: int, columns: int, pairs: Pairs) -> list[tuple[int, int]]:
    scores = [
        [
            1 + pairs[row, column].share if (row, column) in pairs else None
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    return best_pairs_in_order(scores)


def _total(chosen: Sequence[tuple[int, int]], pairs: Pairs) -> float:
    return sum(1 + pairs[place].share for place in chosen)


def compare(rules: CallRules, call: Call, index: int, similarity: Similarity | None) -> Pair:
    """One call, the answer's `index`-th, argument by argument."""
    pair = Pair()
    if call.arguments is None:
        _malformed(pair, rules, call, index)
        return pair
    defaults = rules.tool.schema.defaults if rules.tool else {}
    for item in rules.arguments:
        _argument(pair, item, call.arguments, index, defaults, similarity)
    if not call.arguments.keys() <= rules.names:
        _unexpected(pair, rules, call.arguments, index, defaults)
    if not pair.items:
        pair.items = pair.fits = 1
    return pair


def _malformed(pair: Pair, rules: CallRules, call: Call, index: int) -> None:
    pair.items = len(rules.arguments) or 1
    rule = "The arguments could not be read as a JSON object."
    pair.diffs.append(
        ArgumentDiff(index, "", rules.name, call.raw[:200], True, rule, "malformed_arguments")
    )


def _argument(
    pair: Pair,
    item: ArgumentRules,
    arguments: dict[str, Any],
    index: int,
    defaults: dict[str, Any],
    similarity: Similarity | None,
) -> None:
    argument, name = item.argument, item.name
    if name not in arguments:
        _left_out(pair, item, index, defaults, similarity)
        return
    found = arguments[name]
    error = None
    if argument.ignore:
        rule = "May be anything."
    else:
        pair.items += 1
        fits, rule = MATCHERS[item.match.kind](item.match, argument.values, found, similarity)
        if (
            not fits
            and argument.default_ok
            and argument.optional
            and _is_default(name, found, defaults)
        ):
            fits, rule = True, "The schema's default, as if it were left out."
        if fits:
            pair.fits += 1
        else:
            error = _class(argument, found)
    pair.diffs.append(
        ArgumentDiff(index, name, _expected(argument.values), found, True, rule, error)
    )


def _left_out(
    pair: Pair,
    item: ArgumentRules,
    index: int,
    defaults: dict[str, Any],
    similarity: Similarity | None,
) -> None:
    argument, error = item.argument, None
    if argument.ignore or argument.optional:
        rule = "May be left out."
    else:
        pair.items += 1
        rule, error = "Expected, and left out.", "missing_argument"
        if argument.default_ok and item.name in defaults:
            default = defaults[item.name]
            if MATCHERS[item.match.kind](item.match, argument.values, default, similarity)[0]:
                pair.fits += 1
                rule, error = f"Left out; the schema's default {shown(default)} is right.", None
    pair.diffs.append(
        ArgumentDiff(index, item.name, _expected(argument.values), None, False, rule, error)
    )


def _unexpected(
    pair: Pair, rules: CallRules, arguments: dict[str, Any], index: int, defaults: dict[str, Any]
) -> None:
    for name, found in arguments.items():
        if name in rules.names:
            continue
        error = None
        if rules.expected.ignore_others:
            rule = "Further arguments may be anything."
        elif _is_default(name, found, defaults):
            rule = "The schema's default, as if it were left out."
        else:
            pair.items += 1
            rule, error = _unknown(rules, name), "unknown_argument"
        pair.diffs.append(ArgumentDiff(index, name, None, found, True, rule, error))


def _unknown(rules: CallRules, name: str) -> str:
    if rules.tool and name in rules.tool.schema.properties:
        return "The case does not expect this argument."
    return "The tool has no such argument."


def _is_default(name: str, found: Any, defaults: dict[str, Any]) -> bool:
    return name in defaults and same(defaults[name], found)


def _expected(values: Sequence[Any]) -> Any:
    """What a reader is shown: the value, or the choice of values."""
    return values[0] if len(values) == 1 else list(values)


def _class(argument: Argument, found: Any) -> str:
    """A value of a type that none of the allowed ones has is a wrong type. "" beside others in
    an optional argument is BFCL's mark, not a text."""
    kinds = {kind_of(v) for v in argument.values if v != "" or not argument.optional}
    return "wrong_value" if not kinds or kind_of(found) in kinds else "wrong_type"
