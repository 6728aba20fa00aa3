"""The tables. Every row that belongs to somebody names its user."""

from webapp.models.audit import AuditEntry
from webapp.models.base import Table
from webapp.models.evals import Eval, TrialDetail, TrialRow
from webapp.models.jobs import ACTIVE_STATES, FINAL_STATES, Job
from webapp.models.providers import ApiKey, ModelEntry, Provider
from webapp.models.runs import Run, SampleRow
from webapp.models.suites import SuiteRow, SuiteVersion
from webapp.models.summaries import RunDigest, RunSummary
from webapp.models.users import User

TABLES: tuple[type[Table], ...] = (
    User,
    Provider,
    ModelEntry,
    ApiKey,
    Job,
    Run,
    SampleRow,
    RunSummary,
    RunDigest,
    SuiteRow,
    SuiteVersion,
    Eval,
    TrialRow,
    TrialDetail,
    AuditEntry,
)

__all__ = [
    "ACTIVE_STATES",
    "FINAL_STATES",
    "TABLES",
    "ApiKey",
    "AuditEntry",
    "Eval",
    "Job",
    "ModelEntry",
    "Provider",
    "Run",
    "RunDigest",
    "RunSummary",
    "SampleRow",
    "SuiteRow",
    "SuiteVersion",
    "Table",
    "TrialDetail",
    "TrialRow",
    "User",
]
