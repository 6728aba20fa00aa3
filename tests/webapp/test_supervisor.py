"""The supervisor with real processes: small stand-ins for web, worker and demo."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers import eventually
from webapp import supervisor
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, os, sys
from webapp.supervisor import run
commands, address, grace_s = json.loads(sys.argv[1])
sys.exit(run(commands, os.environ, tuple(address), grace_s))
"""
# Writes its pid and lives on; `last_words` names the file it signs when asked to end.
STAND_IN = """
import os, signal, sys, time
mark, last_words = sys.argv[1:3]
def end(*_):
    with open(last_words, "a") as file:
        file.write(os.path.basename(mark) + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
with open(mark, "a") as file:
    file.write(f"{os.getpid()}\\n")
while True:
    time.sleep(60)
"""
STUBBORN = STAND_IN.replace("signal.SIGTERM, end", "signal.SIGTERM, signal.SIG_IGN")
# Starts a process of its own before it lives on.
PARENT = f"""
import subprocess, sys
child = [sys.executable, "-S", "-c", sys.argv[3], sys.argv[1] + "-child", sys.argv[2]]
subprocess.Popen(child, start_new_session=len(sys.argv) > 4)
{STAND_IN}
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python process with captured output; what still runs in the end is killed."""
    with ExitStack() as running:

        def begin(*arguments: str, **env: str) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, *arguments],
                    cwd=ROOT,
                    env={**os.environ, **env},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    bufsize=1,
                )
            )
            running.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def site(tmp_path: Path) -> tuple[list[str], tuple[str, int]]:
    """A stand-in for web that answers /healthz, and its address."""
    (tmp_path / "healthz").write_text("{}")
    port = free_port()
    serving = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return [*serving, "--directory", str(tmp_path)], ("127.0.0.1", port)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stand_in(folder: Path, name: str, code: str = STAND_IN) -> list[str]:
    return [sys.executable, "-S", "-c", code, str(folder / name), str(folder / "last_words")]


def supervise(
    start: Start,
    commands: dict[str, list[str]],
    address: tuple[str, int] = ("127.0.0.1", 9),
    grace_s: float = 3.0,
) -> subprocess.Popen[str]:
    return start("-c", RUN, json.dumps([commands, address, grace_s]))


def pids(mark: Path) -> list[int]:
    """The processes that signed `mark`, oldest first."""
    text = mark.read_text() if mark.exists() else ""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def first_pid(mark: Path) -> int:
    return eventually(lambda: pids(mark), what=f"a start of {mark.name}")[0]


