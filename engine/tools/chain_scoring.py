"""Scoring a conversation: what was done, how directly, and with the right values.

    overall = completion · efficiency − penalty · needless repeats − penalty · detours

clamped to 0–1; docs/tools.md tells how each is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.specs import ToolEvalSpec, ToolWeights
from engine.tools.answers import Answer, ArgumentDiff, Scored
from engine.tools.chains import Due, Hop, Told, due_in_turn
from engine.tools.matchers.base import Similarity, same
from engine.tools.matching import Matching, match_calls
from engine.tools.modes.context import worst_first
from engine.tools.modes.reasons import reason_of
from engine.tools.rules import CallRules, CaseRules
from engine.tools.scoring import Scorer
from engine.tools.sources import source_diffs
from engine.tools.suites import Case, Chain, ExpectCalls, Suite

_REPEAT = "The same call was made before, and its answer told nothing new."
_STALLED = "The model still called tools when its rounds were used up."


class TrialScorer:
    """Scores the trials of one evaluation. A call to `similarity` may take long."""

    def __init__(
        self, spec: ToolEvalSpec, suite: Suite, similarity: Similarity | None = None
    ) -> None:
        self._spec, self.similarity = spec, similarity
        self.rules = Scorer(
            suite,
            mode=spec.mode,
            weights=spec.weights,
            count_recovered=spec.count_recovered,
            similarity=similarity,
        )

    def score(self, case: Case, told: Told) -> Scored:
        """The score of a trial. In the modes "schema" and "state" a chain is scored as one
        answer with all its calls; in "bfcl", whose rules know no chains, as in "studio"."""
        mode = self._spec.mode
        if case.chain is None:
            return self.rules.score(case, told.answers[0][1])
        if mode == "schema" or (mode == "state" and case.expect.kind == "state"):
            return self.rules.score(case, _answer(told, told.hops, None), end_state=told.state)
        return _ChainScore(self, case, case.chain, told, self._spec.weights).result()


@dataclass(slots=True)
class _Turn:
    """One turn held against what it expects. `items` is its weight in the completion."""

    number: int
    due: Due | None
    hops: list[Hop]
    items: int = 0
    done: float = 0.0
    extra: list[Hop] = field(default_factory=list)
    least: int = 0


class _ChainScore:
    """The score of one conversation in the making."""

    def __init__(
        self, trials: TrialScorer, case: Case, chain: Chain, told: Told, weights: ToolWeights
    ) -> None:
        self._scorer, self._similarity = trials.rules, trials.similarity
        self._case, self._chain = case, chain
        self._told, self._weights = told, weights
        self._rules: CaseRules = self._scorer.rules(case)
        self._place = {id(hop): index for index, hop in enumerate(told.hops)}
        self._diffs: list[ArgumentDiff] = []
        self._parts: dict[str, list[float]] = {}

    def result(self) -> Scored:
        turns = [self._turn(number) for number in range(len(self._chain.turns) + 1)]
        excused, repeats = self._again([hop for turn in turns for hop in turn.extra])
        gone = {id(hop) for hop in (*excused, *repeats)}
        detours = [hop for turn in turns for hop in turn.extra if id(hop) not in gone]
        for turn in turns:
            self._explain(turn, gone)
        completion = self._completion(turns)
        efficiency = self._efficiency(turns, excused)
        scores = self._scores(completion, efficiency, len(repeats), len(detours))
        self._diffs += [_diff(self._place[id(hop)], hop, _REPEAT) for hop in repeats]
        if self._told.stalled:
            self._diffs.append(ArgumentDiff(-1, "", None, None, False, _STALLED, "stalled_chain"))
        return self._judged(scores)

    def _turn(self, number: int) -> _Turn:
        hops = [hop for hop in self._told.hops if hop.turn == number]
        turn = _Turn(number, due_in_turn(self._case, number), hops)
        reached = any(at == number for at, _ in self._told.answers)
        if isinstance(turn.due, ExpectCalls):
            self._match(turn, turn.due)
        elif turn.due is not None:
            turn.items = 1
            wanted = turn.due.kind == "any"
            turn.least = int(wanted)
            turn.done = float(reached and bool(hops) == wanted)
            turn.extra = [] if wanted else list(hops)
        return turn

    def _match(self, turn: _Turn, due: ExpectCalls) -> None:
        """Hold a turn against the alternative that it comes nearest to."""
        calls = [hop.call for hop in turn.hops]
        strict, similarity = due.order == "strict", self._similarity
        tried = [
            (expected, match_calls(expected, calls, strict=strict, similarity=similarity))
            for expected in self._rules.ready(due)
        ]
        expected, found = max(tried, key=lambda item: self._nearness(turn, *item))
        turn.items = turn.least = len(expected)
        turn.done = self._right(turn, found) / len(expected)
        turn.extra = [turn.hops[index] for index in found.extra]

    def _nearness(
        self, turn: _Turn, expected: Sequence[CallRules], found: Matching
    ) -> tuple[float, float, int]:
        right = self._right(turn, found) / len(expected)
        near = sum(pair.share for _, _, pair in found.pairs) / len(expected)
        return right, near, -len(found.extra)

    def _right(self, turn: _Turn, found: Matching) -> int:
        """Expected calls that were made with the right arguments, valid by their schema."""
        return sum(
            pair.share == 1 and self._valid(turn.hops[column]) for _, column, pair in found.pairs
        )

    def _valid(self, hop: Hop) -> bool:
        tool = self._rules.tools.get(hop.call.name)
        return tool is None or not tool.problems(hop.call.arguments)

    def _again(self, extra: Sequence[Hop]) -> tuple[list[Hop], list[Hop]]:
        """Of the calls nobody expected those that repeat another one: (excused, needless). A
        repeat is excused after a failure of the tool, and when its answer was a new one."""
        excused: list[Hop] = []
        needless: list[Hop] = []
        surplus = {id(hop) for hop in extra}
        for hop in extra:
            others = [
                other for other in self._told.hops if other is not hop and _same_call(hop, other)
            ]
            before = [other for other in others if self._earlier(other, hop)]
            if any(other.mocked.error is not None for other in (*before, hop) if others):
                excused.append(hop)
            elif before or any(id(other) not in surplus for other in others):
                known = any(same(o.mocked.result, hop.mocked.result) for o in others)
                (needless if known else excused).append(hop)
        return excused, needless

    def _earlier(self, one: Hop, other: Hop) -> bool:
        return self._place[id(one)] < self._place[id(other)]

    def _explain(self, turn: _Turn, gone: set[int]) -> None:
        """The parts and the diffs of a turn, repeats left out, as the studio scores them."""
        if turn.due is None:
            return
        kept = [hop for hop in turn.hops if id(hop) not in gone]
        scored = self._scorer.score_calls(
            self._case, turn.due, _answer(self._told, kept, turn.number)
        )
        for name, value in scored.scores.items():
            self._parts.setdefault(name, []).append(value)
        for diff in scored.diffs:
            place = self._place[id(kept[diff.call])] if 0 <= diff.call < len(kept) else -1
            self._diffs.append(replace(diff, call=place))
        if scored.error_type and not any(diff.error for diff in scored.diffs):
            self._diffs.append(
                ArgumentDiff(-1, "", None, None, False, scored.reason, scored.error_type)
            )

    def _completion(self, turns: Sequence[_Turn]) -> float:
        """The share of what was due that was done, an end state included."""
        done = [(turn.items, turn.done) for turn in turns if turn.items]
        if self._case.expect.kind == "state":
            reached = self._scorer.score(self._case, Answer(()), end_state=self._told.state)
            self._diffs += reached.diffs
            self._parts["state"] = [reached.scores["state"]]
            done.append((1, reached.scores["state"]))
        weight = sum(items for items, _ in done)
        return sum(items * part for items, part in done) / weight if weight else 1.0

    def _efficiency(self, turns: Sequence[_Turn], excused: Sequence[Hop]) -> float | None:
        """min(1, least calls / calls made), retries of a failed tool not counted. None where
        nothing says how many calls are needed."""
        free = {id(hop) for hop in excused if hop.mocked.error is not None or self._failed(hop)}
        if self._chain.optimal_hops is not None:
            least = self._chain.optimal_hops
            made = [hop for hop in self._told.hops if id(hop) not in free]
        else:
            counted = [turn for turn in turns if turn.due is not None and turn.due.kind != "any"]
            if not counted:
                return None
            least = sum(turn.least for turn in counted)
            made = [hop for turn in counted for hop in turn.hops if id(hop) not in free]
        return min(1.0, least / len(made)) if made else 1.0

    def _failed(self, hop: Hop) -> bool:
        """Whether the same call met a failure of the tool at another time."""
        return any(
            other.mocked.error is not None
            for other in self._told.hops
            if other is not hop and _same_call(hop, other)
        )

    def _scores(
        self, completion: float, efficiency: float | None, repeats: int, detours: int
    ) -> dict[str, float]:
        weights, calls = self._weights, max(1, len(self._told.hops))
        overall = completion * (1.0 if efficiency is None else efficiency)
        overall -= weights.repeat_penalty * repeats + weights.detour_penalty * detours
        scores = {"overall": min(1.0, max(0.0, overall)), "completion": completion}
        if efficiency is not None:
            scores["efficiency"] = efficiency
        scores |= {
            "without_repeats": 1 - repeats / calls,
            "without_detours": 1 - detours / calls,
        }
        share, diffs = source_diffs(self._chain.sources, self._told.hops)
        self._diffs += diffs
        if share is not None:
            scores["argument_source"] = share
        self._parts.pop("overall", None)
        return scores | {name: sum(part) / len(part) for name, part in self._parts.items()}

    def _judged(self, scores: dict[str, float]) -> Scored:
        errors = worst_first(diff.error for diff in self._diffs if diff.error)
        diffs = tuple(self._diffs)
        if not errors and all(value == 1 for value in scores.values()):
            return Scored(True, None, scores, "Everything as expected.", diffs)
        worst = errors[0] if errors else "extra_call"
        reason = reason_of(worst, self._diffs) if errors else "More calls than are needed."
        return Scored(False, worst, scores, reason, diffs, errors or (worst,))


def _answer(told: Told, hops: Sequence[Hop], turn: int | None) -> Answer:
    """All calls of a turn (None: of the conversation) as one answer. Without a call that was
    answered it is what the model wrote instead: a call in plain text, or an unreadable one."""
    if hops:
        return Answer(tuple(hop.call for hop in hops))
    answers = [answer for number, answer in told.answers if turn in (None, number)]
    odd = [answer for answer in answers if answer.recovered or answer.calls is None]
    return odd[0] if odd else Answer(())


def _same_call(one: Hop, other: Hop) -> bool:
    mine: Any = one.call.arguments
    return (
        one.call.name == other.call.name
        and mine is not None
        and same(mine, other.call.arguments, trim=False)
    )


def _diff(place: int, hop: Hop, rule: str) -> ArgumentDiff:
    return ArgumentDiff(place, "", None, hop.call.name, True, rule, "extra_call")
