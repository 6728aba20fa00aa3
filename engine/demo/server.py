"""The demo provider's server: accepts connections and finds what answers a request."""

from __future__ import annotations

import asyncio
import resource
import socket

from engine.demo import mcp
from engine.demo.catalog import catalog
from engine.demo.chat import Refused
from engine.demo.connection import Connection, Request
from engine.demo.exchange import Exchange, World, check_key
from engine.demo.formats import Format
from engine.demo.formats.anthropic import ANTHROPIC
from engine.demo.formats.gemini import GEMINI
from engine.demo.formats.openai import OPENAI
from engine.demo.pacer import Pacer
from engine.demo.respond import respond
from engine.demo.truth import TruthLog

# The first one that takes a request answers it; OpenAI's way is the last resort.
FORMATS: tuple[Format, ...] = (ANTHROPIC, GEMINI, OPENAI)
_HEALTH = "/health"
_BACKLOG = 4096
_ACCEPTS_A_TURN = 64
_RETRY_ACCEPT_S = 0.1


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. OSError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener


def raise_file_limit() -> None:
    """Allow as many open connections as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Provider:
    """Serves the connections of a listening socket until `close`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        log: TruthLog,
        seed: int,
    ) -> None:
        self._loop, self._listener = loop, listener
        self._world = World(catalog(), Pacer(loop), log, seed)
        loop.add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening and pacing; what is being answered stops where it is."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        self._world.pacer.close()

    def answer(self, request: Request, connection: Connection) -> None:
        """See `connection.Application`."""
        if request.path == mcp.PATH and request.problem is None:
            mcp.answer(request, connection)
            return
        chat = next((wire for wire in FORMATS if wire.serves(request.path)), None)
        listing = next((w for w in FORMATS if w.lists(request.path, request.headers)), None)
        try:
            _check(request, chat, listing)
            if chat is not None:
                Exchange(self._world, chat, request, connection).run()
            else:
                respond(connection, request, 200, self._page(request, listing))
        except Refused as refused:
            headers = {"allow": refused.param} if refused.status == 405 and refused.param else {}
            body = (chat or listing or OPENAI).refusal(refused)
            respond(connection, request, refused.status, body, headers=headers)

    def _page(self, request: Request, listing: Format | None) -> bytes:
        if listing is None:
            return b'{"status":"ok"}'
        check_key(listing.key(request.headers, request.target))
        return listing.models(list(self._world.catalog.models.values()))

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, _address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # no file descriptor left: let some connections end first
                self._loop.remove_reader(self._listener.fileno())
                self._loop.call_later(_RETRY_ACCEPT_S, self._resume)
                return
            Connection(self._loop, sock, self)

    def _resume(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)


def _check(request: Request, chat: Format | None, listing: Format | None) -> None:
    if request.problem is not None:
        status, sentence = request.problem
        raise Refused(status, "bad_request", sentence)
    if chat is None and listing is None and request.path != _HEALTH:
        raise Refused(404, "not_found", f"The demo provider has no page {request.path}.")
    allowed = "GET" if chat is None else "POST"
    if request.method != allowed:
        sentence = f"{request.path} answers to {allowed}, not to {request.method}."
        raise Refused(405, "method_not_allowed", sentence, allowed)
