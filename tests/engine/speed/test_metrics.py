"""A sample's figures, from captures whose truth is known."""

from __future__ import annotations

from typing import Any

import pytest

from engine.llm.answer import Decoded, TokenEvent, Usage
from engine.llm.ask import Asked
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.samples import Sample, SampleKey
from engine.speed.metrics import counted_otherwise, measure

KEY = SampleKey("p", "m", 0, 0, False)
MS = 1_000_000
SENT = 5_000 * MS


def sample(
    events: list[TokenEvent], usage: Usage | None = None, ended: Any = "complete", **more: Any
) -> Sample:
    decoded = Decoded(events=events, usage=usage or Usage(), **{"finished": True, **more})
    capture = Capture(sent_ns=SENT, sent_at=1.0, ended_ns=SENT + 900 * MS, ended=ended)
    return measure(KEY, Asked(capture=capture, decoded=decoded, error=decoded.error), None, "hi")


def at(ms: float, part: Any = "text", chars: int = 4, tokens: int | None = None) -> TokenEvent:
    return TokenEvent(SENT + int(ms * MS), part, chars, tokens)


STEADY = [at(100 + 10 * index) for index in range(21)]


def test_first_token_speed_and_duration_follow_their_definitions() -> None:
    it = sample(STEADY, Usage(input=50, output=21))
    assert it.outcome == "ok"
    assert it.ttft_ms == pytest.approx(100)
    assert it.e2e_ms == pytest.approx(300)
    assert it.total_ms == pytest.approx(900)
    assert it.tpot_ms == pytest.approx(10)
    assert it.output_tps == pytest.approx(100)
    assert it.e2e_tps == pytest.approx(70)
    assert it.input_tps == pytest.approx(500)
    assert [arrival.tokens for arrival in it.arrivals] == [1] * 21


def test_the_first_answer_token_comes_after_the_reasoning() -> None:
    it = sample([at(100, "reasoning"), at(400)], Usage(input=1, output=2))
    assert it.ttft_ms == pytest.approx(100)
    assert it.ttfa_ms == pytest.approx(400)


def test_cached_input_is_no_prefill_speed() -> None:
    it = sample(STEADY, Usage(input=50, output=21, cached=40))
    assert it.input_tps == pytest.approx(100)


def test_four_tokens_an_event_give_the_same_speed_and_say_so() -> None:
    bundles = [at(100 + 40 * index, chars=16) for index in range(5)]
    it = sample(bundles, Usage(input=1, output=20))
    assert it.bundled
    assert [arrival.tokens for arrival in it.arrivals] == [4] * 5
    assert it.tpot_ms == pytest.approx(10)


def test_bounds_of_the_time_per_token_hold_whatever_the_first_event_carried() -> None:
    bundles = [at(100 + 40 * index, chars=16) for index in range(5)]
    it = sample(bundles, Usage(input=1, output=20))
    assert it.tpot_low_ms == pytest.approx(160 / 19)
    assert it.tpot_high_ms == pytest.approx(160 / 4)
    assert sample(STEADY, Usage(input=1, output=21)).tpot_low_ms is None


def test_tokens_of_the_first_read_took_no_time_that_was_seen() -> None:
    reads = [at(100), at(100), at(100), at(120), at(120), at(140)]
    it = sample(reads, Usage(input=9, output=6))
    assert not it.bundled
    assert it.tpot_ms == pytest.approx(40 / 3)
    assert it.output_tps == pytest.approx(75)
    whole = sample([at(100)] * 5, Usage(input=9, output=5))
    assert (whole.tpot_ms, whole.output_tps) == (None, None)


def test_zeros_of_a_server_that_does_not_count_are_no_usage() -> None:
    it = sample(STEADY, Usage(input=0, output=0), text="twenty one tokens")
    assert it.tokens.source == "estimate"
    assert it.tokens.input
    assert it.tokens.output
    assert it.input_tps is None
    assert sample([], Usage(input=5, output=0)).tokens.output == 0


def test_even_bundles_are_known_by_their_total_whatever_the_tokens_look_like() -> None:
    """Later tokens are longer; by characters the first event would have got three of four."""
    bundles = [at(100 + 40 * index, chars=12 if index < 3 else 20) for index in range(50)]
    it = sample(bundles, Usage(input=1, output=198))
    assert [arrival.tokens for arrival in it.arrivals] == [4] * 49 + [2]
    with_end_of_text = sample(bundles, Usage(input=1, output=201))
    assert [arrival.tokens for arrival in with_end_of_text.arrivals] == [4] * 49 + [5]


def test_a_first_event_that_is_short_got_fewer_tokens_than_the_others() -> None:
    bundles = [at(100, chars=4), *(at(140 + 40 * index, chars=16) for index in range(9))]
    it = sample(bundles, Usage(input=1, output=37))
    assert [arrival.tokens for arrival in it.arrivals] == [1] + [4] * 9


