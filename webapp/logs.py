"""Log lines: plain for people, one JSON object a line for machines (LOG_JSON)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from flask import g, has_request_context

from webapp.settings import Settings

PLAIN = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"
# Numbers of a request that the JSON line carries as fields of their own.
EXTRA = ("method", "path", "status", "duration_ms")


class JsonFormatter(logging.Formatter):
    """`{"at","level","logger","message","request_id"}`, `error` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        line |= {name: getattr(record, name) for name in EXTRA if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class RequestIdFilter(logging.Filter):
    """Gives every line the id of the request it was written in, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        known = has_request_context()
        record.request_id = g.get("request_id", "-") if known else "-"
        return True


def configure(settings: Settings) -> None:
    """Send all log lines to standard error in the form that `settings` ask for."""
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(JsonFormatter() if settings.log_json else logging.Formatter(PLAIN))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
