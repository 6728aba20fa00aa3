"""An evaluation as files: JSON with everything, CSV with a line a trial, one HTML page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.tools.trials import Trial
from jobs.trials import load_trials
from webapp.history.rows import csv_text
from webapp.models import Eval
from webapp.tools import report
from webapp.tools.cells import PARTS, figures
from webapp.tools.rates import Rate

SCHEMA = "studio.eval/1"
_STATIC = Path(__file__).resolve().parents[2] / "static" / "css"
_STYLES = ("tokens.css", "base.css", "components.css", "tools.css")
COLUMNS = (
    "case", "category", "provider", "model", "trial", "outcome", "passed", "error_type", "errors",
    "error", "overall", *PARTS, "rounds", "input_tokens", "output_tokens", "cost_usd", "ttft_ms",
    "e2e_ms", "started_at",
)  # fmt: skip


def to_json(row: Eval) -> str:
    """The spec, the suite, a summary by model and category, and every trial."""
    known = figures(row)
    parts = report.parts_of(known)
    data = {
        "schema": SCHEMA,
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "environment": row.environment,
        "spec": row.spec,
        "suite": row.suite,
        "models": [_model(one, parts) for one in report.models(known, parts)],
        "categories": [
            {"category": name, "cases": cases, "models": [_rate(rate) for rate in rates]}
            for name, cases, rates in report.categories(known)
        ],
        "trials": [_trial(trial) for trial in load_trials(row)],
    }
    return json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n"


def to_csv(row: Eval) -> str:
    """One line a trial, with the parts of its score."""
    return csv_text(COLUMNS, _lines(row))


def style() -> str:
    """The styles of a page that stands alone."""
    return "\n".join((_STATIC / name).read_text() for name in _STYLES)


def _lines(row: Eval) -> Iterator[dict[str, Any]]:
    for trial in load_trials(row, light=True):
        scores = trial.scored.scores if trial.scored else {}
        errors = " ".join(trial.scored.errors) if trial.scored else ""
        yield _plain(trial) | {
            "errors": errors,
            "overall": scores.get("overall"),
            **{name: scores.get(name) for name in PARTS},
        }


def _plain(trial: Trial) -> dict[str, Any]:
    return {
        "case": trial.key.case,
        "category": trial.category,
        "provider": trial.key.provider,
        "model": trial.key.model,
        "trial": trial.key.trial,
        "outcome": trial.outcome,
        "passed": trial.passed,
        "error_type": trial.scored.error_type if trial.scored else None,
        "error": trial.error,
        "rounds": trial.rounds,
        "input_tokens": trial.tokens.input,
        "output_tokens": trial.tokens.output,
        "cost_usd": trial.cost_usd,
        "ttft_ms": trial.ttft_ms,
        "e2e_ms": trial.e2e_ms,
        "started_at": trial.started_at,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    scored = trial.scored
    return _plain(trial) | {
        "message": trial.message,
        "recovered": trial.recovered,
        "scores": scored.scores if scored else None,
        "errors": list(scored.errors) if scored else None,
        "reason": scored.reason if scored else None,
        "diffs": [
            {name: getattr(diff, name) for name in diff.__slots__} for diff in scored.diffs
        ] if scored else [],
        "transcript": trial.transcript,
    }  # fmt: skip


def _model(one: report.ModelRow, parts: list[str]) -> dict[str, Any]:
    return {
        "provider": one.column.ref.provider,
        "model": one.column.ref.model,
        "label": one.column.label,
        **_rate(one.rate),
        "ci95": [one.low, one.high],
        "pass_at_k": one.at_k,
        "pass_hat_k": one.hat_k,
        "flaky": one.flaky,
        "no_answer": one.failed,
        "parts": dict(zip(parts, one.parts, strict=True)),
        "e2e_ms": one.e2e_ms,
        "cost_usd": one.cost_usd,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"passed": rate.passed, "cases": rate.counted, "share": rate.share}
