"""One chat request from its bytes to its answer: checks, faults, queue, then the stream."""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Any

from engine.demo import pace
from engine.demo.answers import PrefixCache, compose, read_input
from engine.demo.catalog import PLAIN, Catalog, Model, Script
from engine.demo.chat import ChatRequest, Refused, dice
from engine.demo.connection import Connection, Request
from engine.demo.delivery import Delivery
from engine.demo.formats import Format
from engine.demo.memory import look_up
from engine.demo.pacer import Pacer
from engine.demo.respond import HTML, JSON, respond
from engine.demo.stream import Stream
from engine.demo.timeline import SERVER_FAILED
from engine.demo.truth import Record, TruthLog

_PAGE = b"<!doctype html><title>Gateway</title><p>The demo gateway is being serviced.</p>"
_SCRIPTED = {
    401: Refused(401, "invalid_api_key", "This API key is not valid for the demo provider."),
    429: Refused(429, "rate_limit_exceeded", "Too many requests: wait as Retry-After says."),
    500: SERVER_FAILED,
}
_REMEMBERED = 100_000


class Seen:
    """Counts how often something was seen; the oldest are forgotten."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Hashable, int] = OrderedDict()

    def before(self, key: Hashable) -> int:
        """How often `key` was seen before this time."""
        count = self._counts.pop(key, 0)
        self._counts[key] = count + 1
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count


@dataclass(slots=True)
class World:
    """What all exchanges share: the catalog, the clock, the log and what was seen before."""

    catalog: Catalog
    pacer: Pacer
    log: TruthLog
    seed: int
    cache: PrefixCache = field(default_factory=PrefixCache)
    slots: dict[str, pace.Slots] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    # Ids stay unique over restarts, so that logs can be joined.
    start: str = field(default_factory=lambda: os.urandom(4).hex())
    requests: int = 0

    def next_number(self) -> str:
        self.requests += 1
        return f"{self.start}{self.requests:08x}"


def check_key(key: str) -> None:
    """Refused(401) for a key that starts with "wrong"; any other key, or none, is fine."""
    if key.startswith("wrong"):
        raise _SCRIPTED[401]


class Exchange:
    """Answers one chat request and writes its truth record."""

    def __init__(
        self, world: World, wire: Format, request: Request, connection: Connection
    ) -> None:
        self._world, self._format = world, wire
        self._request, self._connection = request, connection
        self._record = Record(wire.new_id(world.next_number()), received_ns=request.received_ns)
        self._headers = {"x-request-id": self._record.id}
        self._slots: pace.Slots | None = None
        self._stream: Stream | None = None
        self._queued = False
        self._fault_played: str | None = None

    def run(self) -> None:
        """Answer now, or start what will."""
        try:
            key = self._format.key(self._request.headers, self._request.target)
            check_key(key)
            chat = self._format.read(self._request.target, _parsed(self._request.body))
            self._play(chat, key)
        except Refused as refused:
            self._refuse(refused)
        except RecursionError:
            self._refuse(Refused(400, "invalid_json", "The body is nested too deeply."))

    def _play(self, chat: ChatRequest, key: str) -> None:
        found = self._world.catalog.find(chat.model)
        if found is None:
            sentence = f"The demo provider has no model {chat.model!r}: see GET /v1/models."
            raise Refused(404, "model_not_found", sentence, "model")
        model, script = found
        digest = blake2b(self._request.body, digest_size=16).digest()
        ordinal = self._world.seen.before(digest)
        rng = dice(self._world.seed, digest, ordinal)
        script = self._fault(model, rng) or script
        if script.every_other and self._world.seen.before((key, chat.model)) % 2:
            script = PLAIN
        record = self._record
        record.model, record.script, record.ordinal = chat.model, script.id, ordinal
        if script.status != 200 or script.page or (script.ending == "error" and not chat.stream):
            self._without_model(script)
        elif script.ending == "hang" and script.ending_after == 0:
            self._connection.on_lost = lambda: self._over("hang")
        else:
            self._generate(chat, model, script, ordinal, rng)

    def _fault(self, model: Model, rng: Random) -> Script | None:
        drawn = rng.random()
        for name, share in model.faults.items():
            drawn -= share
            if drawn < 0:
                return self._world.catalog.scripts[name]
        return None

    def _without_model(self, script: Script) -> None:
        refused = _SCRIPTED.get(script.status, SERVER_FAILED)
        if script.page is None:
            if script.retry_after_s is not None:
                self._headers["retry-after"] = str(script.retry_after_s)
            raise refused
        self._record.status = 200
        self._over(script.page)
        page = (_PAGE, HTML) if script.page == "html" else (self._format.refusal(refused), JSON)
        respond(self._connection, self._request, 200, *page, headers=self._headers)

    def _generate(
        self, chat: ChatRequest, model: Model, script: Script, ordinal: int, rng: Random
    ) -> None:
        world, record = self._world, self._record
        usage = read_input(chat, model, world.cache)
        memory = look_up(chat, model)
        answer, tried = compose(
            chat,
            model,
            script,
            usage,
            answer_id=record.id,
            seed=world.seed,
            ordinal=ordinal,
            said=memory.said if memory else "",
        )
        record.recalled = memory.found if memory else None
        record.input, record.output, record.reasoning, record.cached = answer.usage[:4]
        record.tool, record.mistake, record.status = tried.tool, tried.mistake, 200
        delivery = Delivery(
            answer,
            self._format.encoder(answer, chat),
            model,
            script,
            rng,
            first_ns=pace.first_token_ns(model, usage.input - usage.cached, rng),
            usage_sent=model.usage and _wants_usage(script, chat),
        )
        writes = delivery.writes(
            self._request, self._headers, self._format.content_type if chat.stream else None
        )
        self._fault_played = script.id if script.spoils else None
        hangs = script.ending == "hang"
        self._stream = Stream(
            self._connection, world.pacer, writes, record, self._over, hangs=hangs
        )
        self._connection.on_lost = lambda: self._over("client left")
        self._slots = world.slots.setdefault(model.id, pace.Slots(model.capacity))
        record.start_ns = record.received_ns
        if not self._slots.take(self._start):
            self._queued = True

    def _start(self) -> None:
        if self._queued:
            self._record.start_ns = time.monotonic_ns()
        if self._stream is not None:
            self._stream.start()

    def _refuse(self, refused: Refused) -> None:
        self._record.status = refused.status
        self._over(refused.code)
        body = self._format.refusal(refused)
        respond(self._connection, self._request, refused.status, body, headers=self._headers)

    def _over(self, error: str | None) -> None:
        """The request has ended: log it, and let the next one in."""
        self._record.end_ns = time.monotonic_ns()
        self._record.error = error or self._fault_played
        self._world.log.write(self._record)
        if self._slots is not None:
            self._slots.leave(self._start)


def _wants_usage(script: Script, chat: ChatRequest) -> bool:
    return script.usage == "every" or (script.usage == "asked" and chat.usage_asked)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise Refused(400, "invalid_json", f"The body is not valid JSON: {error}.") from error
    if not isinstance(data, dict):
        raise Refused(400, "invalid_json", "The body must be a JSON object.")
    return data
