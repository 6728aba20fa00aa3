"""`python -m engine.demo`: the demo provider as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from engine.demo.server import Provider, listen, raise_file_limit
from engine.demo.truth import TruthLog

_STDIN = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code, 1 when it cannot start."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.with_parent and not stat.S_ISFIFO(os.fstat(_STDIN).st_mode):
        parser.error("--with-parent needs a pipe as standard input")
    raise_file_limit()
    try:
        log = TruthLog(options.truth)
        listener = listen(options.host, options.port)
    except OSError as error:
        print(f"The demo provider cannot start: {error}.", file=sys.stderr)
        return 1
    with closing(log), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(listener, log, options.seed, options.with_parent))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studio demo",
        description="Serve simulated models in OpenAI's, Anthropic's and Gemini's formats.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("DEMO_PORT", "8502"),
        help="the port, 0 for any free one (default: DEMO_PORT, else 8502)",
    )
    parser.add_argument("--truth", type=Path, help="append one JSON line a request to this file")
    parser.add_argument("--seed", type=int, default=1, help="decides pace, answers and faults")
    parser.add_argument(
        "--with-parent", action="store_true", help="stop when standard input is closed"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(listener: socket.socket, log: TruthLog, seed: int, with_parent: bool) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(_STDIN, _stop_at_end, loop, stop)
    provider = Provider(loop, listener, log, seed)
    host, port = listener.getsockname()[:2]
    print(f"demo provider on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    # What stands now stays; a collection in mid-stream would be a gap nobody planned.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    await stop.wait()
    provider.close()


def _stop_at_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(_STDIN, 1024):
        loop.remove_reader(_STDIN)
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