def gone(pid: int) -> bool:
    """True when `pid` has ended, whether or not anybody waited for it."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The first line of output that holds `words`."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"{words!r} was never said")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_the_address_once_healthz_answers_and_a_signal_ends_all(
    start: Start, site: tuple[list[str], tuple[str, int]], tmp_path: Path, number: int
) -> None:
    web, address = site
    process = supervise(start, {"web": web, "worker": stand_in(tmp_path, "worker")}, address)
    assert f"http://127.0.0.1:{address[1]} " in read_until(process, "runs at")
    worker = first_pid(tmp_path / "worker")
    process.send_signal(number)
    assert process.wait(5) == 0
    assert gone(worker)


def test_a_dead_child_is_started_again_and_that_is_said(start: Start, tmp_path: Path) -> None:
    process = supervise(start, {"worker": stand_in(tmp_path, "worker")})
    dead = first_pid(tmp_path / "worker")
    os.kill(dead, signal.SIGKILL)
    assert read_until(process, "worker ended").startswith("worker ended by signal 9; it starts")
    eventually(lambda: len(pids(tmp_path / "worker")) == 2, what="a second start")
    assert process.poll() is None


def test_what_a_dead_child_left_behind_is_ended_before_the_next_start(
    start: Start, tmp_path: Path
) -> None:
    supervise(start, {"worker": [*stand_in(tmp_path, "worker", PARENT), STAND_IN]})
    orphan = first_pid(tmp_path / "worker-child")
    os.kill(first_pid(tmp_path / "worker"), signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{orphan}").exists(), what="the orphan's burial")
    assert (tmp_path / "last_words").read_text() == "worker-child\n"


def test_what_is_left_behind_and_does_not_listen_is_killed(start: Start, tmp_path: Path) -> None:
    supervise(start, {"worker": [*stand_in(tmp_path, "worker", PARENT), STUBBORN]})
    orphan = first_pid(tmp_path / "worker-child")
    os.kill(first_pid(tmp_path / "worker"), signal.SIGKILL)
    eventually(lambda: gone(orphan), what="the orphan's end")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of this death")
def test_a_process_that_lost_its_parent_is_taken_away_when_it_ends(
    start: Start, tmp_path: Path
) -> None:
    brief = STAND_IN.replace("time.sleep(60)", "time.sleep(0.2); break")
    own_session = [*stand_in(tmp_path, "worker", PARENT), brief, "in a session of its own"]
    process = supervise(start, {"worker": own_session})
    orphan = first_pid(tmp_path / "worker-child")
    os.kill(first_pid(tmp_path / "worker"), signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{orphan}").exists(), what="the orphan's burial")
    assert process.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of this death")
def test_children_die_with_a_killed_supervisor(start: Start, tmp_path: Path) -> None:
    process = supervise(
        start, {"worker": stand_in(tmp_path, "worker"), "demo": stand_in(tmp_path, "demo")}
    )
    children = [first_pid(tmp_path / "worker"), first_pid(tmp_path / "demo")]
    process.kill()
    eventually(lambda: all(map(gone, children)), what="the children's end")


def test_the_last_program_is_stopped_after_the_others_ended(start: Start, tmp_path: Path) -> None:
    names = ("web", "worker", "demo")
    process = supervise(start, {name: stand_in(tmp_path, name) for name in names})
    for name in names:
        first_pid(tmp_path / name)
    process.terminate()
    assert process.wait(5) == 0
    said = (tmp_path / "last_words").read_text().split()
    assert sorted(said) == sorted(names)
    assert said[-1] == "demo"


def test_a_child_that_does_not_listen_is_ended_when_its_grace_is_over(
    start: Start, tmp_path: Path
) -> None:
    process = supervise(start, {"worker": stand_in(tmp_path, "worker", STUBBORN)}, grace_s=0.3)
    worker = first_pid(tmp_path / "worker")
    process.terminate()
    assert process.wait(5) == 0
    assert gone(worker)


def test_a_second_signal_ends_everything_at_once(start: Start, tmp_path: Path) -> None:
    process = supervise(start, {"worker": stand_in(tmp_path, "worker", STUBBORN)}, grace_s=60)
    worker = first_pid(tmp_path / "worker")
    process.send_signal(signal.SIGINT)

    def insist() -> bool:  # signals that arrive together count as one
        process.send_signal(signal.SIGINT)
        return gone(worker)

    eventually(insist, every_s=0.2, what="the end of the worker")


def test_a_program_that_never_starts_ends_the_rest_with_a_sentence(
    start: Start, tmp_path: Path
) -> None:
    broken = [sys.executable, "-S", "-c", "raise SystemExit('no such table')"]
    process = supervise(start, {"web": broken, "demo": stand_in(tmp_path, "demo")})
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert output.count("no such table") == supervisor.FALSE_STARTS
    assert output.endswith("It does not start: the lines above say why.\n")
    assert all(map(gone, pids(tmp_path / "demo")))


@pytest.mark.parametrize("name", ["PORT", "DEMO_PORT"])
def test_a_port_in_use_is_one_sentence_that_names_it(
    settings: Settings, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        ports = {"port": 0, "demo_port": 0, name.lower(): number}
        assert supervisor.serve(replace(settings, **ports)) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1] == (
        f"{name} {number} is in use on 127.0.0.1: stop what uses it, or set {name} to another."
    )


def test_a_host_that_is_not_here_is_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervisor.serve(replace(settings, port=0), host="203.0.113.9") == 2
    assert "HOST '203.0.113.9' is no address of this machine" in capsys.readouterr().err


def test_a_mistake_in_config_yaml_is_said_before_anything_starts(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text("providers:\n  demo:\n    display_nam: Demo\n")
    settings = replace(settings, port=0, demo_port=0, config_file=broken)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_CONFIG", str(broken))
        assert supervisor.serve(settings) == 2
    said = capsys.readouterr().err
    assert "providers.demo.display_nam" in said
    assert "line 3" in said


def test_overrides_and_free_ports_reach_the_programs(settings: Settings) -> None:
    fresh, env = supervisor._resolve(replace(settings, port=1, demo_port=0), "localhost", 0)
    assert (fresh.host, env["HOST"]) == ("localhost", "localhost")
    assert env["PORT"] == str(fresh.port) != "0"
    assert env["DEMO_PORT"] == str(fresh.demo_port) != "0"
    assert fresh.port != fresh.demo_port
    assert env["STUDIO_DATA"] == str(settings.data)
    assert (settings.data / ".secret_key").exists()


def test_an_ipv6_address_is_written_in_brackets(settings: Settings) -> None:
    commands = supervisor.commands(replace(settings, host="::1", port=8600))
    assert "[::1]:8600" in commands["web"]


def test_the_log_level_reaches_every_program(settings: Settings) -> None:
    quiet, chatty = (
        supervisor.commands(replace(settings, log_level=level)) for level in ("warning", "info")
    )
    assert "--quiet" in quiet["worker"]
    assert "--quiet" not in chatty["worker"]
    assert "info" in chatty["web"]


def test_the_procfile_names_the_same_programs(settings: Settings) -> None:
    lines = re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert [name for name, _ in lines] == list(supervisor.commands(settings))
    assert [line for _, line in lines] == [
        f"python -m webapp.supervisor {name}" for name, _ in lines
    ]


def test_one_program_can_run_in_the_place_of_the_supervisor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []

    def become(_file: str, command: list[str], _env: dict[str, str]) -> None:
        became.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execvpe", become)
    monkeypatch.setenv("STUDIO_DATA", str(settings.data))
    monkeypatch.setenv("DEMO_PORT", "8642")
    with pytest.raises(SystemExit):
        supervisor.main(["demo"])
    assert became == [[sys.executable, "-m", "engine.demo", "--port", "8642"]]


def test_a_bad_setting_is_said_before_anything_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "many")
    assert supervisor.main([]) == 2
    assert "WORKERS is 'many'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_real_programs_start_survive_a_kill_and_stop(start: Start, tmp_path: Path) -> None:
    ports = {"HOST": "127.0.0.1", "PORT": "0", "DEMO_PORT": "0"}
    process = start(
        "-m", "webapp.supervisor", STUDIO_DATA=str(tmp_path), WORKERS="1", WEB_THREADS="8", **ports
    )
    address = read_until(process, "runs at").split()[5]
    eventually(lambda: status(f"{address}/readyz") == 200, 20, what="readiness")
    web = next(pid for pid in children(process.pid) if "gunicorn" in command_of(pid))
    os.kill(web, signal.SIGKILL)
    read_until(process, "web ended by signal 9")
    eventually(lambda: status(f"{address}/healthz") == 200, 20, what="the return of web")
    everything = [pid for child in children(process.pid) for pid in [child, *children(child)]]
    assert len(everything) >= 4
    process.terminate()
    assert process.wait(10) == 0
    assert all(map(gone, everything))


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
