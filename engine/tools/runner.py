"""Runs an evaluation: spec, suite and targets in, events out.

Providers run in parallel, each in a lane with `concurrency` requests open at once. Sockets
are read by one event loop in a thread of its own, timed as a benchmark times them; preparing,
decoding and scoring happen in others, and the consumer in the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

from engine.cancel import CancelToken
from engine.environment import describe_environment
from engine.events import Event, Finished, Notice, Started
from engine.loop import Emit, events_of
from engine.specs import ToolEvalSpec
from engine.targets import Target
from engine.tools.chain_scoring import TrialScorer
from engine.tools.lane import Lane, World
from engine.tools.matchers import Similarity
from engine.tools.plan import cases_of, check_scorable, plan_trials
from engine.tools.suites import Suite
from engine.tools.trials import TrialKey


def run_tool_eval(
    spec: ToolEvalSpec,
    suite: Suite,
    targets: Sequence[Target],
    *,
    cancel: CancelToken,
    stored: frozenset[TrialKey] = frozenset(),
    similarity: Similarity | None = None,
) -> Iterator[Event]:
    """Try every planned trial that is not in `stored`, and yield what happens.

    The first event is `Started`, the last `Finished`. What a provider does wrong becomes a
    trial with an infrastructure error, never an exception. Closing the iterator cancels.
    `similarity` is asked by semantic matchers, in a worker thread. Raises CannotRun.
    """
    check_scorable(spec, suite, similarity=similarity is not None)
    lanes = plan_trials(spec, suite, targets)
    yield Started(sum(map(len, lanes.values())), describe_environment())
    yield from _notices(spec, suite)
    rest = {name: [key for key in keys if key not in stored] for name, keys in lanes.items()}
    scorer = TrialScorer(spec, suite, similarity)

    async def work(cpu: Executor, emit: Emit) -> None:
        await _run_lanes(World(spec, suite, cancel, cpu, scorer, emit), targets, rest)

    yield from events_of(work, cancel)
    reason = cancel.reason
    yield Finished("cancelled" if reason == "cancelled" else "deadline" if reason else "complete")


def _notices(spec: ToolEvalSpec, suite: Suite) -> Iterator[Notice]:
    silent = sum(case.expect.kind == "none" for case in cases_of(spec, suite))
    if silent and spec.tool_choice == "required":
        text = (
            f"{silent} {'case expects' if silent == 1 else 'cases expect'} no call, and tool "
            "choice “required” forces one: they cannot pass. Choose “auto” to fix it."
        )
        yield Notice("no_call_required", text)


async def _run_lanes(
    world: World, targets: Sequence[Target], rest: dict[str, list[TrialKey]]
) -> None:
    async with asyncio.TaskGroup() as group:
        for provider, keys in rest.items():
            own = [target for target in targets if target.provider == provider]
            group.create_task(Lane(world, own).run(keys))
