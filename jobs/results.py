"""A stored run as the results every page, file and export shows."""

from __future__ import annotations

from typing import Any

from engine.report import Result, document, results
from engine.specs import BenchmarkSpec
from jobs.store import load_clients, load_samples, load_targets
from webapp.models import Run


def run_results(run: Run) -> list[Result]:
    """The results of what is stored so far, by the targets as they were at the start."""
    return results(load_samples(run), load_targets(run), run_spec(run), load_clients(run))


def run_document(run: Run) -> dict[str, Any]:
    """The run as the JSON document `studio.bench/1`."""
    return document(run_results(run), run.environment, run_spec(run))


def run_spec(run: Run) -> BenchmarkSpec:
    """The spec the run was started with."""
    return BenchmarkSpec.model_validate(run.spec)
