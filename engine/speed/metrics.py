"""One sample's figures from what the wire saw (measurement.md, section 2)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from engine.llm.answer import Decoded, TokenEvent, Usage
from engine.llm.ask import Asked
from engine.llm.decode import OVERSIZE, late_sentence
from engine.llm.errors import ProviderError
from engine.llm.exchange import Capture
from engine.llm.tokens import ESTIMATE, Encoding, count_tokens
from engine.pricing import Price, cost_usd
from engine.samples import Arrivals, Outcome, Sample, SampleKey, Tokens

# Characters of the answer that are kept with a sample.
TEXT_CHARS = 20_000


# The provider's count and its own tokenizer's may differ by this share, and by a few tokens
# that no text shows.
COUNTS_DIFFER, UNSEEN_TOKENS = 0.05, 4


def measure(
    key: SampleKey,
    asked: Asked,
    price: Price | None,
    prompt_text: str,
    tokenizer: Encoding | None = None,
) -> Sample:
    """The sample of one request. Latency and speed are given only for an ok sample or for
    the part of an incomplete one that was really seen. `tokenizer` is the model's own, where
    it is at hand."""
    base = Sample(key=key, outcome="failed", tries=asked.tries)
    capture, decoded = asked.capture, asked.decoded
    if capture is None or decoded is None:
        return _without_answer(base, asked)
    outcome, error = _outcome(asked, capture, decoded)
    times = _times(capture, decoded.events)
    tokens = _tokens(decoded, prompt_text, tokenizer, complete=outcome == "ok")
    streamed = _streamed(tokens, decoded)
    arrivals, bundled = _arrivals(decoded.events, capture.sent_ns, streamed)
    sample = replace(
        _with_wire(base, capture),
        outcome=outcome,
        error=error.kind if error else None,
        message=error.message if error else None,
        ttft_ms=times.first_ms,
        ttfa_ms=times.answer_ms,
        e2e_ms=times.last_ms,
        tokens=tokens,
        cost_usd=cost_usd(tokens, price) if price else None,
        finish_reason=decoded.finish_reason,
        text=(decoded.text or decoded.reasoning)[:TEXT_CHARS],
        arrivals=arrivals,
        bundled=bundled,
    )
    return _with_rates(sample, times, streamed) if outcome == "ok" else sample


def _without_answer(base: Sample, asked: Asked) -> Sample:
    error = asked.error or ProviderError("stream_broken", "Cancelled before it was sent.")
    outcome: Outcome = "incomplete" if asked.cancelled else "failed"
    sample = replace(base, outcome=outcome, error=error.kind, message=error.message)
    return _with_wire(sample, asked.capture) if asked.capture else sample


def _with_wire(sample: Sample, capture: Capture) -> Sample:
    return replace(
        sample,
        start_ns=capture.sent_ns,
        started_at=capture.sent_at,
        connect_ms=capture.connect_ms,
        tls_ms=capture.tls_ms,
        total_ms=(capture.ended_ns - capture.sent_ns) / 1e6 if capture.sent_ns else None,
        clock=capture.clock,
    )


def _outcome(
    asked: Asked, capture: Capture, decoded: Decoded
) -> tuple[Outcome, ProviderError | None]:
    """ok, failed or incomplete, with the reason (measurement.md, section 2, outcome)."""
    if asked.cancelled:
        return "incomplete", ProviderError("stream_broken", "Cancelled while it was streaming.")
    if decoded.error is not None:
        return "failed", decoded.error
    if decoded.finish_reason == "content_filter":
        return "failed", ProviderError("content_filter", "The provider's filter ended the answer.")
    if decoded.finished and decoded.events:
        return "ok", None
    if decoded.finished:
        return "failed", ProviderError("empty_output", "The model answered without any token.")
    return _unfinished(capture, decoded)


def _unfinished(capture: Capture, decoded: Decoded) -> tuple[Outcome, ProviderError]:
    """A stream that ended before it said so: incomplete when some of it was seen."""
    kind, message = "stream_broken", "The stream broke off before the answer ended."
    if capture.ended == "timeout":
        kind, message = "timeout", late_sentence(capture, begun=bool(decoded.events))
    elif capture.ended == "oversize":
        message = OVERSIZE
    elif capture.ended == "complete" and not decoded.events:
        kind, message = "empty_output", "The model answered without any token."
    elif capture.ended == "complete":
        message = "The stream ended without saying that it was done."
    return ("incomplete" if decoded.events else "failed"), ProviderError(kind, message)


@dataclass(frozen=True, slots=True)
class _Times:
    first_ms: float | None = None
    answer_ms: float | None = None
    last_ms: float | None = None

    @property
    def generation_ms(self) -> float | None:
        if self.first_ms is None or self.last_ms is None:
            return None
        return self.last_ms - self.first_ms


def _times(capture: Capture, events: Sequence[TokenEvent]) -> _Times:
    if not events:
        return _Times()
    answer = next((event.at_ns for event in events if event.part != "reasoning"), None)
    return _Times(
        first_ms=(events[0].at_ns - capture.sent_ns) / 1e6,
        answer_ms=None if answer is None else (answer - capture.sent_ns) / 1e6,
        last_ms=(events[-1].at_ns - capture.sent_ns) / 1e6,
    )


def counted_otherwise(sample: Sample, tokenizer: Encoding) -> int | None:
    """The tokens that the model's own tokenizer finds in the answer, if they are not those the
    provider reported; None where they agree or cannot be compared."""
    told = sample.tokens
    whole = len(sample.text) < TEXT_CHARS and sample.finish_reason in ("stop", "length")
    if not (sample.ok and whole and told.source == "usage" and told.output is not None):
        return None
    said = told.output - (told.reasoning or 0)
    found = count_tokens(sample.text, tokenizer)
    return found if abs(found - said) > max(COUNTS_DIFFER * said, UNSEEN_TOKENS) else None


def _believed(decoded: Decoded) -> Usage:
    """The usage without zeros that cannot be: no prompt is empty, and neither is an answer of
    which tokens were seen. A server that does not count reports them."""
    usage = decoded.usage
    output = None if usage.output == 0 and decoded.events else usage.output
    return replace(usage, input=usage.input or None, output=output)


def _tokens(
    decoded: Decoded, prompt_text: str, tokenizer: Encoding | None, *, complete: bool
) -> Tokens:
    """Provider usage first, then the model's own tokenizer, then an estimate by tiktoken; a
    count that nobody reported is marked as such by `source`, and a stream that broke off has
    no invented total."""
    usage = _believed(decoded)
    if usage.output is not None:
        return Tokens(
            usage.input,
            usage.output,
            usage.reasoning,
            usage.cached,
            "usage",
            cache_write=usage.cache_write,
            cache_write_1h=usage.cache_write_1h,
        )
    if not complete or not decoded.events:
        return Tokens(usage.input, source="none" if usage.input is None else "usage")
    written = decoded.text + decoded.reasoning
    written += "".join(call["name"] + call["arguments"] for call in decoded.tool_calls)
    encoding = tokenizer or ESTIMATE
    return Tokens(
        input=count_tokens(prompt_text, encoding) if usage.input is None else usage.input,
        output=count_tokens(written, encoding),
        reasoning=count_tokens(decoded.reasoning, encoding) if decoded.reasoning else None,
        source="tokenizer" if tokenizer else "estimate",
    )


def _streamed(tokens: Tokens, decoded: Decoded) -> int | None:
    """Output tokens that could be seen arriving: reasoning that a provider bills but does
    not stream was over before the first token and would inflate every rate."""
    if tokens.output is None or decoded.reasoning or not tokens.reasoning:
        return tokens.output
    return max(0, tokens.output - tokens.reasoning)


def _arrivals(
    events: Sequence[TokenEvent], sent_ns: int, output: int | None
) -> tuple[Arrivals, bool]:
    """Token events as offsets from `t_send`, with the tokens each carried.

    Exact counts come from usage in every chunk, or when there are as many events as
    tokens. Otherwise the known total is shared out, evenly or by characters, and the sample is
    `bundled`. (A total one above the events is the unseen end-of-text token, unless a tool
    was called: its name is one event and mostly several tokens.)
    """
    times = array("q", [event.at_ns - sent_ns for event in events])
    if all(event.tokens is not None for event in events):
        return Arrivals(times, array("I", [event.tokens or 0 for event in events])), False
    unseen = 0 if any(event.part == "tool" for event in events) else 1
    if output is None or output <= len(events) + unseen:
        return Arrivals(times, array("I", [1]) * len(times)), False
    chars = [event.chars for event in events]
    shares = _even_shares(output, chars) or _share_out(output, chars)
    return Arrivals(times, array("I", shares)), True


def _even_shares(total: int, chars: Sequence[int]) -> list[int] | None:
    """Shares of servers that send every k tokens: k in each event and the rest in the last.
    None when the total is none of such a server, or the first event is too short for k."""
    count = len(chars)
    for unseen in (0, 1):  # the end-of-text token may be counted
        each = -(-(total - unseen) // count)
        last = total - unseen - each * (count - 1)
        if each > 1 and last > 0 and 2 * chars[0] * count > sum(chars):
            return [each] * (count - 1) + [last + unseen]
    return None


def _share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Whole shares of `total` in proportion to `weights`, at least 1 each, adding up to it."""
    heavy, out, given, seen = sum(weights), [], 0, 0
    for later, weight in zip(range(len(weights) - 1, -1, -1), weights, strict=True):
        seen += weight
        due = min(max(round(total * seen / heavy), given + 1), total - later)
        out.append(due - given)
        given = due
    return out


