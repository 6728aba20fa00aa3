"""Whole runs against the real demo provider: what happens comes out as events."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.cancel import CancelToken
from engine.demo.process import DemoServer
from engine.demo.truth import Record
from engine.events import Event, Finished, Notice, SampleDone, SampleFailed, SampleStarted, Started
from engine.samples import Sample, SampleKey
from engine.specs import BenchmarkSpec
from engine.speed.runner import run_benchmark
from engine.targets import Target
from tests.engine.llm.scripted_server import ScriptedServer
from tests.engine.llm.streams import chunked, delta, head, sse
from tests.helpers import eventually


def target(demo: DemoServer, model: str, **more: Any) -> Target:
    fields = {"api_base": demo.base_url, "api_key": "sk-alice-key", "allow_private": True, **more}
    return Target(fields.pop("provider", "demo"), model, f"openai/{model}", **fields)


def run(
    targets: Sequence[Target],
    cancel: CancelToken | None = None,
    stored: frozenset[SampleKey] = frozenset(),
    **spec: Any,
) -> Iterator[Event]:
    asked: dict[str, Any] = {"runs": 1, "warmup": 0, "max_tokens": 24, "timeout_s": 20, **spec}
    return run_benchmark(
        BenchmarkSpec(targets=tuple(t.ref for t in targets), **asked),
        targets,
        cancel=cancel or CancelToken(),
        stored=stored,
    )


def samples(events: Iterator[Event] | Sequence[Event]) -> list[Sample]:
    return [e.sample for e in events if isinstance(e, SampleDone | SampleFailed)]


def truth_of(demo: DemoServer, sample: Sample) -> Record:
    """The truth of the request that the server received when this sample was sent."""

    def find() -> Record | None:
        records = [r for r in demo.truth() if abs(r.received_ns - sample.start_ns) < 50_000_000]
        return min(records, key=lambda r: abs(r.received_ns - sample.start_ns), default=None)

    record = eventually(find, what="the truth record")
    assert record is not None
    return record


def test_events_come_in_order_and_every_sample_is_told(demo: DemoServer) -> None:
    events = list(run([target(demo, "plain")], runs=2, warmup=1))
    assert isinstance(events[0], Started)
    assert events[0].total == 3
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "complete"
    assert [type(e) for e in events[1:-1]] == [SampleStarted, SampleDone] * 3
    assert [sample.key.warmup for sample in samples(events)] == [True, False, False]


def test_one_stream_is_timed_as_the_server_sent_it(demo: DemoServer) -> None:
    taken = samples(run([target(demo, "fast-small")], runs=5, max_tokens=60))
    first_errors, gap_errors = [], []
    for sample in taken:
        truth = truth_of(demo, sample)
        assert sample.tokens.output == truth.output == len(sample.arrivals)
        assert sample.tokens.input == truth.input
        assert sample.ttft_ms is not None
        first_errors.append(abs(sample.ttft_ms - (truth.sends[0] - truth.received_ns) / 1e6))
        seen = sample.arrivals[-1].at_ns - sample.arrivals[0].at_ns
        gap_errors.append(abs(seen / (truth.sends[-1] - truth.sends[0]) - 1))
    # The figures of `make bench` are far below; these bounds hold on a busy machine too.
    assert statistics.median(first_errors) < 5
    assert statistics.median(gap_errors) < 0.02


@pytest.mark.parametrize(
    "model",
    [
        "trap-role-only",
        "keepalive",
        "split-anywhere",
        "utf8-split",
        "gzip",
        "no-done",
        "reasoning",
        "tool-call",
        "late-finish",
        "four-per-chunk",
        "usage-every-chunk",
    ],
)
def test_awkward_streams_are_timed_right(demo: DemoServer, model: str) -> None:
    (sample,) = samples(run([target(demo, model)], max_tokens=512))
    assert (sample.outcome, sample.message) == ("ok", None)
    truth = truth_of(demo, sample)
    assert sample.tokens.output == truth.output
    assert sample.ttft_ms == pytest.approx((truth.sends[0] - truth.received_ns) / 1e6, abs=8)
    assert sample.e2e_ms == pytest.approx((truth.sends[-1] - truth.received_ns) / 1e6, abs=8)


def test_reasoning_tokens_come_first_and_the_answer_is_timed_apart(demo: DemoServer) -> None:
    (sample,) = samples(run([target(demo, "reasoning")]))
    truth = truth_of(demo, sample)
    answer_ms = (truth.sends[truth.reasoning_sends] - truth.received_ns) / 1e6
    assert sample.tokens.reasoning == truth.reasoning
    assert sample.ttfa_ms == pytest.approx(answer_ms, abs=8)


def test_counts_that_the_provider_does_not_report_are_marked(demo: DemoServer) -> None:
    events = list(run([target(demo, "no-usage", label="Silent")]))
    (sample,) = samples(events)
    assert sample.tokens.source == "estimate"
    assert "no_usage" in [e.code for e in events if isinstance(e, Notice)]


@pytest.mark.parametrize(
    ("model", "outcome", "error", "words"),
    [
        ("status-401", "failed", "auth", "refused the key"),
        ("status-500", "failed", "server", "HTTP 500"),
        ("html", "failed", "server", "web page"),
        ("error-in-200", "failed", None, "reported an error"),
        ("empty", "failed", "empty_output", "without any token"),
        ("cut", "incomplete", "stream_broken", "broke off"),
        ("malformed", "failed", "stream_broken", "not JSON"),
        ("error-mid", "failed", None, "reported an error"),
        ("no-such-model", "failed", "bad_request", "no-such-model"),
    ],
)
def test_what_a_provider_does_wrong_is_one_clear_failed_sample(
    demo: DemoServer, model: str, outcome: str, error: str | None, words: str
) -> None:
    (sample,) = samples(run([target(demo, model)]))
    assert sample.outcome == outcome
    assert sample.error == error or error is None
    assert words in (sample.message or "")
    assert sample.output_tps is None


def test_a_server_that_hangs_is_a_timeout(demo: DemoServer) -> None:
    taken = samples(run([target(demo, "hang"), target(demo, "hang-mid")], timeout_s=1))
    assert [(s.outcome, s.error) for s in taken] == [
        ("failed", "timeout"),
        ("incomplete", "timeout"),
    ]


def test_a_rate_limit_is_waited_out_and_the_try_is_kept(demo: DemoServer) -> None:
    (sample,) = samples(run([target(demo, "retry-once")]))
    assert sample.ok
    (attempt,) = sample.tries
    assert attempt.error == "rate_limited"
    assert 1.0 <= attempt.waited_s <= 1.2
    assert sample.ttft_ms is not None
    assert sample.ttft_ms < 900


def test_retries_end_at_the_limit_of_the_spec(demo: DemoServer) -> None:
    (sample,) = samples(run([target(demo, "status-429")], retries=1))
    assert (sample.outcome, sample.error, len(sample.tries)) == ("failed", "rate_limited", 1)


def test_a_broken_target_does_not_hold_up_the_others(demo: DemoServer) -> None:
    broken = target(demo, "m", provider="away", api_base="http://127.0.0.1:1/v1", label="Away")
    fine = target(demo, "plain")
    events = list(run([broken, fine], runs=5))
    taken = samples(events)
    assert sum(sample.ok for sample in taken) == 5
    (notice,) = [e for e in events if isinstance(e, Notice)]
    assert (notice.code, notice.dropped) == ("target_left_out", 2)
    assert "Away is left out after 3 failed requests" in notice.text


def test_a_target_without_a_key_fails_with_its_own_sentence(demo: DemoServer) -> None:
    keyless = target(demo, "plain", problem="OpenAI has no key; add one under Settings.")
    taken = samples(run([keyless]))
    assert [(s.error, s.message) for s in taken] == [("auth", keyless.problem)]


def test_a_key_never_appears_in_an_error(demo: DemoServer) -> None:
    (sample,) = samples(run([target(demo, "plain", api_key="wrong-key-of-alice-123")]))
    assert sample.error == "auth"
    assert "wrong-key-of-alice" not in str(sample)


def test_stored_samples_are_not_taken_again(demo: DemoServer) -> None:
    asked = target(demo, "plain")
    first = [sample.key for sample in samples(run([asked], runs=4, warmup=1))]
    again = samples(run([asked], runs=4, warmup=1, stored=frozenset(first[:3])))
    assert [sample.key for sample in again] == first[3:]


def test_cancelling_stops_within_two_seconds_and_keeps_the_partial_answer(
    demo: DemoServer,
) -> None:
    cancel = CancelToken()
    events = run([target(demo, "slow-drip")], cancel=cancel, runs=3)
    got: list[Event] = [next(events), next(events)]
    timer = threading.Timer(0.7, cancel.cancel)
    timer.start()
    started = time.monotonic()
    got += list(events)
    timer.join()
    assert time.monotonic() - started < 0.7 + 2
    (sample,) = samples(got)
    assert sample.outcome == "incomplete"
    assert sample.arrivals
    assert got[-1] == Finished("cancelled")


def test_a_deadline_ends_a_run_as_such(demo: DemoServer) -> None:
    events = list(run([target(demo, "slow-drip")], cancel=CancelToken(deadline_s=0.5)))
    assert events[-1] == Finished("deadline")


def test_closing_the_events_cancels_the_run(demo: DemoServer) -> None:
    cancel = CancelToken()
    events = run([target(demo, "slow-drip")], cancel=cancel)
    next(events)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert cancel.reason == "cancelled"


def test_providers_are_asked_at_the_same_time(demo: DemoServer) -> None:
    pair = [target(demo, "fast-small", provider=name) for name in ("one", "two")]
    first, second = samples(run(pair, max_tokens=120))
    assert abs(first.start_ns - second.start_ns) < 400_000_000


def test_inside_a_provider_one_request_is_open_at_a_time(demo: DemoServer) -> None:
    pair = [target(demo, "plain"), target(demo, "no-done")]
    taken = sorted(samples(run(pair, runs=2)), key=lambda s: s.start_ns)
    for one, following in itertools.pairwise(taken):
        assert one.total_ms is not None
        assert following.start_ns >= one.start_ns + one.total_ms * 1e6


def test_a_price_of_the_owner_becomes_a_cost(demo: DemoServer) -> None:
    priced = target(demo, "plain", input_cost_per_mtok=3.0, output_cost_per_mtok=15.0)
    (sample,) = samples(run([priced]))
    assert sample.tokens.input is not None
    assert sample.tokens.output is not None
    exact = (sample.tokens.input * 3 + sample.tokens.output * 15) / 1e6
    assert sample.cost_usd == pytest.approx(exact, abs=1e-12)


def test_a_provider_that_counts_otherwise_than_its_tokenizer_is_noticed_once() -> None:
    chunks = (delta("one two three"), delta(finish_reason="stop"))
    counts = delta(usage={"prompt_tokens": 9, "completion_tokens": 30}) | {"choices": []}
    server = ScriptedServer([[head() + chunked(sse(*chunks, counts, "[DONE]"))]])
    server.start()
    wrong = Target("p", "gpt-4o", "openai/gpt-4o", server.base_url, "k", allow_private=True)
    notices = [event for event in run([wrong], runs=2) if isinstance(event, Notice)]
    server.stop()
    (told,) = (notice for notice in notices if notice.code == "counts_differ")
    assert told.text.startswith("gpt-4o reports 30 tokens for an answer in which its tokenizer")
    assert "finds 3;" in told.text
