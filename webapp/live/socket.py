"""What one socket says: the present state first, then whatever became different."""

from __future__ import annotations

import logging
import socket as network
import struct
import time
from typing import Protocol

from simple_websocket import ConnectionClosed

from webapp import db
from webapp.access import user_of
from webapp.live.hub import Hub, Shown, Subscriber
from webapp.live.topics import Topic, fragments_of

log = logging.getLogger(__name__)

# At most four times a second for one fragment.
PAUSE_S = 0.25
# A page is rendered for at most a fifth of the time, whatever it costs.
RENDER_SHARE = 4
LONGEST_PAUSE_S = 2.0
# A browser that takes nothing for so long is gone; its thread is needed.
SEND_TIMEOUT_S = 20
SIGNED_OUT, TRY_AGAIN = 1008, 1013


class WebSocket(Protocol):
    """What is used of simple_websocket's server side."""

    connected: bool
    sock: network.socket

    def send(self, data: str) -> None: ...

    def close(self, reason: int, message: str | None = None) -> None: ...


def serve(ws: WebSocket, session_key: str, wanted: tuple[Topic, ...], hub: Hub) -> None:
    """Send the fragments of `wanted` to `ws` until it closes or its session ends.

    The rendering happens with a database connection of its own; between two changes the
    socket holds none.
    """
    limit = struct.pack("ll", SEND_TIMEOUT_S, 0)
    ws.sock.setsockopt(network.SOL_SOCKET, network.SO_SNDTIMEO, limit)
    subscriber = Subscriber(lambda: ws.connected, Shown(session_key, wanted))
    hub.join(subscriber)
    try:
        _talk(ws, hub, subscriber)
    except (ConnectionClosed, OSError):
        pass  # the browser went away
    except Exception:
        log.exception("live page %s failed", wanted)
        ws.close(TRY_AGAIN)
    finally:
        hub.leave(subscriber)


def _talk(ws: WebSocket, hub: Hub, subscriber: Subscriber) -> None:
    sent: dict[str, int] = {}
    while ws.connected:
        began = time.monotonic()
        fragments = hub.render(subscriber, lambda: _render(subscriber.shown))
        if fragments is None:
            ws.close(SIGNED_OUT, "This session has ended.")
            return
        told = _send_changed(ws, fragments, sent)
        time.sleep(_pause_s(told, time.monotonic() - began))
        subscriber.wait()


def _pause_s(told: bool, took_s: float) -> float:
    """How long a socket rests after it looked, in seconds: four fragments a second are
    enough to see, and a page that is dear to render must not fill the processor."""
    return min(max(PAUSE_S if told else 0.0, took_s * RENDER_SHARE), LONGEST_PAUSE_S)


def _send_changed(ws: WebSocket, fragments: dict[str, str], sent: dict[str, int]) -> bool:
    """One fragment a message: the htmx extension drops a table row that follows another
    element. True when something was sent."""
    changed = {name: html for name, html in fragments.items() if sent.get(name) != hash(html)}
    for name, html in changed.items():
        ws.send(html)
        sent[name] = hash(html)
    return bool(changed)


def _render(shown: Shown) -> dict[str, str] | None:
    """All fragments of a page now; None when the session is over."""
    with db.connection():
        user = user_of(shown.session_key)
        if user is None:
            return None
        parts = (fragments_of(user, topic) for topic in shown.topics)
        return {name: html for part in parts if part for name, html in part.items()}
