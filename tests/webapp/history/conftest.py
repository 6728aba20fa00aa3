"""Runs as a worker leaves them: samples with given speeds and first tokens."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.samples import Sample
from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs.store import describe_targets, store_samples
from tests.engine.report.builders import sample
from webapp.models import Job, Run, User

DAY_S = 86_400


def ladder(middle: float, n: int = 8, step: float = 0.01) -> list[float]:
    """`n` values around `middle`, each `step` of it apart."""
    return [middle * (1 + step * (i - (n - 1) / 2)) for i in range(n)]


def add_run(
    user: User,
    speeds: Mapping[str, Sequence[float]],
    *,
    name: str = "A run",
    provider: str = "demo",
    firsts: Mapping[str, Sequence[float]] | None = None,
    state: str = "done",
    age_s: float = 0.0,
    extra: Sequence[Sample] = (),
    labels: Mapping[str, str] | None = None,
    sample_fields: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Run:
    """A run of models with these output speeds (tokens/s, one for each answer) and times to
    the first token (ms, 100 and a little unless given)."""
    targets = [
        Target(
            provider,
            model,
            f"openai/{model}",
            label=(labels or {}).get(model, model),
            provider_label=provider.capitalize(),
        )
        for model in speeds
    ]
    asked = BenchmarkSpec(targets=tuple(target.ref for target in targets), **spec)
    samples = [*extra]
    for model, values in speeds.items():
        times = (firsts or {}).get(model) or [100 + 0.1 * i for i in range(len(values))]
        samples += (
            sample(model, run, provider=provider, output_tps=speed, ttft_ms=first,
                   **(sample_fields or {}))
            for run, (speed, first) in enumerate(zip(values, times, strict=True))
        )  # fmt: skip
    began = time.time() - age_s
    job = Job.create(
        user=user,
        kind="benchmark",
        spec={},
        title=name,
        state=state,
        done=len(samples),
        total=len(samples),
        started_at=began,
        finished_at=None if state in ("queued", "running") else began + 60,
    )
    run: Run = Run.create(
        user=user,
        job=job,
        name=name,
        spec=asked.model_dump(mode="json"),
        targets=describe_targets(targets),
        created_at=began,
    )
    Job.update(subject=run.id).where(Job.id == job.id).execute()
    store_samples(run, samples)
    return run
