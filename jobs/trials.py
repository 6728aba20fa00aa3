"""Trials as rows, and back again: what a cell of the matrix shows, and apart the heavy part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from engine.samples import Tokens, Try
from engine.tools.answers import ArgumentDiff, Scored
from engine.tools.trials import Trial, TrialKey, pack_transcript, unpack_transcript
from jobs.progress import Progress
from jobs.writer import BatchWriter
from webapp import db
from webapp.models import Eval, TrialDetail, TrialRow

# SQLite allows 32,766 variables in a statement, and a row has about 25.
ROWS_A_STATEMENT = 500

_KEY = (TrialRow.provider, TrialRow.model, TrialRow.case_id, TrialRow.trial)
# Columns that have the name and the value of the trial's field.
_PLAIN = tuple("outcome category error recovered rounds cost_usd ttft_ms e2e_ms started_at".split())


def store_trials(row: Eval, trials: Sequence[Trial]) -> None:
    """Store `trials` in one short transaction.

    A key that is stored already stays as it is, unless that trial was cut off
    ("incomplete"): then the new one takes its place.
    """
    with db.write():
        for start in range(0, len(trials), ROWS_A_STATEMENT):
            _store(row, trials[start : start + ROWS_A_STATEMENT])


def _store(row: Eval, trials: Sequence[Trial]) -> None:
    key = {"id", "eval", *(field.name for field in _KEY)}
    fresh = [field for field in TrialRow._meta.sorted_fields if field.name not in key]
    taken: Any = (
        TrialRow.insert_many([_row(row, trial) for trial in trials])
        .on_conflict(
            conflict_target=(TrialRow.eval, *_KEY),
            preserve=fresh,
            where=TrialRow.outcome == "incomplete",
        )
        .returning(TrialRow.id, *_KEY)
        .tuples()
        .execute()
    )
    by_key = {trial.key: trial for trial in trials}
    details = [_detail(row_id, by_key[TrialKey(*key)]) for row_id, *key in taken]
    if details:
        TrialDetail.insert_many(details).on_conflict_replace().execute()


def stored_trials(row: Eval) -> frozenset[TrialKey]:
    """The keys that need no further request. A trial that was cut off is not among them."""
    rows: Any = TrialRow.select(*_KEY).where(
        (TrialRow.eval == row.id) & (TrialRow.outcome != "incomplete")
    )
    return frozenset(TrialKey(*key) for key in rows.tuples())


def load_trials(
    row: Eval,
    *,
    light: bool = False,
    cases: Collection[str] | None = None,
    only: Collection[int] | None = None,
) -> list[Trial]:
    """The trials in the order they were stored. `light` leaves out what only a reader of one
    trial needs: message, reason, diffs, tries, transcript and where token counts come from.
    `cases` names some cases, `only` rows by id."""
    rows: Any = TrialRow.select().where(TrialRow.eval == row.id).order_by(TrialRow.id)
    if not light:
        rows = rows.select(TrialRow, TrialDetail).join(TrialDetail)
    if cases is not None:
        rows = rows.where(TrialRow.case_id.in_(list(cases)))
    if only is not None:
        row_id: Any = TrialRow.id
        rows = rows.where(row_id.in_(list(only)))
    return [_trial(found, None if light else found.trialdetail) for found in rows]


class TrialWriter(BatchWriter[Trial]):
    """Stores trials while the engine goes on asking."""

    def __init__(self, row: Eval, progress: Progress) -> None:
        stored = TrialRow.select().where(TrialRow.eval == row.id)
        failed = stored.where(TrialRow.outcome == "infrastructure").count()
        done = stored.where(TrialRow.outcome == "scored").count() + failed
        super().__init__(progress, f"trials of evaluation {row.id}", done=done, failed=failed)
        self._row = row

    def save(self, batch: list[Trial]) -> None:
        store_trials(self._row, batch)

    def counts(self, item: Trial) -> tuple[bool, bool]:
        return item.outcome != "incomplete", item.outcome == "infrastructure"


def _row(row: Eval, trial: Trial) -> dict[str, Any]:
    scored = trial.scored
    return {name: getattr(trial, name) for name in _PLAIN} | {
        "eval": row.id,
        "provider": trial.key.provider,
        "model": trial.key.model,
        "case_id": trial.key.case,
        "trial": trial.key.trial,
        "passed": trial.passed,
        "error_type": scored.error_type if scored else None,
        "overall": scored.scores.get("overall") if scored else None,
        "scores": scored.scores if scored else None,
        "errors": list(scored.errors) if scored else None,
        "input_tokens": trial.tokens.input,
        "output_tokens": trial.tokens.output,
    }


def _detail(row_id: int, trial: Trial) -> dict[str, Any]:
    scored = trial.scored
    return {
        "trial": row_id,
        "message": None if trial.message is None else _storable(trial.message),
        "reason": _storable(scored.reason) if scored else "",
        "diffs": [asdict(diff) for diff in scored.diffs] if scored else [],
        "tries": [asdict(item) for item in trial.tries],
        "tokens": asdict(trial.tokens),
        "transcript": pack_transcript(trial.transcript),
    }


def _storable(text: str) -> str:
    """What a model wrote may hold half a character, which no database takes."""
    return text.encode("utf-8", "replace").decode()


def _trial(row: TrialRow, detail: TrialDetail | None) -> Trial:
    return Trial(
        key=TrialKey(row.provider, row.model, row.case_id, row.trial),
        scored=_scored(row, detail),
        tokens=Tokens(**detail.tokens) if detail else Tokens(row.input_tokens, row.output_tokens),
        message=detail.message if detail else None,
        tries=tuple(Try(**item) for item in detail.tries) if detail else (),
        transcript=unpack_transcript(detail.transcript) if detail else {},
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _scored(row: TrialRow, detail: TrialDetail | None) -> Scored | None:
    if row.passed is None:
        return None
    return Scored(
        passed=row.passed,
        error_type=row.error_type,
        scores=row.scores,
        reason=detail.reason if detail else "",
        diffs=tuple(ArgumentDiff(**diff) for diff in detail.diffs) if detail else (),
        errors=tuple(row.errors),
    )
