"""The state machine: claim the fairest job, keep it alive, run its handler, end it.

Runs in a worker process, one job at a time. Whatever a handler raises ends its job and
never the worker.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

from engine.cancel import Cancelled, CancelToken
from engine.llm.errors import mask
from engine.specs import SPECS, load_spec
from jobs import states, watchdog
from jobs.handlers import HANDLERS
from jobs.progress import Context, Heartbeat, JobFailed, Progress
from jobs.states import Lease, LostJob
from webapp import db
from webapp.models import Job
from webapp.settings import Settings

log = logging.getLogger(__name__)

# A quick job that does not look at its token is stopped this long after its deadline, in s.
GRACE_S = 2.0

WORKER_STOPPED = (
    "The worker was shut down. What was measured is kept; resume runs only what is missing."
)


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended: the state, and the sentence or result that goes with it."""

    state: str
    error: str | None = None
    result: dict[str, Any] | None = None


def load_libraries() -> None:
    """Import what handlers need (2 s, most of it LiteLLM). A consumer does so before it
    forks: its workers share the 190 MB, and nobody's first job waits for the import."""
    from engine.llm.litellm_door import load

    for module in dict.fromkeys(HANDLERS.values()):
        import_module(module)
    load()


def run_next(lane: str) -> None:
    """Run one runnable job of `lane`, if there is one, and wake a worker for the next."""
    settings = _open_database()
    with db.connection():
        job = states.claim(lane, f"{socket.gethostname()[:60]}:{os.getpid()}")
        if job is None:
            return
        _run(job, settings)
        watchdog.wake_waiting(lane)


def _open_database() -> Settings:
    settings = Settings.from_env()
    if not db.is_open():
        db.open_database(settings)
    return settings


def _run(job: Job, settings: Settings) -> None:
    token = CancelToken(job.deadline_s)
    report = Progress(Lease(job.id, job.attempt))
    end: End | None = End("interrupted", WORKER_STOPPED)
    with _told_to_stop() as stopping, Heartbeat(report, token, stopping) as heartbeat:
        try:
            end = _handle(job, Context(job, job.spec, token, settings, report))
            if end and end.state == "cancelled" and heartbeat.shut_down:
                end = End("interrupted", WORKER_STOPPED)
        finally:
            # Also when the worker is thrown out by KeyboardInterrupt or SystemExit.
            if end:
                _finish(report, end)


def _finish(report: Progress, end: End) -> None:
    try:
        with report.taken() as changes:
            changes |= {"message": "", "error": end.error, "result": end.result}
            states.finish(report.lease, end.state, **changes)
        log.info("job %s: %s", report.lease.job_id, end.state)
    except LostJob as error:
        log.warning("%s is no longer ours; its end is not written", error)


def _handle(job: Job, context: Context) -> End | None:
    """Run the handler of `job`; None when the job was lost meanwhile."""
    try:
        with _alarm(job):
            result = _handler(job.kind)(_with_spec(context))
        json.dumps(result, allow_nan=False)  # a result that cannot be stored is a bug found here
        return End("done", result=result)
    except LostJob as error:
        log.warning("%s is no longer ours", error)
        return None
    except Cancelled as stop:
        if stop.reason == "deadline":
            return End("failed", _deadline_sentence(job))
        return End("cancelled")
    except JobFailed as error:
        return End("failed", mask(str(error)))
    except Exception as error:
        # Not log.exception: the traceback must be masked as well.
        trace = mask(traceback.format_exc())
        log.error("job %s (%s) failed\n%s", job.id, job.kind, trace)  # noqa: TRY400
        return End("failed", _bug_sentence(job, error))


def _with_spec(context: Context) -> Context:
    if context.job.kind not in SPECS:
        return context
    return dataclasses.replace(context, spec=load_spec(context.job.spec))


def _handler(kind: str) -> Callable[[Context], dict[str, Any]]:
    if kind not in HANDLERS:
        raise JobFailed(f"This installation has no handler for jobs of kind {kind!r}.")
    handle: Callable[[Context], dict[str, Any]] = import_module(HANDLERS[kind]).handle
    return handle


def _deadline_sentence(job: Job) -> str:
    return (
        f"Stopped at its time limit of {job.deadline_s:g} s. What was finished is kept; "
        "resume runs what is missing."
    )


def _bug_sentence(job: Job, error: Exception) -> str:
    detail = mask(f"{type(error).__name__}: {error}")[:300]
    return (
        f"An error in the program stopped this job ({detail}). What was finished is kept. "
        f"The server's log has the details under job {job.id}."
    )


@contextmanager
def _told_to_stop() -> Iterator[Callable[[], bool]]:
    """A flag that SIGTERM sets: the job then ends as interrupted, with what it has.

    The handler only sets a flag (the heartbeat looks at it), because a signal handler that
    takes a lock can meet the very thread that holds it.
    """
    told = False

    def tell(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGTERM, tell)
    try:
        yield lambda: told
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _alarm(job: Job) -> Iterator[None]:
    """Stop a quick job that overruns its deadline without looking at its token."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Cancelled("deadline")

    in_main = threading.current_thread() is threading.main_thread()
    if job.lane != "quick" or job.deadline_s is None or not in_main:
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, job.deadline_s + GRACE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
