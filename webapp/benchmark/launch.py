"""Starting benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.specs import BenchmarkSpec
from engine.targets import Target
from jobs.store import describe_targets
from jobs.submit import submit
from webapp.benchmark.words import listed
from webapp.models import Run, User

# Small enough to end within half a minute.
DEMO_MODELS = 3
DEMO_RUNS = 3
DEMO_MAX_TOKENS = 128


def start(user: User, spec: BenchmarkSpec, targets: Sequence[Target]) -> Run:
    """Store a run with its job and wake a worker; returns the stored run."""
    run = Run(
        user=user,
        name=spec.name or default_name(targets),
        spec=spec.model_dump(mode="json"),
        targets=describe_targets(targets),
    )
    submit(user, "benchmark", spec, title=run.name, fills=run)
    return run


def default_name(targets: Iterable[Target]) -> str:
    """A run without a name is called after its models."""
    return listed([target.label or target.model for target in targets])[:200]


def demo_spec(targets: Iterable[Target]) -> BenchmarkSpec | None:
    """A short benchmark of the first simulated models; None when there is none."""
    simulated = [target.ref for target in targets if target.simulated and not target.problem]
    if not simulated:
        return None
    return BenchmarkSpec(
        name="First look at the demo models",
        targets=tuple(simulated[:DEMO_MODELS]),
        runs=DEMO_RUNS,
        max_tokens=DEMO_MAX_TOKENS,
    )
