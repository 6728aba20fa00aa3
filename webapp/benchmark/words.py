"""Sentences of the benchmark pages; every number in them has its formatting of
`webapp.formats`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.report import Result, front_tier
from engine.report.knee import sweeps, widest
from engine.report.wording import SPEED, name, pressed
from engine.specs import BenchmarkSpec
from engine.targets import Target
from webapp.benchmark.estimate import Estimate
from webapp.formats import count, number, tier, usd

# Kinds of error as a word beside the sentence that explains them.
ERRORS = {
    "auth": "key refused",
    "rate_limited": "rate limited",
    "timeout": "timed out",
    "connect": "unreachable",
    "server": "server error",
    "bad_request": "refused",
    "content_filter": "filtered",
    "empty_output": "empty answer",
    "stream_broken": "stream broke",
    "unsupported": "unsupported",
}


def plural(number: int, one: str, many: str = "") -> str:
    """ "1 run", "30 runs"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """ "a", "a and b", "a, b and c"; longer lists are counted: "a, b and 4 more"."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def window(tokens: int) -> str:
    """A context window: 128K, 131,072, 1.05M."""
    if tokens >= 1_000_000:
        return tier(round(tokens, -4))
    return tier(tokens) if tokens % 1_000 == 0 else count(tokens)


def roughly(seconds: float) -> str:
    """A duration as a forecast deserves: 5 s, 40 s, 4 min, 1 h 20 min."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(10 * math.ceil(minutes / 10), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def at_most(value: float) -> str:
    """An upper bound in USD, rounded up to cents where it has some."""
    return usd(value) if value < 0.01 else f"${math.ceil(round(value * 100, 6)) / 100:,.2f}"


def cost_bound(estimate: Estimate) -> str:
    """What it costs at most; an unknown price is said, never counted as nothing."""
    if estimate.usd is None:
        return "price unknown"
    bound = f"at most {at_most(estimate.usd)}"
    if estimate.unpriced:
        several = len(estimate.unpriced) > 1
        return (
            f"{bound} without {listed(estimate.unpriced)}, "
            f"whose {'prices are' if several else 'price is'} unknown"
        )
    return f"{bound} (simulated)" if estimate.simulated else bound


def consequence(estimate: Estimate) -> str:
    """What pressing the button means, in one line."""
    requests = plural(estimate.requests, "request")
    said = f"{requests}, about {roughly(estimate.seconds)}, {cost_bound(estimate)}"
    budget = estimate.budget_usd
    if budget is not None and (estimate.usd is None or estimate.usd > budget):
        said += f", stops when {usd(budget)} is spent"
    return said


def subtitle(spec: BenchmarkSpec, targets: Sequence[Target]) -> str:
    """ "3 models, 10 runs each, 512 tokens out, cold cache"."""
    parts = [
        plural(len(targets), "model"),
        _often(spec, len(targets) > 1),
        f"{plural(spec.max_tokens, 'token')} out",
    ]
    if spec.context_tiers != (0,):
        parts.append(f"context {listed([tier(size) for size in spec.context_tiers], 16)}")
    if spec.prompts:
        parts.append(plural(len(spec.prompts), "prompt"))
    if drawn := spec.synthetic:
        parts[-1] = f"about {count(drawn.input_mean)} tokens in and {count(drawn.output_mean)} out"
    if spec.fixed_output:
        parts.append("answers of one length")
    if spec.recall:
        parts.append("recall")
    return ", ".join([*parts, f"{spec.cache} cache"])


def _often(spec: BenchmarkSpec, several: bool) -> str:
    """ "10 runs each", "1–64 streams in 7 levels", "2–30 requests/s, steady arrivals"."""
    if spec.load is None:
        return f"{plural(spec.runs, 'run')}{' each' if several else ''}"
    values = [f"{value:g}" for value in sorted(set(spec.load.levels))]
    span = values[0] if len(values) == 1 else f"{values[0]}–{values[-1]}"
    levels = f" in {plural(len(values), 'level')}" if len(values) > 1 else ""
    if spec.load.arrivals == "closed":
        return f"{span} {'stream' if span == '1' else 'streams'}{levels}"
    spacing = "steady" if spec.load.arrivals == "constant" else "Poisson"
    return f"{span} requests/s{levels}, {spacing} arrivals"


def start(expected: float | None, now: float) -> str:
    """When a waiting run should begin."""
    if expected is None:
        return "Waiting for its turn; it starts by itself."
    if expected - now < 3:
        return "Waiting for a free worker."
    return (
        f"Waiting for your other jobs to end. It starts by itself, in about "
        f"{roughly(expected - now)}."
    )


def leader(results: Sequence[Result], state: str) -> str:
    """While samples land: who leads, without a claim that needs them all."""
    if found := widest(sweeps(results)):
        best = found[0].best
        reached = f"{number(best.system_output_tps)}\u202ftokens/s at {pressed(best)}"
        return f"So far {name(best, results)} serves {reached}."
    speeds = SPEED.best_first(front_tier(results))
    if not speeds:
        said = "The answer stands here as soon as there is one."
        return f"Measuring. {said}" if state == "running" else said
    best = speeds[0]
    if len({(result.provider, result.model) for result in results}) == 1:
        return f"So far {best.label} writes {SPEED.said(best)}."
    return (
        f"So far {name(best, results)} is ahead with {SPEED.said(best)}. Whether that is more "
        "than chance is judged at the end."
    )


def neighbours(jobs: int) -> str:
    """Other measurements on the same machine disturb."""
    return (
        f"{plural(jobs, 'other job')} measured on this machine at the same time, which can slow "
        "a measurement down."
    )


def left(seconds: float | None) -> str:
    """ ", about 40 s left"; empty while nothing tells."""
    return "" if seconds is None else f", about {roughly(seconds)} left"
