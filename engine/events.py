"""What the engine says while it works. Consumers: job runner, command line, tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.samples import LevelClient, LevelKey, Sample, SampleKey
from engine.specs import TargetRef
from engine.tools.trials import Trial, TrialKey


@dataclass(frozen=True, slots=True)
class Started:
    """`total` is the number of samples (warm-ups included) or trials to take, resumed ones
    included."""

    total: int
    environment: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleStarted:
    """A request is about to be sent; drives "now measuring" on screen, stored nowhere."""

    key: SampleKey


@dataclass(frozen=True, slots=True)
class SampleDone:
    """A sample with outcome "ok"."""

    sample: Sample


@dataclass(frozen=True, slots=True)
class SampleFailed:
    """A sample with outcome "failed" or "incomplete"."""

    sample: Sample


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know, in one sentence (a skipped tier, a lost target).

    `code` is a stable word for machines: tier_skipped, target_left_out, no_usage, bundled,
    saturated, no_fixed_output, budget_unpriced, budget_reached, counts_differ,
    tool_choice_auto, tool_choice_ignored, renamed, no_call_required.
    `dropped` is the number of planned samples or trials that will not be taken because of it.
    """

    code: str
    text: str
    target: TargetRef | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class LevelDone:
    """All samples of a load level were told; `client` is what the generator says of itself."""

    where: LevelKey
    client: LevelClient


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """The first request of a trial is about to be sent; stored nowhere."""

    key: TrialKey


@dataclass(frozen=True, slots=True)
class CaseScored:
    """A trial has ended, whatever its outcome."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event. `reason` says why work stopped: complete, cancelled, deadline, or the
    budget was spent."""

    reason: Literal["complete", "cancelled", "deadline", "budget"]


Event = (
    Started
    | SampleStarted
    | SampleDone
    | SampleFailed
    | Notice
    | LevelDone
    | TrialStarted
    | CaseScored
    | Finished
)
