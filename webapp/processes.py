"""One child process: started, watched, started again with growing pauses, ended."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

STEADY_S = 10.0  # a child that lived as long as this has started well
SLOWEST_RESTART_S = 30.0
LEFTOVERS_S = 2.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A program that is to run for as long as this one does."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        self.name, self.command, self.env = name, command, env
        self.process: subprocess.Popen[bytes] | None = None
        self.false_starts = 0
        self._started = self._due = time.monotonic()

    def keep_alive(self) -> None:
        """Start it when it is due; note its death and when to start it again."""
        if self.process is None:
            if time.monotonic() >= self._due:
                self._start()
        elif (code := self.process.poll()) is not None:
            self._note_death(self.process.pid, code)

    def end(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """End it and whatever it started and left behind."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _start(self) -> None:
        self._started = time.monotonic()
        # A session of its own: Ctrl-C reaches the supervisor only, which ends all in order.
        # This program has one thread, so code may run between fork and exec.
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509
        )

    def _note_death(self, group: int, code: int) -> None:
        self._end_leftovers(group)
        steady = time.monotonic() - self._started >= STEADY_S
        self.false_starts = 0 if steady else self.false_starts + 1
        pause = min(0.25 * 2**self.false_starts, SLOWEST_RESTART_S)
        self._due = time.monotonic() + pause
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        print(f"{self.name} ended {how}; it starts again in {pause:g} s.", flush=True)

    def _end_leftovers(self, group: int) -> None:
        """What a dead program left running may still end properly: a job is stored as
        interrupted at once instead of being missed later."""
        deadline = time.monotonic() + LEFTOVERS_S
        with suppress(ProcessLookupError, ChildProcessError):
            os.killpg(group, signal.SIGTERM)
            while time.monotonic() < deadline:
                os.waitpid(-group, os.WNOHANG)  # ChildProcessError: none is left
                time.sleep(0.02)
        self.kill()


def adopt_orphans() -> None:
    """From now on the processes that a dead child left behind become children of this one
    (Linux); `bury` has to be called now and then."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def bury(children: list[Child]) -> None:
    """Take away adopted processes that have ended."""
    own = {child.process.pid for child in children if child.process is not None}
    with suppress(ChildProcessError):
        while _libc is not None:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if dead is None or dead.si_pid in own:
                return
            os.waitpid(dead.si_pid, 0)


def end_all(children: list[Child], grace_s: float, asked: list[int]) -> None:
    """End `children` together: politely, and after `grace_s`, or once it was `asked` for a
    second time, by force."""
    for child in children:
        child.end()
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and not all(child.ended() for child in children):
        if len(asked) > 1:
            break
        time.sleep(0.05)
    for child in children:
        child.kill()


def _die_with(parent: int) -> Callable[[], None]:
    """What a new process runs before its program: it ends when `parent` dies (Linux)."""

    def before_exec() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return before_exec
