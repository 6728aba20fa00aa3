"""Samples, targets and results as the report tests need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.report import Result, results
from engine.samples import Arrival, Sample, SampleKey, Tokens
from engine.specs import BenchmarkSpec
from engine.targets import Target

MS = 1_000_000


def target(model: str = "fast", **fields: Any) -> Target:
    return Target(
        **{"provider": "demo", "model": model, "litellm_model": f"openai/{model}"}
        | {"provider_label": "Demo", "label": model}
        | fields
    )


def sample(model: str = "fast", run: int = 0, **fields: Any) -> Sample:
    """An ok sample: 100 ms to the first token, 10 tokens 10 ms apart, open for 200 ms."""
    key = SampleKey(
        fields.pop("provider", "demo"),
        model,
        fields.pop("context_tokens", 0),
        run,
        fields.pop("warmup", False),
    )
    measured: dict[str, Any] = {
        "outcome": "ok",
        "started_at": 1_000.0 + run,
        "ttft_ms": 100.0,
        "ttfa_ms": 100.0,
        "e2e_ms": 190.0,
        "total_ms": 200.0,
        "tpot_ms": 10.0,
        "output_tps": 100.0,
        "e2e_tps": 52.6,
        "input_tps": 80.0,
        "tokens": Tokens(8, 10, 0, 0, "usage"),
        "cost_usd": 0.001,
        "clock": "kernel",
        "finish_reason": "stop",
        "arrivals": tuple(Arrival((100 + 10 * i) * MS, 1) for i in range(10)),
    }
    return Sample(key=key, **(measured | fields))


def failed(model: str = "fast", run: int = 0, **fields: Any) -> Sample:
    key = SampleKey(
        "demo", model, fields.pop("context_tokens", 0), run, fields.pop("warmup", False)
    )
    wrong = {"outcome": "failed", "error": "server", "message": "The server answered 500."}
    return Sample(key=key, **(wrong | fields))


def spec_for(targets: Sequence[Target], **fields: Any) -> BenchmarkSpec:
    return BenchmarkSpec(targets=tuple(item.ref for item in targets), **fields)


def report(
    samples: Sequence[Sample], targets: Sequence[Target] | None = None, **spec: Any
) -> list[Result]:
    models = dict.fromkeys(item.key.model for item in samples)
    chosen = targets or [target(model) for model in models]
    return results(samples, chosen, spec_for(chosen, **spec))


def at_speed(
    model: str, speeds: Sequence[float], ttfts: Sequence[float] = (), **fields: Any
) -> list[Sample]:
    """Samples of one model with these output speeds and first-token times."""
    firsts = ttfts or [100.0 + i for i in range(len(speeds))]
    pairs = zip(speeds, firsts, strict=True)
    return [
        sample(model, run, output_tps=speed, ttft_ms=first, **fields)
        for run, (speed, first) in enumerate(pairs)
    ]
