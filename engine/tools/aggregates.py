"""Many trials as figures: pass rates with intervals by model, category and error class,
pass@k, flaky cases, and two models case by case.

A trial without a score (infrastructure) is counted apart and is in no denominator.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import NamedTuple, TypeVar

from engine.stats import Interval, wilson
from engine.tools.trials import Trial

K = TypeVar("K", bound=Hashable)


class Result(NamedTuple):
    """What aggregates need of a trial. `passed` is None where there is no score; `error` is
    the class of what went wrong, `score` the overall score, `weight` the case's."""

    model: str
    case: str
    category: str
    passed: bool | None
    error: str | None = None
    score: float = 0.0
    weight: float = 1.0


def result_of(trial: Trial, weight: float = 1.0) -> Result:
    """The light form of a trial."""
    scored = trial.scored
    return Result(
        f"{trial.key.provider}/{trial.key.model}",
        trial.key.case,
        trial.category,
        trial.passed,
        scored.error_type if scored else None,
        scored.scores.get("overall", 0.0) if scored else 0.0,
        weight,
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """`passed` of `n` scored trials over `cases` cases; `unscored` trials failed on the way.

    `ci` is Wilson's interval of the rate, on fewer trials where the trials of a case agree
    with each other: ten repeats of one case say less than ten cases. `score` is the mean
    overall score by the cases' weights. `errors` counts the classes. Rates are None for n = 0.
    """

    n: int
    passed: int
    unscored: int
    cases: int
    rate: float | None
    ci: Interval
    score: float | None
    errors: dict[str, int] = field(default_factory=dict)

    def share_of(self, error: str) -> tuple[float | None, Interval]:
        """The share of scored trials whose worst class is `error`, with Wilson's interval."""
        count = self.errors.get(error, 0)
        return (count / self.n if self.n else None), wilson(count, self.n)


def tally(results: Iterable[Result]) -> Tally:
    """The figures of any trials together."""
    every = list(results)
    scored = [item for item in every if item.passed is not None]
    n, passed = len(scored), sum(item.passed is True for item in scored)
    weights = sum(item.weight for item in scored)
    groups = list(counts_by_case(scored).values())
    return Tally(
        n=n,
        passed=passed,
        unscored=len(every) - n,
        cases=len(groups),
        rate=passed / n if n else None,
        ci=grouped_wilson(groups),
        score=sum(item.score * item.weight for item in scored) / weights if scored else None,
        errors=dict(Counter(item.error for item in scored if item.error).most_common()),
    )


def by_model(results: Iterable[Result]) -> dict[str, Tally]:
    """Each model's figures, in the order of their first trial."""
    return {model: tally(items) for model, items in _grouped(results, _model).items()}


def by_category(results: Iterable[Result]) -> dict[tuple[str, str], Tally]:
    """Each (model, category)'s figures."""
    groups = _grouped(results, lambda item: (item.model, item.category))
    return {key: tally(items) for key, items in groups.items()}


class CaseCount(NamedTuple):
    """Of a case and a model: how many scored trials passed."""

    passed: int
    n: int

    @property
    def flaky(self) -> bool:
        """Some trials passed and some did not."""
        return 0 < self.passed < self.n


def counts_by_case(results: Iterable[Result]) -> dict[tuple[str, str], CaseCount]:
    """(model, case) → passed and scored trials; cases without a score are left out."""
    groups = _grouped((r for r in results if r.passed is not None), lambda r: (r.model, r.case))
    return {
        key: CaseCount(sum(item.passed is True for item in items), len(items))
        for key, items in groups.items()
    }


def flaky_cases(results: Iterable[Result]) -> dict[tuple[str, str], CaseCount]:
    """The (model, case) whose trials disagree, the most even first."""
    flaky = {key: count for key, count in counts_by_case(results).items() if count.flaky}
    return dict(sorted(flaky.items(), key=lambda item: abs(item[1].passed / item[1].n - 0.5)))


def case_passes(count: CaseCount, threshold: float) -> bool:
    """Whether the share of passed trials reaches the threshold (0.8 for "8 of 10")."""
    return count.n > 0 and count.passed >= threshold * count.n - 1e-9


def pass_at_k(count: CaseCount, k: int) -> float | None:
    """The chance that at least one of k trials passes: 1 - C(n-c, k) / C(n, k); None for
    fewer than k trials."""
    if not 1 <= k <= count.n:
        return None
    return 1 - comb(count.n - count.passed, k) / comb(count.n, k)


def pass_hat_k(count: CaseCount, k: int) -> float | None:
    """The chance that all of k trials pass (pass^k): C(c, k) / C(n, k); None for fewer than
    k trials."""
    return comb(count.passed, k) / comb(count.n, k) if 1 <= k <= count.n else None


@dataclass(frozen=True, slots=True)
class Repeats:
    """pass@k and pass^k of a model, the means over its `cases` that have k trials."""

    k: int
    cases: int
    at_least_one: float
    all_of_them: float


def repeats(results: Iterable[Result]) -> dict[str, list[Repeats]]:
    """For each model, k from 1 to the most trials that at least half of its cases have."""
    counts: dict[str, list[CaseCount]] = defaultdict(list)
    for (model, _), count in counts_by_case(results).items():
        counts[model].append(count)
    return {model: _repeats(items) for model, items in counts.items()}


def _repeats(counts: Sequence[CaseCount]) -> list[Repeats]:
    longest = sorted(count.n for count in counts)[len(counts) // 2]
    return [_repeats_of(counts, k) for k in range(1, longest + 1)]


def _repeats_of(counts: Sequence[CaseCount], k: int) -> Repeats:
    enough = [count for count in counts if count.n >= k]
    return Repeats(
        k,
        len(enough),
        sum(pass_at_k(count, k) or 0.0 for count in enough) / len(enough),
        sum(pass_hat_k(count, k) or 0.0 for count in enough) / len(enough),
    )


def grouped_wilson(groups: Sequence[CaseCount]) -> Interval:
    """Wilson's interval of the common rate of groups of trials.

    The trials of a case are not independent. The variance between the cases (of the ratio
    estimator) over that of as many independent trials is the design effect; the number of
    trials is divided by it, but never falls below the number of cases.
    """
    n, passed = sum(g.n for g in groups), sum(g.passed for g in groups)
    m, rate = len(groups), passed / n if n else 0.0
    if n == m:
        return wilson(passed, n)
    effective = float(m)
    if 0 < rate < 1 and m > 1:
        spread = sum((g.passed - rate * g.n) ** 2 for g in groups) * m / (m - 1)
        effect = spread / (n * rate * (1 - rate))
        effective = max(float(m), n / max(effect, 1.0))
    return wilson(rate * effective, effective)


def _model(item: Result) -> str:
    return item.model


def _grouped(results: Iterable[Result], key: Callable[[Result], K]) -> dict[K, list[Result]]:
    groups: dict[K, list[Result]] = {}
    for item in results:
        groups.setdefault(key(item), []).append(item)
    return groups
