"""The demo provider as a child process, for tests and for local commands."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Self, TypeVar

from engine.demo.truth import Record, read_truth

_T = TypeVar("_T")
_START_S = 15.0
_STOP_S = 5.0
_ROOT = Path(__file__).resolve().parents[2]


class DemoServer:
    """A demo provider while the `with` block lasts.

    `port` 0 takes a free one; without `truth` the log is a temporary file. It ends with this
    process however this process ends: it holds the other end of the child's standard input.
    RuntimeError, with what the child said, if it does not start.
    """

    def __init__(self, port: int = 0, truth: Path | None = None, seed: int = 1) -> None:
        self._options = ["--port", str(port), "--seed", str(seed), "--with-parent"]
        self._truth = truth
        self._resources = contextlib.ExitStack()
        self._child: subprocess.Popen[str] | None = None
        self.port = port

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-")))
            self._truth = self._truth or folder / "truth.jsonl"
            said = stack.enter_context((folder / "stderr").open("w+", encoding="utf-8"))
            self._child = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "engine.demo", "--truth", self._truth, *self._options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    text=True,
                    cwd=_ROOT,
                )
            )
            stack.callback(self._stop, self._child)
            self.port = _announced_port(self._child, said)
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._resources.close()

    @property
    def base_url(self) -> str:
        """What an OpenAI client is given: `http://127.0.0.1:PORT/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def pid(self) -> int:
        return _started(self._child).pid

    @property
    def truth_path(self) -> Path:
        return _started(self._truth)

    def truth(self) -> list[Record]:
        """What was logged so far, in the order in which the requests ended."""
        return read_truth(self.truth_path)

    @staticmethod
    def _stop(child: subprocess.Popen[str]) -> None:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()


def _started(value: _T | None) -> _T:
    if value is None:
        raise RuntimeError("The demo provider was not started: use it in a with block.")
    return value


def _announced_port(child: subprocess.Popen[str], said: IO[str]) -> int:
    """The port of the line the child prints once it accepts."""
    output = _started(child.stdout)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        line = output.readline() if selector.select(_START_S) else ""
    if not line.startswith("demo provider on "):
        said.seek(0)
        raise RuntimeError(f"The demo provider did not start: {said.read().strip() or line}")
    return int(line.rpartition(":")[2])