def test_one_token_more_than_events_is_the_end_of_the_text_or_a_tools_name() -> None:
    assert not sample(STEADY, Usage(input=1, output=22)).bundled
    call = [at(100, "tool", 11), *(at(110 + 10 * n, "tool", 4) for n in range(5))]
    it = sample(call, Usage(input=1, output=7))
    assert it.bundled
    assert [arrival.tokens for arrival in it.arrivals] == [2, 1, 1, 1, 1, 1]
    assert it.tpot_ms == pytest.approx(10)


def test_usage_in_every_chunk_makes_bundles_exact() -> None:
    bundles = [at(100, tokens=4), at(140, tokens=4), at(180, tokens=2)]
    it = sample(bundles, Usage(input=1, output=10))
    assert not it.bundled
    assert it.tpot_ms == pytest.approx(80 / 6)


def test_reasoning_that_is_billed_but_not_streamed_does_not_inflate_speed() -> None:
    it = sample(STEADY, Usage(input=1, output=1021, reasoning=1000))
    assert it.output_tps == pytest.approx(100)
    assert it.tokens.output == 1021
    assert not it.bundled


def test_one_token_has_no_speed_between_tokens() -> None:
    it = sample([at(100)], Usage(input=1, output=1))
    assert (it.outcome, it.tpot_ms, it.output_tps) == ("ok", None, None)


def test_counts_nobody_reported_are_called_estimates() -> None:
    it = sample(STEADY, text="one two three four")
    assert it.tokens.source == "estimate"
    assert it.tokens.output == 4
    assert it.input_tps is None
    assert it.cost_usd is None


def test_an_answer_without_tokens_is_a_failure() -> None:
    it = sample([], Usage(input=3, output=0), finish_reason="stop")
    assert (it.outcome, it.error) == ("failed", "empty_output")


@pytest.mark.parametrize(
    ("ended", "error"),
    [("eof", "stream_broken"), ("reset", "stream_broken"), ("timeout", "timeout")],
)
def test_a_cut_answer_is_incomplete_and_has_no_speed(ended: str, error: str) -> None:
    it = sample(STEADY, finished=False, ended=ended, text="one two three")
    assert (it.outcome, it.error) == ("incomplete", error)
    assert it.output_tps is None
    assert (it.tokens.output, it.tokens.source, it.cost_usd) == (None, "none", None)
    assert it.ttft_ms == pytest.approx(100)


def test_a_timeout_before_the_first_token_is_a_failure() -> None:
    it = sample([], finished=False, ended="timeout")
    assert (it.outcome, it.error) == ("failed", "timeout")


def test_a_stream_that_ends_without_a_reason_is_incomplete() -> None:
    assert sample(STEADY, finished=False).outcome == "incomplete"


def test_a_filtered_answer_is_a_failure_of_its_kind() -> None:
    assert sample(STEADY, finish_reason="content_filter").error == "content_filter"


def test_an_error_in_the_stream_is_the_samples_error() -> None:
    it = sample(STEADY, error=ProviderError("server", "boom"))
    assert (it.outcome, it.error, it.message) == ("failed", "server", "boom")


def test_a_request_that_was_never_answered_keeps_its_sentence() -> None:
    it = measure(KEY, Asked(error=ProviderError("connect", "Nothing answers.")), None, "hi")
    assert (it.outcome, it.error, it.message) == ("failed", "connect", "Nothing answers.")


def test_a_cancelled_stream_is_incomplete() -> None:
    capture = Capture(sent_ns=SENT, ended="cancelled", ended_ns=SENT + MS)
    decoded = Decoded(events=STEADY[:2])
    it = measure(KEY, Asked(capture=capture, decoded=decoded, cancelled=True), None, "hi")
    assert it.outcome == "incomplete"


@pytest.mark.parametrize(
    ("output", "reasoning", "finish", "found"),
    [
        (100, None, "stop", None),
        (104, None, "stop", None),
        (106, None, "stop", 100),
        (94, None, "length", 100),
        (1_100, 1_000, "stop", None),
        (150, None, "tool_calls", None),
    ],
)
def test_a_count_that_the_models_own_tokenizer_does_not_find_is_told(
    output: int, reasoning: int | None, finish: str, found: int | None
) -> None:
    it = sample(STEADY, Usage(9, output, reasoning), text=" sea" * 100, finish_reason=finish)
    assert counted_otherwise(it, "o200k_base") == found


def test_an_openai_model_without_usage_is_counted_by_its_own_tokenizer() -> None:
    decoded = Decoded(events=STEADY, text="one two three", finished=True, finish_reason="stop")
    asked = Asked(capture=Capture(sent_ns=SENT, ended_ns=SENT), decoded=decoded)
    it = measure(KEY, asked, None, "hi there", "o200k_base")
    assert (it.tokens.input, it.tokens.output, it.tokens.source) == (2, 3, "tokenizer")