def _with_rates(sample: Sample, times: _Times, streamed: int | None) -> Sample:
    """Rates of an ok sample; None where the definition has no value. `streamed` output
    tokens arrived from the first to the last event; those of the first read took no
    generation time that was seen, so they are left out of the rate (all but in bundles
    that is one token: the definition's N - 1)."""
    generation_ms, rates = times.generation_ms, {}
    began_ns = sample.arrivals[0].at_ns
    first = [a.tokens for a in takewhile(lambda a: a.at_ns == began_ns, sample.arrivals)]
    later = (streamed or 0) - max(1, sum(first))
    if later > 0 and generation_ms:
        rates["tpot_ms"] = generation_ms / later
        rates["output_tps"] = 1000.0 * later / generation_ms
        if sample.bundled:
            # Each event holds at least one token; how many of the first read is what is asked.
            rates["tpot_low_ms"] = generation_ms / ((streamed or 0) - len(first))
            rates["tpot_high_ms"] = generation_ms / (len(sample.arrivals) - len(first))
    if sample.tokens.output and times.last_ms:
        rates["e2e_tps"] = 1000.0 * sample.tokens.output / times.last_ms
    if sample.tokens.source == "usage" and sample.tokens.input is not None and times.first_ms:
        uncached = sample.tokens.input - (sample.tokens.cached or 0)
        rates["input_tps"] = 1000.0 * uncached / times.first_ms
    return replace(sample, **rates)  # type: ignore[arg-type]
