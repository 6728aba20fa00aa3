"""What a generator process is told to do, and what it reports. Everything here is plain
data that crosses a pipe."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from engine.llm.request import Endpoint
from engine.samples import Sample

# Stands in every prepared body where a request's own nonce goes: as long, so that no header
# changes, and looking alike, so that it is as many tokens.
NONCE = "e8a8529f035efa25"

# The word that ends a share early.
CANCEL = "cancel"


def nonce_of(seed: int, number: int) -> bytes:
    """What stands in NONCE's place in request `number` of a level: 16 hexadecimal digits."""
    return b"%016x" % (hash((seed, number)) & 0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Share:
    """One process's share of one load level.

    `bodies` are whole requests as bytes, with NONCE where each sending puts its own; the
    request with number i uses `bodies[i % len(bodies)]`. `numbers` are the request numbers
    of this share, in order. An open loop sends number i at `due_ns[i]` after the start
    (parallel to `numbers`); a closed loop (`due_ns` empty) keeps `slots` streams open, slot
    s from `starts_ns[s]` on. `duration_s` ends the sending, never a stream that is open.
    `estimates` says that tokens will have to be counted here, for want of usage. Of an answer
    the first `text_chars` characters are kept.
    """

    endpoint: Endpoint
    allow_private: bool
    bodies: tuple[bytes, ...] = field(repr=False)
    model: str
    secrets: tuple[str | None, ...] = field(repr=False)
    numbers: range
    slots: int
    most_streams: int
    timeout_s: float
    due_ns: array[int] = field(default_factory=lambda: array("q"))
    starts_ns: array[int] = field(default_factory=lambda: array("q"))
    duration_s: float | None = None
    seed: int = 1
    estimates: bool = False
    text_chars: int = 200


@dataclass(frozen=True, slots=True)
class Stream:
    """One finished request. `planned_ns` is when it was due and `sample.start_ns` when it was
    sent, both on the monotonic clock; `closed_ns` is the end of its response. `sample` comes
    without arrivals, which are packed in `arrivals` (`engine.samples.pack_arrivals`)."""

    number: int
    planned_ns: int
    closed_ns: int
    sample: Sample
    arrivals: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """Connections stand; the process waits for its start time."""

    pid: int
    connected: int
    file_limit: int


@dataclass(frozen=True, slots=True)
class Report:
    """A process's own honesty at the end of its share: CPU seconds from start to end, those
    for decoding among them, wall seconds, and how late it read what had arrived
    (nanoseconds, one entry a stream: the worst of its reads). Of its token `events` so many
    were `merged`: the read came so late that they had run together."""

    cpu_s: float
    decode_s: float
    wall_s: float
    lag_ns: array[int]
    unsent: int
    events: int = 0
    merged: int = 0


Message = Ready | Stream | Report
