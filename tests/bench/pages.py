"""Whether people who look at pages disturb a benchmark: 50 page loads a second on a running web
process, against the same run without them."""

from __future__ import annotations

import http.client
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.bench.endpoints import Pace, kinds
from tests.bench.outcome import Check, Outcome
from tests.bench.reading import Cell, Row, read
from tests.browser.studio import PASSWORD, running_studio

_STREAMS, _ROUNDS, _TOKENS = 16, 6, 100
_RATE, _THREADS = 50, 5
_PATHS = ("/", "/history")


def run(quick: bool) -> Outcome:
    """Quiet, then with loads; what the load of pages moves the first token by."""
    cell = Cell("studio", _STREAMS, 2 if quick else _ROUNDS, Pace(), _TOKENS)
    with tempfile.TemporaryDirectory() as folder, running_studio(Path(folder)) as studio:
        cookie = _registered(studio.url)
        quiet = read(kinds()[0], cell)
        with _visitors(studio.url, cookie) as loads:
            watched = read(kinds()[0], cell)
    moved = abs(watched.accuracy.ttft_ms_p50 - quiet.accuracy.ttft_ms_p50)
    rate = len(loads) / max(1e-9, loads[-1] - loads[0]) if len(loads) > 1 else 0.0
    figures = {"quiet": _figures(quiet), "watched": _figures(watched), "loads_per_s": rate}
    return Outcome(
        figures,
        [
            Check("50 page loads a second move the first token's error by", moved, 1.0, " ms"),
            Check("page loads a second", rate, 0.9 * _RATE, at_least=True),
        ],
        f"{rate:.0f} page loads a second on the web process beside a run at {_STREAMS} streams: "
        f"TTFT error p50 / p99 {_words(watched)} ms, without them {_words(quiet)} ms.",
    )


def _words(row: Row) -> str:
    return f"{row.accuracy.ttft_ms_p50:+.2f} / {row.accuracy.ttft_ms_p99:.2f}"


def _figures(row: Row) -> dict[str, float]:
    return {"ttft_ms_p50": row.accuracy.ttft_ms_p50, "ttft_ms_p99": row.accuracy.ttft_ms_p99}


def _registered(url: str) -> str:
    """The cookie of somebody who is signed in."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", "/register")
    answer = connection.getresponse()
    cookie = _cookie(answer)
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.read().decode())
    fields = {
        "csrf_token": token[1] if token else "",
        "email": "alice@example.org",
        "password": PASSWORD,
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    connection.request("POST", "/register", urlencode(fields), kind)
    answer = connection.getresponse()
    answer.read()
    return _cookie(answer) or cookie


def _cookie(answer: http.client.HTTPResponse) -> str:
    return "; ".join(value.split(";")[0] for value in answer.headers.get_all("Set-Cookie", []))


@contextmanager
def _visitors(url: str, cookie: str) -> Iterator[list[float]]:
    """Load pages while the block lasts; gives the moments of the loads that went through."""
    done, loads = threading.Event(), list[float]()
    threads = [
        threading.Thread(target=_visit, args=(url, cookie, number, done, loads))
        for number in range(_THREADS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield loads
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _visit(url: str, cookie: str, number: int, done: threading.Event, loads: list[float]) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    due = time.monotonic() + number / _RATE
    while not done.wait(max(0.0, due - time.monotonic())):
        connection.request("GET", _PATHS[number % len(_PATHS)], headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}")
        loads.append(time.monotonic())
        due += _THREADS / _RATE
    connection.close()
