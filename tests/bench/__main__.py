"""`make bench`: accuracy and overhead against the demo provider's truth log, and how soon a
stored sample is on a page.

Every figure of a run is taken in the same run, reader by reader, so that ratios mean
something on a shared machine. Results go to `tests/bench/results/` as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.demo.process import DemoServer
from engine.environment import describe_environment
from tests.bench import live
from tests.bench.accuracy import Accuracy, Reading, accuracy_of
from tests.bench.readers import READERS
from tests.browser.visitor import CHROMIUM

RESULTS = Path(__file__).with_name("results")
# Streams -> requests a stream: enough first tokens for a p99 where it is cheap.
LEVELS = {1: 30}


def measure(reader: str, model: str, streams: int, rounds: int, max_tokens: int) -> Accuracy:
    """One reader at one level, in a process of its own against a server of its own."""
    with DemoServer() as demo:
        command = [sys.executable, "-m", "tests.bench.readers", reader, demo.base_url, model]
        command += [str(number) for number in (streams, rounds, max_tokens)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        said = json.loads(done.stdout.splitlines()[-1])
        readings = [Reading(sent, tuple(times), n) for sent, times, n in said["readings"]]
        truth = [record for record in demo.truth() if record.model == model]
        return accuracy_of(reader, streams, readings, truth, said["cpu_s"], said["wall_s"])


def table_of(rows: list[Accuracy]) -> Table:
    """The printed table, one row for each level and reader."""
    table = Table("streams", "reader", title="Error against the truth log")
    for name in ("TTFT p50, ms", "TTFT p99, ms", "ITL p50, %", "ITL mean, %", "CPU, µs/event"):
        table.add_column(name, justify="right")
    table.add_column("lost", justify="right")
    table.add_column("miscounted", justify="right")
    for row in rows:
        table.add_row(
            str(row.streams),
            row.reader,
            f"{row.ttft_error_p50_ms:+.2f}",
            f"{row.ttft_error_p99_ms:+.2f}",
            f"{row.itl_error_p50_pct:+.3f}",
            f"{row.itl_error_mean_pct:+.3f}",
            f"{row.cpu_us_per_event:.0f}",
            str(row.lost_events),
            str(row.wrong_counts),
        )
    return table


def main() -> None:
    """Run the levels and print and keep what they gave."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=list(LEVELS))
    parser.add_argument("--model", default="fast-small")
    parser.add_argument("--max-tokens", type=int, default=200)
    parser.add_argument("--no-live", action="store_true", help="leave out the browser")
    options = parser.parse_args()
    rows = [
        measure(reader, options.model, streams, LEVELS.get(streams, 1), options.max_tokens)
        for streams in options.streams
        for reader in READERS
    ]
    Console(width=110).print(table_of(rows))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    document: dict[str, Any] = {
        "environment": describe_environment(),
        "accuracy": [row.row() for row in rows],
    }
    if CHROMIUM and not options.no_live:
        document["live"] = live.measure()
        print(live.sentence(document["live"]))
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"kept in {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
