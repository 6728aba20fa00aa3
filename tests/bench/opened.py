"""An open loop as `studio bench --rate` runs it, beside what the endpoint saw of it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.cancel import CancelToken
from engine.events import LevelDone, SampleDone, SampleFailed
from engine.samples import LevelClient, LevelKey, Sample
from engine.specs import BenchmarkSpec, LoadSpec
from engine.speed.levels import Arrivals
from engine.speed.load.runner import run_load
from engine.speed.load.work import nonce_of
from engine.speed.workload import Workload
from engine.targets import Target
from tests.bench.endpoints import Served, Truth

PROMPT = "Explain recursion."


@dataclass(frozen=True, slots=True)
class Pair:
    """A request: its place in the plan, the sample, and the endpoint's record."""

    number: int
    sample: Sample
    truth: Truth


def open_loop(
    endpoint: Served, arrivals: Arrivals, rate: float, requests: int, max_tokens: int, seed: int = 1
) -> tuple[list[Pair], LevelClient]:
    """Run it in this process; every request in the order of the plan."""
    target = Target("bench", "m", "openai/m", endpoint.base_url, "sk-bench", allow_private=True)
    load = LoadSpec(arrivals=arrivals, levels=(rate,), requests=requests)
    spec = BenchmarkSpec(
        targets=(target.ref,), prompt=PROMPT, max_tokens=max_tokens, seed=seed, load=load
    )
    workload = Workload(spec)
    nonces = workload.nonces(LevelKey("bench", "m", 0, f"r{rate:g}"))
    samples: list[Sample] = []
    client: LevelClient | None = None
    for event in run_load(spec, load, [target], cancel=CancelToken(), workload=workload):
        if isinstance(event, SampleDone | SampleFailed) and not event.sample.key.warmup:
            samples.append(event.sample)
        elif isinstance(event, LevelDone):
            client = event.client
    if client is None or not all(sample.ok for sample in samples):
        raise RuntimeError("the level did not go through")
    truth = {record.id: record for record in endpoint.truth()}
    samples.sort(key=lambda sample: sample.key.run)
    ids = [nonce_of(nonces, sample.key.run).decode() for sample in samples]
    return [Pair(s.key.run, s, truth[i]) for s, i in zip(samples, ids, strict=True)], client
