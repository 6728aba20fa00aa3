"""Benchmarks of the demo server, as Alice would submit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.demo.process import DemoServer
from engine.specs import BenchmarkSpec, TargetRef
from jobs import submit
from webapp.models import Job, ModelEntry, Provider, Run, User

FAST = "fast-small"
Start = Callable[..., tuple[Job, Run]]


@pytest.fixture
def start(alice: User, demo: DemoServer) -> Start:
    """Submit a benchmark of Alice's own providers, which are all the demo server."""

    def begin(*models: str, **spec: Any) -> tuple[Job, Run]:
        refs = []
        for name in models:
            key, _, model = name.rpartition("/")
            refs.append(own(alice, key or "lab", model, demo.base_url))
        asked = {"runs": 2, "warmup": 0, "max_tokens": 4, "timeout_s": 20, **spec}
        parsed = BenchmarkSpec(targets=tuple(refs), **asked)
        run = Run(user=alice, name="Test run", spec=parsed.model_dump(mode="json"))
        job = submit.submit(alice, "benchmark", parsed, title=run.name, fills=run)
        return job, run

    return begin


def own(user: User, key: str, model: str, address: str) -> TargetRef:
    """A model of the user's own at an address."""
    row = {"display_name": key.title(), "model_id_prefix": "openai/", "api_base": address}
    provider = user.providers.where(Provider.key == key).first()
    provider = provider or Provider.create(user=user, key=key, **row)
    ModelEntry.create(provider=provider, model_id=model, display_name=model, context_window=4_096)
    return TargetRef(provider=key, model=model)
