"""How often the statistics claim what is not so: comparisons of equal models, and intervals
that miss the median they are of. Simulations with a fixed seed; nothing is measured."""

from __future__ import annotations

import math

import numpy as np

from engine.stats import NOT_DISTINGUISHABLE, compare, describe
from tests.bench.outcome import Check, Outcome, markdown_table

_SEED = 2_026
_SHAPES = {"lognormal": 1.0, "exponential": math.log(2)}  # and their medians
_SIZES = (10, 30, 100)


def run(quick: bool) -> Outcome:
    """1,000 A/A comparisons of each kind, 20,000 intervals of each shape and size."""
    comparisons, intervals = (200, 2_000) if quick else (1_000, 20_000)
    claims = {
        (kind, n): false_claims(n, paired=kind == "pairs", rounds=comparisons)
        for kind in ("groups", "pairs")
        for n in _SIZES[:2]
    }
    covered = {(shape, n): coverage(shape, n, intervals) for shape in _SHAPES for n in _SIZES}
    checks = [Check(f"false claims, {k} of {n}", share, 0.05) for (k, n), share in claims.items()]
    for (shape, n), share in covered.items():
        if n >= 30:
            checks.append(Check(f"coverage, {shape}, n = {n}", share, 0.93, at_least=True))
            checks.append(Check(f"coverage, {shape}, n = {n}", share, 0.97))
    rows = [["false claims", f"{k} of {n}", f"{share:.1%}"] for (k, n), share in claims.items()]
    rows += [["coverage", f"{k}, n = {n}", f"{share:.1%}"] for (k, n), share in covered.items()]
    figures = {
        "false_claims": {f"{k} of {n}": share for (k, n), share in claims.items()},
        "coverage": {f"{k}, {n}": share for (k, n), share in covered.items()},
    }
    return Outcome(figures, checks, markdown_table(["statistic", "of", "share"], rows))


def false_claims(n: int, *, paired: bool, rounds: int) -> float:
    """Share of comparisons of equal models with `n` skewed values each that name a faster one.
    Pairs share the spread of their prompts."""
    rng = np.random.default_rng((_SEED, n, paired))
    claims = 0
    for _ in range(rounds):
        prompts = np.exp(0.8 * rng.standard_normal(n)) if paired else np.ones(n)
        a, b = (prompts * np.exp(0.3 * rng.standard_normal(n)) for _ in range(2))
        claims += compare(a.tolist(), b.tolist(), paired=paired).verdict != NOT_DISTINGUISHABLE
    return claims / rounds


def coverage(shape: str, n: int, rounds: int) -> float:
    """Share of the 95 % intervals of the median that hold the true one."""
    rng = np.random.default_rng((_SEED, n))
    if shape == "lognormal":
        drawn = np.exp(0.8 * rng.standard_normal((rounds, n)))
    else:
        drawn = rng.exponential(1.0, (rounds, n))
    held = 0
    for values in drawn:
        low, high = describe(values.tolist()).ci95
        held += low is not None and high is not None and low <= _SHAPES[shape] <= high
    return held / rounds
