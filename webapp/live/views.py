"""The one WebSocket of a page: /live?topic=run:17. The bell comes with every topic."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from webapp.access import me, own_or_404
from webapp.db import database
from webapp.extensions import sock
from webapp.live import topics
from webapp.live.hub import hub
from webapp.live.socket import WebSocket, serve

bp = Blueprint("live", __name__)
BELL = topics.Topic("jobs")


@bp.before_request
def _check() -> ResponseReturnValue | None:
    """Refuse before the handshake, with a status: a stranger, another site's page, and a
    topic that is not there or not theirs."""
    origin = urlsplit(request.headers.get("Origin", ""))
    if origin.netloc != request.host:
        abort(403)
    for wanted in _wanted():
        if (table := topics.table_of(wanted)) is not None:
            own_or_404(table, wanted.row_id)
    return None


@sock.route("/live", bp=bp)
def socket(ws: WebSocket) -> None:
    """Speak until the browser leaves; the request's own database connection is given back
    first, since a page may stay open all day."""
    session_key = me().get_id()
    database.close()
    serve(ws, session_key, _wanted(), hub)


def _wanted() -> tuple[topics.Topic, ...]:
    text = request.args.get("topic", "")
    if not text:
        return (BELL,)
    return (topics.parse(text) or abort(404), BELL)
