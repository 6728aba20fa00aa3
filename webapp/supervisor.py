"""What `studio serve` and `make run` start: web, worker, quick and demo, kept alive together.

`python -m webapp.supervisor NAME` becomes one of them instead, for process managers that
start each on its own (Procfile). Both ways run the same commands.
"""

from __future__ import annotations

import argparse
import errno
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import NoReturn

from webapp.environ import environment
from webapp.processes import Child, adopt_orphans, bury, end_all
from webapp.settings import Settings, SettingsError

# Name → its command. The order is that of the start; the last one is stopped last.
Commands = Mapping[str, list[str]]

TICK_S = 0.1
GRACE_S = 4.0  # what children have to end by themselves; a cancelled job needs up to 2 s
FALSE_STARTS = 3  # as many in a row, before the first page was served, end everything
QUICK_WORKERS = 4


def serve(settings: Settings, host: str | None = None, port: int | None = None) -> int:
    """Start everything in the foreground until SIGINT or SIGTERM; returns the exit code:
    0 stopped, 1 a program would not start, 2 a setting or config.yaml is bad. `host` and
    `port` override HOST and PORT, and port 0 takes a free one."""
    from engine.config import ConfigError
    from webapp.catalog import read_config

    try:
        settings, env = _resolve(settings, host, port)
        read_config(settings)
    except (SettingsError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 2
    for notice in settings.notices:
        print(notice, file=sys.stderr)
    return run(commands(settings), env, (_reachable(settings.host), settings.port))


def commands(settings: Settings) -> Commands:
    """The command of each program."""
    python = sys.executable
    bind = f"[{settings.host}]" if ":" in settings.host else settings.host
    consumer = [python, "-m", "huey.bin.huey_consumer", "-k", "process", "-c", "2"]
    if settings.log_level not in ("debug", "info"):
        consumer.append("--quiet")
    return {
        "web": [
            *(python, "-m", "gunicorn", "wsgi:app", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", "1"),
            *("--threads", str(settings.web_threads), "--bind", f"{bind}:{settings.port}"),
            # An open WebSocket never ends by itself: it is cut after this many seconds.
            *("--graceful-timeout", "2", "--log-level", settings.log_level),
        ],
        "worker": [*consumer, "-w", str(settings.workers), "-m", "0.5", "jobs.queue.main"],
        "quick": [*consumer, "-w", str(QUICK_WORKERS), "-m", "0.2", "jobs.queue.quick"],
        "demo": [python, "-m", "engine.demo", "--port", str(settings.demo_port)],
    }


def run(
    programs: Commands,
    env: Mapping[str, str],
    address: tuple[str, int],
    grace_s: float = GRACE_S,
) -> int:
    """Keep `programs` running until a signal asks to stop; 1 when one keeps failing before
    `address` (host and port) answered GET /healthz for the first time."""
    asked: list[int] = []  # signals so far; the second one means at once
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: asked.append(number))
    adopt_orphans()
    children = [Child(name, command, env) for name, command in programs.items()]
    serving = False
    try:
        while not asked:
            for child in children:
                child.keep_alive()
            bury(children)
            if not serving and _healthy(*address):
                serving = True
                _say(f"LLM Benchmark Studio runs at {_url(*address)} (Ctrl-C stops it).")
            if not serving and any(child.false_starts >= FALSE_STARTS for child in children):
                _say("It does not start: the lines above say why.")
                return 1
            time.sleep(TICK_S)
    finally:
        end_all(children[:-1], grace_s, asked)
        end_all(children[-1:], grace_s, asked)  # running jobs still talked to the demo provider
    return 0


def _resolve(
    settings: Settings, host: str | None, port: int | None
) -> tuple[Settings, dict[str, str]]:
    """Settings with the overrides and with free ports, and the environment that says the
    same to the programs. Secrets that were missing exist afterwards."""
    env = {
        **environment(),
        "STUDIO_DATA": str(settings.data),
        "HOST": host or settings.host,
        "PORT": str(settings.port if port is None else port),
        "DEMO_PORT": str(settings.demo_port),
    }
    fresh = Settings.from_env(env)
    with ExitStack() as held:  # both at once, so that two zeros give two ports
        web = _claim(held, "PORT", fresh.host, fresh.port)
        demo = _claim(held, "DEMO_PORT", "127.0.0.1", fresh.demo_port)
    notices = tuple(dict.fromkeys(settings.notices + fresh.notices))
    fresh = replace(fresh, port=web, demo_port=demo, notices=notices)
    return fresh, {**env, "PORT": str(web), "DEMO_PORT": str(demo)}


def _claim(held: ExitStack, name: str, host: str, port: int) -> int:
    """Prove that `port` can be listened on, holding it until `held` closes; returns it."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = held.enter_context(socket.socket(family, kind))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SettingsError(_bind_trouble(error, name, host, port)) from error
    return int(listener.getsockname()[1])


def _bind_trouble(error: OSError, name: str, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{name} {port} is in use on {host}: stop what uses it, or set {name} to another."
    if error.errno == errno.EACCES:
        return f"{name} {port} may not be opened by this user: set {name} to 1024 or more."
    return f"HOST {host!r} is no address of this machine: give one, such as 127.0.0.1 or 0.0.0.0."


def _reachable(host: str) -> str:
    """The address a browser on this machine uses for a server that listens at `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _become(command: list[str]) -> NoReturn:
    os.execvpe(command[0], command, environment())  # noqa: S606 - no shell is meant


def main(arguments: list[str] | None = None) -> int:
    """`python -m webapp.supervisor [NAME]`: all programs, or one in place of this process."""
    parser = argparse.ArgumentParser(prog="python -m webapp.supervisor", description=__doc__)
    parser.add_argument("name", nargs="?", choices=("web", "worker", "quick", "demo"))
    name = parser.parse_args(arguments).name
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if name is None:
        return serve(settings)
    _become(commands(settings)[name])


if __name__ == "__main__":
    sys.exit(main())
