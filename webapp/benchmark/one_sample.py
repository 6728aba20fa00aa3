"""The page of one request."""

from __future__ import annotations

from typing import Any

from peewee import fn

from engine.report import numbers
from engine.samples import Sample
from jobs.store import load_samples, load_targets
from webapp.benchmark import words
from webapp.benchmark.report import level_words
from webapp.benchmark.timeline import Timeline, timeline
from webapp.models import Run, SampleRow

Fact = tuple[str, str, str]
SOURCES = {
    "usage": "the provider's",
    "tokenizer": "its tokenizer's",
    "estimate": "estimated",
    "chunks": "one a chunk, estimated",
    "none": "none",
}


def one_sample(run: Run, sample_id: int) -> dict[str, Any]:
    """What the template needs of the request in row `sample_id`."""
    (sample,) = load_samples(run, only=[sample_id])
    line = timeline(sample)
    row_id: Any = SampleRow.id
    mine = SampleRow.run == run.id
    return {
        "sample": sample,
        "title": _title(sample),
        "subtitle": _subtitle(run, sample),
        "line": line,
        "line_label": _label(sample, line) if line else "",
        "facts": _facts(sample),
        "error_words": words.ERRORS,
        "before": SampleRow.select(fn.MAX(row_id)).where(mine, row_id < sample_id).scalar(),
        "after": SampleRow.select(fn.MIN(row_id)).where(mine, row_id > sample_id).scalar(),
    }


def _title(sample: Sample) -> str:
    number = numbers.count(sample.key.run + 1)
    return f"Warm-up {number}" if sample.key.warmup else f"Request {number}"


def _subtitle(run: Run, sample: Sample) -> str:
    key = sample.key
    labels = {(t.provider, t.model): t.label or t.model for t in load_targets(run)}
    parts = [run.name, labels.get((key.provider, key.model), key.model)]
    if key.level:
        parts.append(level_words(key.level))
    if key.context_tokens:
        parts.append(f"{numbers.tier(key.context_tokens)} of context")
    return " · ".join(parts)


def _label(sample: Sample, line: Timeline) -> str:
    first = f"First token after {numbers.ms(sample.arrivals[0].at_ns / 1e6)} ms"
    if not line.gaps.n:
        return f"{first}; nothing came after it."
    longest, event = line.longest[0], numbers.count(line.longest[0].event)
    stalls = f", {words.plural(line.stalls, 'stall')}" if line.stalls else ""
    return (
        f"{first}, then {words.plural(line.gaps.n, 'gap')}: median {numbers.ms(line.gaps.p50)} ms, "
        f"longest {numbers.ms(longest.gap_ms)} ms before event {event}{stalls}."
    )


def _facts(sample: Sample) -> list[Fact]:
    tokens = sample.tokens
    return [
        ("First token", numbers.ms(sample.ttft_ms), "ms"),
        ("First token of the answer", numbers.ms(sample.ttfa_ms), "ms"),
        ("Whole answer", numbers.ms(sample.e2e_ms), "ms"),
        ("End of the stream", numbers.ms(sample.total_ms), "ms"),
        ("Output speed", numbers.tps(sample.output_tps), "tokens/s"),
        ("With the first token", numbers.tps(sample.e2e_tps), "tokens/s"),
        ("Each token", *_tpot(sample)),
        ("Input speed, estimated", numbers.tps(sample.input_tps), "tokens/s"),
        *([("Sent later than due", numbers.ms(sample.delay_ms), "ms"),
           ("First token after it was due", numbers.ms(sample.scheduled_ttft_ms), "ms")]
          if sample.delay_ms is not None else []),
        ("Opening the connection", numbers.ms(sample.connect_ms), "ms"),
        ("TLS", numbers.ms(sample.tls_ms), "ms"),
        ("Tokens in", numbers.count(tokens.input), ""),
        ("Tokens in, cached", numbers.count(tokens.cached), ""),
        ("Tokens out", numbers.count(tokens.output), ""),
        ("Tokens out, reasoning", numbers.count(tokens.reasoning), ""),
        ("Token counts", SOURCES.get(tokens.source, tokens.source), ""),
        ("Cost", numbers.usd(sample.cost_usd), ""),
        ("Ended with", sample.finish_reason or numbers.NONE, ""),
        ("Clock", sample.clock, ""),
    ]  # fmt: skip


def _tpot(sample: Sample) -> tuple[str, str]:
    if sample.bundled and sample.tpot_low_ms is not None and sample.tpot_high_ms is not None:
        span = numbers.span(sample.tpot_low_ms, sample.tpot_high_ms, show=numbers.ms)
        return span, "ms, bundled"
    return numbers.ms(sample.tpot_ms), "ms"
