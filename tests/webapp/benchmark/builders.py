"""Runs to look at: samples that agree with each other, seeded, stored like a worker does."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.pricing import cost_usd, price_of
from engine.samples import Arrival, LevelClient, LevelKey, Sample, SampleKey, Tokens
from engine.specs import BenchmarkSpec
from engine.speed.plan import make_plan
from engine.targets import Target
from jobs.store import describe_targets, store_samples
from webapp.models import Job, Run, User

MS = 1_000_000
# Streams that a loaded endpoint answers without letting them wait.
CAPACITY = 8


@dataclass(frozen=True)
class Character:
    """How a model behaves: tokens per second and milliseconds to the first token, each with
    its relative spread, and the share of requests that fail."""

    tps: float
    ttft_ms: float
    spread: float = 0.02
    failing: float = 0.0


TARGETS = (
    Target("demo", "fast-small", "openai/fast-small", label="fast-small",
           provider_label="Demo (simulated)", context_window=200_000, simulated=True,
           input_cost_per_mtok=0.15, output_cost_per_mtok=0.6),
    Target("demo", "slow-large", "openai/slow-large", label="slow-large",
           provider_label="Demo (simulated)", context_window=32_768, simulated=True,
           input_cost_per_mtok=3.0, output_cost_per_mtok=15.0),
    Target("demo", "jittery", "openai/jittery", label="jittery",
           provider_label="Demo (simulated)", context_window=131_072, simulated=True,
           input_cost_per_mtok=0.8, output_cost_per_mtok=3.2),
)  # fmt: skip
CHARACTERS = {
    "fast-small": Character(182, 118),
    "slow-large": Character(87, 408),
    "jittery": Character(121, 122, spread=0.12),
    "flaky": Character(90, 300, failing=0.4),
}


def spec_of(targets: Sequence[Target], **fields: Any) -> BenchmarkSpec:
    return BenchmarkSpec(
        targets=tuple(target.ref for target in targets), **{"runs": 10, "max_tokens": 512} | fields
    )


def sample(key: SampleKey, target: Target, rng: random.Random, tokens: int = 160) -> Sample:
    """One request as the engine would have measured it."""
    character = CHARACTERS.get(key.model, Character(100, 200))
    if rng.random() < character.failing:
        text = "The provider answered 500: internal error. Try again later."
        return Sample(key, "failed", error="server", message=text, total_ms=90.0)
    ttft_ms = max(20.0, rng.gauss(character.ttft_ms, character.ttft_ms * character.spread))
    ttft_ms += key.context_tokens / 40
    speed = character.tps / (1 + key.context_tokens / 100_000)
    gap_ms = 1000 / rng.gauss(speed, speed * character.spread)
    arrivals = tuple(Arrival(int((ttft_ms + i * gap_ms) * MS), 1) for i in range(tokens))
    e2e_ms = arrivals[-1].at_ns / MS
    asked = 30 + key.context_tokens
    price = price_of(target)
    return Sample(
        key,
        "ok",
        started_at=time.time(),
        ttft_ms=ttft_ms,
        ttfa_ms=ttft_ms,
        e2e_ms=e2e_ms,
        total_ms=e2e_ms + 2,
        tpot_ms=(e2e_ms - ttft_ms) / (tokens - 1),
        output_tps=(tokens - 1) / (e2e_ms - ttft_ms) * 1000,
        e2e_tps=tokens / e2e_ms * 1000,
        input_tps=asked / ttft_ms * 1000,
        tokens=Tokens(asked, tokens, source="usage"),
        cost_usd=cost_usd(Tokens(asked, tokens), price),
        clock="kernel",
        finish_reason="stop",
        text="Recursion is a function that calls itself.",
        arrivals=arrivals,
    )


def samples_of(spec: BenchmarkSpec, targets: Sequence[Target], seed: int = 1) -> list[Sample]:
    """Every sample of the plan, providers taking turns; levels of a load run one by one."""
    rng = random.Random(seed)
    if spec.load:
        return [*_loaded(spec, targets, rng)]
    known = {(target.provider, target.model): target for target in targets}
    lanes = [list(lane) for lane in make_plan(spec, targets).lanes.values()]
    turns = [lane[i] for i in range(max(map(len, lanes))) for lane in lanes if i < len(lane)]
    return [sample(key, known[key[:2]], rng) for key in turns]


def _loaded(spec: BenchmarkSpec, targets: Sequence[Target], rng: random.Random) -> Iterator[Sample]:
    """Answers come later as soon as there are more streams than the endpoint holds."""
    began = time.time() - 3_600
    for target in targets:
        for key in make_plan(spec, [target]).lanes[target.provider]:
            one = sample(key, target, rng, tokens=24)
            streams = float(key.level[1:] or 1)
            slower = max(1.0, streams / CAPACITY)
            if not one.ok or one.total_ms is None or one.ttft_ms is None:
                yield replace(one, started_at=began)
                continue
            lasts_s = one.total_ms * slower / 1e3
            yield replace(
                one,
                started_at=began + (key.run // streams) * lasts_s,
                delay_ms=0.1,
                ttft_ms=one.ttft_ms * slower,
                total_ms=lasts_s * 1e3,
                e2e_ms=lasts_s * 1e3 - 2,
            )


def stored_run(
    user: User,
    targets: Sequence[Target] = TARGETS,
    *,
    state: str = "done",
    done: int | None = None,
    seed: int = 1,
    name: str = "Recursion, three models",
    age_s: float = 0.0,
    job: dict[str, Any] | None = None,
    **fields: Any,
) -> Run:
    """A run with its job and the first `done` samples (default: all), as a worker leaves
    it. `fields` are the spec's."""
    spec = spec_of(targets, **fields)
    samples = samples_of(spec, targets, seed)
    kept = samples if done is None else samples[:done]
    began = time.time() - age_s - 108
    times: dict[str, Any] = {"created_at": began}
    if state != "queued":
        times |= {"started_at": began, "heartbeat_at": time.time()}
    if state not in ("queued", "running"):
        times["finished_at"] = began + 108
    columns: dict[str, Any] = {
        "total": len(samples) if state != "queued" else 0,
        "done": len(kept),
        "failed": sum(not item.ok for item in kept),
        **times,
        **(job or {}),
    }
    made = Job.create(
        user=user,
        kind="benchmark",
        spec=spec.model_dump(mode="json"),
        title=name,
        state=state,
        **columns,
    )
    run = Run.create(
        user=user,
        job=made,
        name=name,
        spec=made.spec,
        targets=describe_targets(targets),
        created_at=began,
        environment={"machine": "x86_64", "cpus": 2} if kept else {},
    )
    Job.update(subject=run.id).where(Job.id == made.id).execute()
    store_samples(run, kept)
    if spec.load:
        run.levels = [
            {"where": list(where), "client": asdict(CLIENT)} for where in _ended(samples, kept)
        ]
        run.save()
    return run


CLIENT = LevelClient(1, 0, 0, 0.5, 10.0, 0.05, 0.1, 0.2)


def _ended(samples: Sequence[Sample], kept: Sequence[Sample]) -> list[LevelKey]:
    """The levels all of whose samples are stored."""
    missing = {_level(item) for item in samples[len(kept) :]}
    return [level for level in dict.fromkeys(map(_level, kept)) if level.level
            and level not in missing]  # fmt: skip


def _level(item: Sample) -> LevelKey:
    key = item.key
    return LevelKey(key.provider, key.model, key.context_tokens, key.level)
