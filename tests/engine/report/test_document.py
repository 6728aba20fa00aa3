"""Files: the CSV says what the JSON says."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from engine.report import document, to_csv, to_json
from tests.engine.report.builders import failed, report, sample, spec_for, target


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def leaves(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def test_every_number_of_the_json_stands_in_the_csv_with_full_value() -> None:
    results = report([sample(ttft_ms=1 / 3, output_tps=2 / 3), sample(run=1), failed(run=2)])
    (line,) = rows_of(to_csv(results))
    row = document(results, {}, spec_for([target()]))["results"][0]
    compared = 0
    for name, value in leaves(row).items():
        if name.startswith("errors."):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert float(line[name]) == value, name
            compared += 1
        elif name.endswith("ci95"):
            cells = (line[f"{name}.low"], line[f"{name}.high"])
            assert [float(cell) if cell else None for cell in cells] == list(value)
    assert compared > 80
    assert line["errors"] == "server:1"
    assert line["tokens.source"] == "usage"


def test_what_is_unknown_is_an_empty_cell_and_the_columns_never_change() -> None:
    (empty,) = rows_of(to_csv(report([], [target()])))
    assert (empty["ttft_ms.p50"], empty["cost_usd"], empty["rate"]) == ("", "", "")
    (full,) = rows_of(to_csv(report([sample()])))
    assert empty.keys() == full.keys()
    assert to_csv([]).splitlines()[0] == to_csv(report([sample()])).splitlines()[0]


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    named = target("=cmd()", label='=HYPERLINK("x")')
    (line,) = rows_of(to_csv(report([sample("=cmd()")], [named])))
    assert line["model"] == "'=cmd()"
    assert line["label"].startswith("'=")


def test_a_nan_is_refused_rather_than_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"x": float("nan")})
