"""The studio's own rules: the best pairing of calls, arguments by their matchers, and schemas
that hold."""

from __future__ import annotations

from collections.abc import Sequence

from engine.tools.answers import Answer, ArgumentDiff, Call, Scored
from engine.tools.matching import Matching, match_calls
from engine.tools.modes import state
from engine.tools.modes.context import Context
from engine.tools.modes.parts import Diffs, failed, schema_share, scored, weighted
from engine.tools.rules import CallRules, CaseRules
from engine.tools.suites import ExpectAny, ExpectCalls, ExpectNone, ExpectState


def judge(rules: CaseRules, answer: Answer, context: Context) -> Scored:
    """The score by what the case expects."""
    expect = rules.case.expect
    if isinstance(expect, ExpectCalls):
        return _calls_due(rules, expect, rules.alternatives, answer, context)
    if isinstance(expect, ExpectState):
        return state.judge(expect, context)
    return judge_expectation(rules, expect, answer, context)


def judge_expectation(
    rules: CaseRules, expect: ExpectCalls | ExpectNone | ExpectAny, answer: Answer, context: Context
) -> Scored:
    """The score by any expectation, with the case's tools."""
    if isinstance(expect, ExpectCalls):
        return _calls_due(rules, expect, rules.ready(expect), answer, context)
    if isinstance(expect, ExpectNone):
        return _none_due(answer)
    return _any_due(rules, answer, context)


def _none_due(answer: Answer) -> Scored:
    """Abstention: no call, not even one that failed or that stands in plain text."""
    if answer.calls is None:
        return failed("malformed_arguments", ("overall", "abstention"))
    if not answer.calls:
        return Scored(True, None, {"overall": 1.0, "abstention": 1.0}, "No call, as expected.")
    diffs = tuple(
        ArgumentDiff(index, "", None, call.name, True, "No call is due.", "unneeded_call")
        for index, call in enumerate(answer.calls)
    )
    return failed("unneeded_call", ("overall", "abstention"), diffs)


def _any_due(rules: CaseRules, answer: Answer, context: Context) -> Scored:
    """Relevance: some call of a tool on offer, with arguments that its schema allows."""
    parts = ("overall", "selection", "schema")
    calls = context.counted(answer)
    if calls is None:
        return failed("malformed_arguments", parts)
    if not calls:
        return failed("no_call", parts, reason=_no_call(answer))
    valid, diffs = schema_share(rules, calls, set())
    known = sum(call.name in rules.tools for call in calls) / len(calls)
    weights = context.weights
    overall = weighted(weights.selection, known, weights.arguments, valid)
    scores = {"overall": overall, "selection": known, "schema": valid}
    return scored(scores, diffs)


def _calls_due(
    rules: CaseRules,
    expect: ExpectCalls,
    alternatives: Sequence[list[CallRules]],
    answer: Answer,
    context: Context,
) -> Scored:
    parts = ("overall", "selection", "arguments", "schema")
    calls = context.counted(answer)
    if calls is None:
        return failed("malformed_arguments", parts)
    if not calls:
        diffs = tuple(_absent(item.name, "no_call") for item in alternatives[0])
        return failed("no_call", parts, diffs, reason=_no_call(answer))
    strict = expect.order == "strict"
    if len(alternatives) == 1:
        return _against(rules, alternatives[0], calls, strict, context)
    every = [_against(rules, expected, calls, strict, context) for expected in alternatives]
    return max(every, key=lambda item: (item.passed, item.scores["overall"]))


def _against(
    rules: CaseRules,
    expected: list[CallRules],
    calls: tuple[Call, ...],
    strict: bool,
    context: Context,
) -> Scored:
    """The score against one set of calls."""
    found = match_calls(expected, calls, strict=strict, similarity=context.similarity)
    diffs = [diff for _, _, pair in found.pairs for diff in pair.diffs]
    blamed = {(diff.call, diff.name) for diff in diffs if diff.error}
    valid, faults = schema_share(rules, calls, blamed)
    diffs += faults
    diffs += _unpaired(rules, expected, calls, found)
    selection = _f1(expected, calls)
    arguments = _share(expected, found)
    weights = context.weights
    scores = {
        "overall": weighted(weights.selection, selection, weights.arguments, arguments),
        "selection": selection,
        "arguments": arguments,
        "schema": valid,
    }
    if strict:
        scores["order"] = 0.0 if found.displaced else 1.0
    return scored(scores, diffs)


def _f1(expected: Sequence[CallRules], calls: Sequence[Call]) -> float:
    """F1 over the multisets of names."""
    if len(expected) == 1 and len(calls) == 1:
        return 1.0 if expected[0].name == calls[0].name else 0.0
    left = [rules.name for rules in expected]
    common = 0
    for call in calls:
        if call.name in left:
            left.remove(call.name)
            common += 1
    return 2 * common / (len(expected) + len(calls))


def _share(expected: Sequence[CallRules], found: Matching) -> float:
    """The arguments that are right among those expected and those that nobody expected."""
    items = sum(pair.items for _, _, pair in found.pairs)
    unanswered = [*found.missing, *(row for row, _ in found.displaced)]
    items += sum(_due(expected[row]) for row in unanswered)
    return sum(pair.fits for _, _, pair in found.pairs) / items


def _due(rules: CallRules) -> int:
    """How many arguments a call that was not made leaves unanswered."""
    due = [item for item in rules.arguments if not (item.argument.optional or item.argument.ignore)]
    return len(due) or 1


def _unpaired(
    rules: CaseRules, expected: Sequence[CallRules], calls: Sequence[Call], found: Matching
) -> Diffs:
    """Expected calls and calls without a partner: displaced, wrong, missing and extra ones."""
    diffs = [
        ArgumentDiff(column, "", expected[row].name, calls[column].name, True, *_OUT_OF_ORDER)
        for row, column in found.displaced
    ]
    spare = [index for index in found.extra if calls[index].name in rules.tools]
    for row in found.missing:
        name = expected[row].name
        if spare:
            index, other = spare[0], calls[spare.pop(0)].name
            rule = f"{name} was due, not {other}."
            diffs.append(ArgumentDiff(index, "", name, other, True, rule, "wrong_tool"))
        else:
            diffs.append(_absent(name, "missing_call"))
    rule = "No such call was due."
    diffs += [
        ArgumentDiff(index, "", None, calls[index].name, True, rule, "extra_call")
        for index in spare
    ]
    return diffs


_OUT_OF_ORDER = ("Called out of order.", "wrong_order")


def _absent(name: str, error: str) -> ArgumentDiff:
    return ArgumentDiff(-1, "", name, None, False, f"{name} was due and not called.", error)


def _no_call(answer: Answer) -> str:
    if answer.recovered:
        return "The call stands in plain text, which this evaluation does not count."
    return ""
