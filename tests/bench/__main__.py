"""`make bench`: how exact the figures are and what they cost, against the truth logs of two
endpoints, with a plain aiohttp reader and a loop over LiteLLM in the same run.

Prints a report in Markdown, says which limits were kept, and leaves everything as JSON in
`tests/bench/results/`. Every figure is taken in this run, so that ratios mean something on
a shared machine. With `--strict` it exits with 1 when a limit was not kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.environment import describe_environment
from tests.bench import (
    arrivals,
    backlog,
    claims,
    levels,
    live,
    matrix,
    memory,
    pages,
    scoring,
    shapes,
    start,
)
from tests.bench.outcome import Outcome

RESULTS = Path(__file__).with_name("results")
BENCHES: dict[str, Callable[[bool], Outcome]] = {
    "levels": levels.run,
    "shapes": shapes.run,
    "arrivals": arrivals.run,
    "backlog": backlog.run,
    "memory": memory.run,
    "start": start.run,
    "claims": claims.run,
    "scoring": scoring.run,
    "matrix": matrix.run,
    "pages": pages.run,
    "live": live.run,
}


def main() -> int:
    """Run what is asked for; what `python -m tests.bench` ends with."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer levels, shorter answers")
    parser.add_argument("--strict", action="store_true", help="fail on a limit not kept")
    known = ", ".join(BENCHES)
    parser.add_argument("--only", action="append", choices=list(BENCHES), metavar="NAME",
                        help=f"one of {known}; may be given several times")  # fmt: skip
    options = parser.parse_args()
    environment = describe_environment()
    outcomes: dict[str, Outcome] = {}
    for name in options.only or BENCHES:
        print(f"{name} …", flush=True)
        outcomes[name] = BENCHES[name](options.quick)
    print("\n" + report(environment, outcomes))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    found = {name: outcome.document() for name, outcome in outcomes.items()}
    path.write_text(json.dumps({"environment": environment, **found}, indent=1) + "\n")
    print(f"\nKept in {path.relative_to(Path.cwd())}")
    broken = [check for o in outcomes.values() for check in o.checks if not check.held]
    return int(options.strict and bool(broken))


def report(environment: dict[str, Any], outcomes: dict[str, Outcome]) -> str:
    """The whole run in Markdown."""
    where = (
        f"Measured {environment['measured_at']} on {environment['cpus']} cores of "
        f"{environment['cpu']}, {environment['system']}, Python {environment['python']}, "
        f"load before the start {environment['load_1m']}."
    )
    parts = [where, *(outcome.markdown for outcome in outcomes.values() if outcome.markdown)]
    checks = [check for outcome in outcomes.values() for check in outcome.checks]
    broken = [check for check in checks if not check.held]
    parts.append(f"{len(checks) - len(broken)} of {len(checks)} limits kept.")
    parts += ["\n".join(f"- not kept: {check.sentence()}" for check in broken)] if broken else []
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
