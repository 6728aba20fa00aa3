"""Results: what counts, what does not, and what stays unknown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report import METRICS, Client, document, results, to_json
from engine.samples import Arrival, LevelKey, Tokens, Try
from engine.specs import LoadSpec
from tests.engine.report.builders import failed, report, sample, spec_for, target


def test_there_is_one_result_for_each_target_and_context_size_in_their_order() -> None:
    targets = [target("b"), target("a")]
    rows = results([], targets, spec_for(targets, context_tiers=(1000, 0)))
    assert [(r.model, r.context_tokens) for r in rows] == [
        ("b", 0),
        ("b", 1000),
        ("a", 0),
        ("a", 1000),
    ]
    assert all(r.requests.total == 0 and r.ttft_ms.n == 0 for r in rows)


def test_a_size_that_the_window_cannot_hold_has_no_result() -> None:
    targets = [target("small", context_window=2_000), target("large")]
    rows = results([], targets, spec_for(targets, context_tiers=(0, 5_000), max_tokens=512))
    assert [(r.model, r.context_tokens) for r in rows] == [
        ("small", 0),
        ("large", 0),
        ("large", 5_000),
    ]


def test_only_ok_samples_enter_the_figures_and_the_others_are_counted_beside_them() -> None:
    (row,) = report(
        [
            sample(run=0, ttft_ms=100.0),
            sample(run=1, ttft_ms=120.0),
            failed(run=2, error="timeout"),
            failed(run=3, outcome="incomplete", error="stream_broken", ttft_ms=9_999.0),
            failed(run=4, error="timeout"),
        ]
    )
    assert (row.requests.ok, row.requests.failed, row.requests.incomplete) == (2, 2, 1)
    assert row.errors == {"timeout": 2, "stream_broken": 1}
    assert (row.ttft_ms.n, row.ttft_ms.p50, row.ttft_ms.max) == (2, 110.0, 120.0)
    low, high = row.error_rate
    assert low is not None
    assert high is not None
    assert low < 3 / 5 < high


def test_warm_ups_are_counted_apart_and_in_nothing_else() -> None:
    (row,) = report([sample(warmup=True, ttft_ms=5_000.0), failed(warmup=True, run=1), sample()])
    assert (row.warmups.ok, row.warmups.failed) == (1, 1)
    assert row.requests.total == 1
    assert row.ttft_ms.max == 100.0
    assert len(row.samples) == 1
    assert row.errors == {}


def test_tokens_are_totals_with_the_least_trusted_source() -> None:
    (row,) = report(
        [
            sample(run=0, tokens=Tokens(8, 10, None, 4, "usage")),
            sample(run=1, tokens=Tokens(8, 12, 3, None, "estimate")),
        ]
    )
    assert row.tokens == Tokens(16, 22, reasoning=3, cached=4, source="estimate")


def test_one_unknown_count_or_cost_leaves_the_total_unknown() -> None:
    (row,) = report([sample(run=0), sample(run=1, tokens=Tokens(None, 9), cost_usd=None)])
    assert row.tokens.input is None
    assert row.tokens.output == 19
    assert row.cost_usd is None


def test_a_cost_of_zero_is_a_cost() -> None:
    (row,) = report([sample(cost_usd=0.0)])
    assert row.cost_usd == 0.0


def test_the_rates_divide_by_the_time_in_which_a_request_was_open() -> None:
    (row,) = report([sample(run=0), sample(run=1), sample(run=2, started_at=1_001.1)])
    # 0.2 s alone, then 0.2 s and 0.2 s that overlap by 0.1 s.
    assert row.duration_s == pytest.approx(0.5)
    assert row.requests_per_s == pytest.approx(3 / 0.5)
    assert row.system_output_tps == pytest.approx(30 / 0.5)


def test_a_failed_request_takes_time_and_gives_nothing() -> None:
    (row,) = report([sample(run=0), failed(run=1, started_at=2_000.0, total_ms=800.0)])
    assert row.duration_s == pytest.approx(1.0)
    assert row.requests_per_s == pytest.approx(1.0)


def test_nothing_sent_has_no_duration_and_no_rate() -> None:
    (row,) = report([failed()])
    assert (row.duration_s, row.requests_per_s, row.system_output_tps) == (None, None, None)
    assert row.cost_usd is None
    assert row.clock is None


def test_gaps_are_pooled_by_tokens() -> None:
    bundled = (Arrival(0, 1), Arrival(40_000_000, 4))
    (row,) = report([sample(), sample(run=1, arrivals=bundled, bundled=True)])
    assert row.itl_ms.n == 10
    assert row.itl_ms.mean == pytest.approx((90 + 40) / 13)
    assert row.bundled == 1


def test_outliers_are_positions_among_all_samples_and_stay_in_the_figures() -> None:
    ttfts = [100.0, 101.0, 102.0, 103.0, 900.0]
    taken = [failed(run=0), *(sample(run=i + 1, ttft_ms=t) for i, t in enumerate(ttfts))]
    (row,) = report(taken)
    assert row.outliers == {"ttft_ms": [5], "output_tps": []}
    assert row.ttft_ms.max == 900.0


def test_retries_are_counted_and_shown_with_their_sample() -> None:
    tried = (Try("rate_limited", "Slow down.", 1.5),)
    (row,) = report([sample(tries=tried), sample(run=1)])
    assert row.retries == 1
    assert row.as_dict()["samples"][0]["tries"] == [
        {"error": "rate_limited", "message": "Slow down.", "waited_s": 1.5}
    ]


def test_the_clock_is_named_and_a_mixture_is_called_one() -> None:
    assert report([sample(clock="read")])[0].clock == "read"
    assert report([sample(), sample(run=1, clock="library")])[0].clock == "mixed"


def test_the_generators_own_figures_are_null_until_they_are_measured() -> None:
    targets = [target()]
    measured = {LevelKey("demo", "fast", 0, ""): Client(0.5, 1.2, True, 0.3, ("late_dispatch",))}
    (row,) = results([sample()], targets, spec_for(targets), measured)
    assert row.as_dict()["client"] == {
        "cpu_s": 0.5,
        "lag_ms_p99": 1.2,
        "saturated": True,
        "delay_ms_p99": 0.3,
        "marks": ["late_dispatch"],
    }
    nothing = report([sample()])[0].as_dict()["client"]
    assert nothing.pop("marks") == []
    assert set(nothing.values()) == {None}


SPEC = spec_for([target()])
CONTRACT = {
    *("provider", "model", "context_tokens", "concurrency", "rate", "requests", "errors"),
    *("tokens", "ttft_ms", "ttfa_ms", "itl_ms", "tpot_ms", "e2e_ms", "output_tps", "input_tps"),
    *("system_output_tps", "requests_per_s", "duration_s", "cost_usd", "client", "samples"),
}
SUMMARY = {"mean", "std", "min", "p50", "p90", "p95", "p99", "max", "ci95", "n"}


def test_the_document_keeps_the_published_contract() -> None:
    made = document(report([sample(), failed(run=1)]), {"python": "3.11"}, SPEC)
    assert made["schema"] == "studio.bench/1"
    assert made["environment"] == {"python": "3.11", "spec": SPEC.model_dump(mode="json")}
    (row,) = made["results"]
    assert row.keys() >= CONTRACT
    assert (row["concurrency"], row["rate"]) == (1, None)
    assert row["requests"] == {"ok": 1, "failed": 1, "incomplete": 0}
    counts = {"input", "output", "reasoning", "cached", "cache_write", "cache_write_1h", "source"}
    assert row["tokens"].keys() == counts
    for metric in METRICS:
        assert row[metric].keys() >= SUMMARY
        assert len(row[metric]["ci95"]) == 2
    assert [(s["ok"], s["error"]) for s in row["samples"]] == [(True, None), (False, "server")]
    assert {"start_ns", "ttft_ms", "e2e_ms", "output_tps", "tokens"} <= row["samples"][0].keys()


def test_the_document_reads_back_as_it_was_written() -> None:
    made = document(report([sample(ttft_ms=100.1234567890123)]), {}, SPEC)
    assert json.loads(to_json(made)) == made
    assert made["results"][0]["ttft_ms"]["p50"] == 100.1234567890123


positive = st.floats(min_value=1e-3, max_value=1e6)


@given(st.lists(st.tuples(positive, st.none() | positive, st.booleans()), max_size=12))
def test_whatever_was_measured_the_json_is_strict_and_the_counts_add_up(
    taken: list[tuple[float, float | None, bool]],
) -> None:
    samples = [
        sample(run=i, ttft_ms=ttft, output_tps=tps, total_ms=ttft) if ok else failed(run=i)
        for i, (ttft, tps, ok) in enumerate(taken)
    ]
    rows = report(samples, [target()])
    text = to_json(document(rows, {}, SPEC))
    assert "NaN" not in text
    assert "Infinity" not in text
    (row,) = rows
    assert row.requests.total == len(samples) == len(row.samples)
    assert sum(row.errors.values()) == row.requests.failed + row.requests.incomplete
    assert row.ttft_ms.n == row.requests.ok


def test_recall_is_a_share_of_the_answers_that_were_looked_at() -> None:
    looked = [True, True, False, None]
    (row,) = report([sample(run=run, recall=found) for run, found in enumerate(looked)])
    assert (row.recall.share, row.recall.n) == (2 / 3, 3)
    low, high = row.recall.ci95
    assert low is not None
    assert high is not None
    assert low < 2 / 3 < high
    data = row.as_dict()
    assert data["recall"] == {"share": 2 / 3, "ci95": [low, high], "n": 3}
    assert [entry["recall"] for entry in data["samples"]] == looked
    (without,) = report([sample()])
    assert without.as_dict()["recall"] == {"share": None, "ci95": [None, None], "n": 0}


def test_a_load_level_is_judged_by_its_part_at_full_strength() -> None:
    """Two streams that start 100 ms apart and take 200 ms a request, three each."""
    starts = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    taken = [
        replace(made, key=made.key._replace(level="c2"))
        for run, start in enumerate(starts)
        for made in (sample(run=run, started_at=1_000 + start),)
    ]
    load = LoadSpec(levels=(2,), requests=6, slo_ttft_ms=500)
    (row,) = report(taken, load=load)
    assert row.duration_s == pytest.approx(0.7)
    # From the second stream's start to the last one: 0.4 s at ten requests a second.
    assert row.requests_per_s == pytest.approx(10, rel=0.05)
    assert row.goodput.per_s == row.requests_per_s
    assert row.system_output_tps == pytest.approx(100, rel=0.05)
    (brief,) = report(taken[:2], load=load)
    assert brief.requests_per_s == pytest.approx(2 / 0.3)
