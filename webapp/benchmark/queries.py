"""What the benchmark pages read."""

from __future__ import annotations

from statistics import median
from typing import Any

from peewee import JOIN, Desc

from engine.specs import BenchmarkSpec, TargetRef
from webapp.benchmark.estimate import Pace
from webapp.models import ApiKey, Job, Provider, Run, SampleRow, User

LAST_RUNS = 8
# How many of the user's latest samples a forecast looks back on, and up to which context.
PACE_SAMPLES = 600
PACE_CONTEXT = 1_000


def last_runs(user: User) -> list[Run]:
    """The newest runs with their jobs."""
    query = (
        Run.select(Run, Job)
        .join(Job, JOIN.LEFT_OUTER, on=(Run.job == Job.id))
        .where((Run.user == user.id) & Run.deleted_at.is_null())
        .order_by(-Run.created_at, -Run.id)
        .limit(LAST_RUNS)
    )
    return list(query)


def paces(user: User) -> dict[TargetRef, Pace]:
    """How fast the user's models were lately; models never measured are absent."""
    rows: Any = (
        SampleRow.select(
            SampleRow.provider, SampleRow.model, SampleRow.ttft_ms, SampleRow.output_tps
        )
        .join(Run)
        .where(
            (Run.user == user.id)
            & (SampleRow.outcome == "ok")
            & (SampleRow.context_tokens <= PACE_CONTEXT)
            & (SampleRow.output_tps > 0)
        )
        .order_by(Desc(SampleRow.id))
        .limit(PACE_SAMPLES)
    )
    seen: dict[TargetRef, list[tuple[float, float]]] = {}
    for provider, model, ttft_ms, output_tps in rows.tuples():
        ref = TargetRef(provider=provider, model=model)
        seen.setdefault(ref, []).append((ttft_ms or 0.0, output_tps))
    return {ref: _pace(values) for ref, values in seen.items()}


def _pace(values: list[tuple[float, float]]) -> Pace:
    ttfts, speeds = zip(*values, strict=True)
    return Pace(median(ttfts) / 1_000, median(speeds))


def endpoints(user: User, spec: BenchmarkSpec) -> dict[str, tuple[str, bool]]:
    """The user's own endpoints among the providers of `spec`: the address of each, and
    whether a key is stored for it."""
    rows: Any = (
        Provider.select(Provider.key, Provider.api_base, ApiKey.id)
        .join(ApiKey, JOIN.LEFT_OUTER)
        .where(
            (Provider.user == user.id)
            & (Provider.origin == "user")
            & Provider.api_base.is_null(False)
            & Provider.key.in_({ref.provider for ref in spec.targets})
        )
    )
    return {key: (address, key_id is not None) for key, address, key_id in rows.tuples()}
