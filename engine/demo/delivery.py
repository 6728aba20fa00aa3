"""How one answer leaves: as a stream of events or whole, plain or changed by its script."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from engine.demo import pace, timeline
from engine.demo.catalog import Model, Script
from engine.demo.chat import Answer
from engine.demo.connection import Request
from engine.demo.formats import Encoder
from engine.demo.respond import JSON, head
from engine.demo.timeline import Write


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer with all that decides its bytes and moments. `rng` goes on to draw gaps."""

    answer: Answer
    encoder: Encoder
    model: Model
    script: Script
    rng: Random
    first_ns: int
    usage_sent: bool

    def writes(
        self, request: Request, headers: Mapping[str, str], content_type: str | None
    ) -> Iterator[Write]:
        """The bytes of the whole response; `content_type` None means not as a stream."""
        if self.script.gzip:
            headers = {**headers, "content-encoding": "gzip"}
        if content_type is None:
            return self._whole(request, headers)
        start = head(request, 200, content_type, headers=headers)
        return self._streamed(start, chunked=request.chunked_ok)

    def _streamed(self, start: bytes, *, chunked: bool) -> Iterator[Write]:
        stream = timeline.writes(
            self.answer,
            self.encoder,
            self.script,
            first_ns=self.first_ns,
            gaps_ns=pace.gaps_ns(self.model, self.rng),
            usage_sent=self.usage_sent,
            rng=self.rng,
        )
        if self.script.gzip:
            stream = timeline.zipped(stream)
        stream = timeline.framed(stream, start, chunked=chunked)
        if self.script.recut == "utf8":
            return timeline.recut(stream, timeline.cut_in_character)
        if self.script.recut == "anywhere":
            return timeline.recut(stream, timeline.cut_anywhere(self.rng))
        return stream

    def _whole(self, request: Request, headers: Mapping[str, str]) -> Iterator[Write]:
        script, answer = self.script, self.answer
        body = self.encoder.whole(answer.usage if self.usage_sent else None)
        if script.malformed_after is not None:
            body = body[: len(body) // 2]
        if script.gzip:
            body = gzip.compress(body, mtime=0)
        start = head(request, 200, JSON, length=len(body), headers=headers)
        at = timeline.duration_ns(answer, self.first_ns, pace.gaps_ns(self.model, self.rng))
        if script.ending == "done":
            yield Write(at, start + body, answer.usage.output, closing=True)
        else:
            yield Write(at // 2, start + body[: len(body) // 2])
