"""Key tests and model lists as pages see them: rows of the quick lane, one per provider.

`Job.subject` is the provider's row, so that the last check of each is found again.
"""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

from engine.specs import KeyTestSpec, ModelListSpec
from jobs import submit
from webapp.models import ACTIVE_STATES, FINAL_STATES, Job, Provider, User

# How often a page asks for the result, in ms, and when it gives up, in s: the lane starts a
# check within 1 s and ends it after 30.
POLL_MS = 400
GIVE_UP_S = 40.0

SPECS = {"key_test": KeyTestSpec, "model_list": ModelListSpec}
TITLES = {"key_test": "Test the key of {}", "model_list": "List the models of {}"}
_NOBODY = (
    "No worker has taken this up. Is the quick worker running? The operator sees it at /readyz."
)


class Check(NamedTuple):
    """A check as a page shows it, in one of three states. `result` is set with "result",
    `error`, a sentence, with "error"."""

    job: Job
    state: Literal["waiting", "result", "error"]
    result: dict[str, Any]
    error: str


def start(user: User, provider: Provider, kind: str) -> Check:
    """Start a check, or return the one of this kind that is still under way."""
    last = _latest(user, kind, [provider.id]).get(provider.id)
    if last is not None and look(last).state == "waiting":
        return look(last)
    forget(user, kind, provider)
    spec = SPECS[kind](provider=provider.key)
    title = TITLES[kind].format(provider.display_name)
    job = submit.submit(user, kind, spec, title=title, lane="quick", subject=provider.id)
    return look(job)


def look(job: Job) -> Check:
    """What can be shown of a check now."""
    if job.state == "done":
        return Check(job, "result", job.result or {}, "")
    if job.state in FINAL_STATES:
        return Check(job, "error", {}, job.error or "The check was stopped. Start it again.")
    if time.time() - job.queued_at > GIVE_UP_S:
        return Check(job, "error", {}, _NOBODY)
    return Check(job, "waiting", {}, "")


def latest(user: User, kind: str, providers: list[Provider]) -> dict[int, Check]:
    """The last check of each provider that had one, by the provider's row id."""
    ids = [row.id for row in providers]
    return {subject: look(job) for subject, job in _latest(user, kind, ids).items()}


def _latest(user: User, kind: str, ids: list[int]) -> dict[int, Job]:
    mine = Job.select().where((Job.user == user.id) & (Job.kind == kind) & Job.subject.in_(ids))
    return {int(job.subject or 0): job for job in mine.order_by(Job.id)}


def forget(user: User, kind: str, provider: Provider) -> None:
    """Delete the finished checks of a kind: only the last is kept, and a list only until
    somebody took models from it. Lists are long, and old ones mislead."""
    old = (Job.user == user.id) & (Job.kind == kind) & (Job.subject == provider.id)
    Job.delete().where(old & Job.state.not_in(ACTIVE_STATES)).execute()
