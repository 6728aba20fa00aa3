"""Results as files: the JSON document `studio.bench/1`, and a CSV of the same values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.report.knee import sweeps
from engine.report.result import METRICS, Result
from engine.specs import Spec
from engine.stats import Summary

SCHEMA = "studio.bench/1"


def document(
    results: Sequence[Result], environment: Mapping[str, Any], spec: Spec
) -> dict[str, Any]:
    """The document that `studio bench --json`, `studio export` and a run's JSON twin give;
    the spec stands in the environment, so that a file says what was asked."""
    return {
        "schema": SCHEMA,
        "environment": {**environment, "spec": spec.model_dump(mode="json")},
        "results": list(_rows(results)),
    }


def _rows(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Results as JSON; `knee` marks the load level after which more load stops paying."""
    knees = {id(sweep.knee) for sweep in sweeps(results) if sweep.knee}
    for result in results:
        yield result.as_dict() | {"knee": id(result) in knees}


def to_json(content: Mapping[str, Any]) -> str:
    """A document as JSON text with a final line break. ValueError for a NaN, which must
    not have got this far."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(results: Sequence[Result]) -> str:
    """One line a result with the values of the JSON, nested names joined by a dot
    (`ttft_ms.p50`, `ttft_ms.ci95.low`). Samples are left out, None is empty, `errors` reads
    "timeout:2 server:1", and outliers are counted.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    rows = zip(results, _rows(results), strict=True)
    writer.writerows(_csv_row(result, row) for result, row in rows)
    return text.getvalue()


_SUMMARY = (*(name for name in Summary.__slots__ if name != "ci95"), "ci95.low", "ci95.high")
COLUMNS = (
    *("provider", "model", "label", "provider_label", "simulated"),
    *("context_tokens", "concurrency", "rate", "level"),
    *("requests.ok", "requests.failed", "requests.incomplete"),
    *("warmups.ok", "warmups.failed", "warmups.incomplete", "retries"),
    *("errors", "error_rate.low", "error_rate.high"),
    *("tokens.input", "tokens.output", "tokens.reasoning", "tokens.cached", "tokens.source"),
    *("tokens.cache_write", "tokens.cache_write_1h"),
    *(f"{metric}.{name}" for metric in METRICS for name in _SUMMARY),
    *("outliers.ttft_ms", "outliers.output_tps"),
    *("system_output_tps", "requests_per_s", "duration_s", "cost_usd", "clock", "bundled"),
    *("tpot_bounds_ms.low", "tpot_bounds_ms.high"),
    *("client.cpu_s", "client.lag_ms_p99", "client.saturated", "client.delay_ms_p99"),
    *("client.marks", "goodput.share", "goodput.ci95.low", "goodput.ci95.high", "goodput.per_s"),
    *("recall.share", "recall.ci95.low", "recall.ci95.high", "recall.n", "knee", "prompts"),
)


def _csv_row(result: Result, row: dict[str, Any]) -> dict[str, Any]:
    del row["samples"]
    row["errors"] = " ".join(f"{kind}:{count}" for kind, count in row["errors"].items())
    row["client"] |= {"marks": " ".join(result.client.marks)}
    row["outliers"] = {metric: len(found) for metric, found in row["outliers"].items()}
    return dict(_flat(row))


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}.low", value[0]
            yield f"{prefix}{name}.high", value[1]
        else:
            yield f"{prefix}{name}", harmless(value)


def harmless(value: Any) -> Any:
    """A CSV cell that no spreadsheet runs as a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
