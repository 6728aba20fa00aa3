"""Charts carry the figures of the results, and say them in words."""

from __future__ import annotations

import json
from typing import Any

from engine.report import numbers, results
from engine.report.digest import digest
from tests.webapp.benchmark.builders import TARGETS, samples_of, spec_of
from webapp.benchmark import charts
from webapp.benchmark.report import colour_of


def drawn(some: int | None = None, **fields: Any) -> tuple[Any, Any]:
    spec = spec_of(TARGETS, **fields)
    rows = results(samples_of(spec, TARGETS)[:some], TARGETS, spec)
    found = [digest(row) for row in rows]
    return rows, charts.chart_data(found, [item.result for item in found], colour_of(TARGETS))


def test_bars_have_value_interval_and_the_text_of_the_table() -> None:
    rows, data = drawn()
    for row, bar in zip(rows, data["speed"]["rows"], strict=True):
        assert (bar["name"], bar["value"]) == (row.label, row.output_tps.p50)
        assert (bar["low"], bar["high"]) == row.output_tps.ci95
        assert bar["shown"] == numbers.measured(row.output_tps.p50, row.output_tps.ci95)
        assert bar["text"].endswith("n 10")


def test_a_model_has_one_colour_on_every_chart() -> None:
    _, data = drawn(context_tiers=(0, 1000), runs=3)
    seen: dict[str, set[int]] = {}
    for chart in data.values():
        for item in chart.get("rows", []) + chart.get("lines", []):
            seen.setdefault(item["name"], set()).add(item["colour"])
    assert seen == {"fast-small": {1}, "slow-large": {2}, "jittery": {3}}


def test_every_run_is_a_point_until_there_are_too_many() -> None:
    rows, data = drawn(runs=10)
    assert [row["points"] for row in data["first_token"]["rows"]] == [
        [sample.ttft_ms for sample in row.ok] for row in rows
    ]
    assert all(row["spread"] is None for row in data["first_token"]["rows"])
    rows, data = drawn(runs=70)
    for row, strip in zip(rows, data["first_token"]["rows"], strict=True):
        first = row.ttft_ms
        assert strip["points"] == strip["texts"] == []
        assert strip["spread"] == [first.min, first.p25, first.p75, first.max]


def test_context_curves_appear_with_several_sizes_and_end_where_a_window_does() -> None:
    assert "context_speed" not in drawn()[1]
    _, data = drawn(context_tiers=(0, 1000, 50_000), runs=2)
    ends = {line["name"]: line["points"][-1]["x"] for line in data["context_speed"]["lines"]}
    assert ends == {"fast-small": 50_000, "slow-large": 1000, "jittery": 50_000}
    assert [tier["name"] for tier in data["context_first_token"]["tiers"]] == ["0", "1K", "50K"]


def test_charts_of_one_size_show_the_size_the_verdict_is_about() -> None:
    rows, data = drawn(context_tiers=(1000, 20_000), runs=2)
    assert charts.bar_size(rows) == 1000
    assert len(data["speed"]["rows"]) == len(TARGETS)


def test_nothing_measured_is_said_and_is_no_number() -> None:
    _, data = drawn(some=0, context_tiers=(0, 1000))
    assert [row["shown"] for row in data["speed"]["rows"]] == ["not measured"] * 3
    assert data["tradeoff"]["label"].endswith("no answer yet.")
    assert all(line["points"] == [] for line in data["context_speed"]["lines"])
    json.dumps(data, allow_nan=False)


def test_each_chart_says_in_a_sentence_what_it_shows() -> None:
    rows, data = drawn()
    for row in rows:
        assert numbers.measured(row.output_tps.p50, row.output_tps.ci95) in data["speed"]["label"]
        assert numbers.ms(row.ttft_ms.p50) in data["first_token"]["label"]
        assert row.label in data["tradeoff"]["label"]
