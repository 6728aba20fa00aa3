"""The demo provider as a process: it starts, says where, and never outlives its parent."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.demo.__main__ import main
from engine.demo.process import DemoServer
from tests.engine.demo.client import ask, chat
from tests.helpers import eventually

ROOT = Path(__file__).resolve().parents[3]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_server_lives_as_long_as_its_block_and_keeps_its_log_where_asked(tmp_path: Path) -> None:
    with DemoServer(truth=tmp_path / "truth.jsonl") as server:
        assert server.base_url == f"http://127.0.0.1:{server.port}/v1"
        assert ask(server, chat("empty")).status == 200
        assert server.pid > 0
        assert listens(server.port)
    assert not listens(server.port)
    assert [record.model for record in server.truth()] == ["empty"]


def test_two_servers_take_two_ports_and_a_taken_port_is_named(demo: DemoServer) -> None:
    with DemoServer() as other:
        assert other.port != demo.port
    with pytest.raises(RuntimeError, match=f"cannot start.*{demo.port}"), DemoServer(demo.port):
        pass


def test_a_server_that_was_not_started_has_no_process() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = DemoServer().pid


def test_a_server_ends_when_its_parent_is_killed() -> None:
    code = (
        "from engine.demo.process import DemoServer\n"
        "import signal\n"
        "with DemoServer() as server:\n"
        "    print(server.port, flush=True)\n"
        "    signal.pause()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        parent.kill()
    eventually(lambda: not listens(port), what="the end of the orphaned server")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_listens_and_ends_quietly(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "engine.demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        line = child.stdout.readline()
        assert line.startswith("demo provider on http://127.0.0.1:")
        child.send_signal(number)
        assert child.wait(10) == 0
        assert child.stdout.read() == ""
        assert child.stderr.read() == ""


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1.5"])
def test_a_port_that_is_none_is_a_usage_error(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--port", port])
    assert caught.value.code == 2
    assert "--port" in capsys.readouterr().err


def test_a_parent_can_only_be_watched_through_a_pipe() -> None:
    command = [sys.executable, "-m", "engine.demo", "--port", "0", "--with-parent"]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs a pipe" in done.stderr


def test_a_log_that_cannot_be_written_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", "--truth", str(tmp_path / "no" / "log")]) == 1
    assert "cannot start" in capsys.readouterr().err
