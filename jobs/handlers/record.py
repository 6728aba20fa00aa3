"""The row a measuring job fills: what was measured with, what the user should know, the end."""

from __future__ import annotations

import time
from typing import Any, Generic, TypeVar

from engine.events import Notice, Started
from jobs import states
from jobs.progress import Context, JobFailed
from webapp import db
from webapp.models import Eval, Job, Run

Row = TypeVar("Row", Run, Eval)


class Record(Generic[Row]):
    """Writes columns of a run or an evaluation while its job holds the lease."""

    def __init__(self, row: Row, context: Context) -> None:
        self.row: Row = row
        self._context = context

    @classmethod
    def of(cls, table: type[Row], context: Context, gone: str) -> Record[Row]:
        """The job's own row; JobFailed with the sentence `gone` when it has been deleted."""
        job = context.job
        mine = (table.id == job.subject) & (table.job == job.id) & table.deleted_at.is_null()
        row: Row | None = table.select().where(mine).first()
        if row is None:
            raise JobFailed(gone)
        return cls(row, context)

    def update(self, **changes: Any) -> None:
        """Write columns; raises LostJob when another attempt has taken the job over."""
        for name, value in changes.items():
            setattr(self.row, name, value)
        with db.write():
            states.renew(self._context.report.lease)
            self.row.save(only=list(changes))

    def begin(self, started: Started) -> None:
        """The first attempt's environment describes the row; a resumed one keeps the others'."""
        environment: dict[str, Any] = self.row.environment
        if not environment:
            self.update(environment=started.environment)
            return
        resumed = [*environment.get("resumed", []), started.environment]
        self.update(environment=environment | {"resumed": resumed})

    def note(self, notice: Notice) -> None:
        """Keep a notice, once."""
        target = notice.target.model_dump() if notice.target else None
        entry = {"code": notice.code, "text": notice.text, "target": target}
        if entry not in self.row.notices:
            self.update(notices=[*self.row.notices, entry])

    def finish(self) -> None:
        """Write when it ended, and how many other measuring jobs ran meanwhile."""
        job = self._context.job
        environment: dict[str, Any] = self.row.environment
        meanwhile = Job.finished_at.is_null() | (Job.finished_at > job.started_at)
        others = Job.select().where(
            (Job.lane == "main") & (Job.id != job.id) & (Job.started_at > 0) & meanwhile
        )
        most = max(environment.get("other_jobs", 0), others.count())
        self.update(finished_at=time.time(), environment={**environment, "other_jobs": most})
