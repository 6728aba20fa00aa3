"""Formats of JSON Schema that are checked, each by a plain function; others are notes only."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from urllib.parse import urlsplit

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOSTNAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _date(text: str) -> bool:
    return bool(_DATE.fullmatch(text) and date.fromisoformat(text))


def _time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    return time.fromisoformat(text.replace("z", "Z")) is not None


def _date_time(text: str) -> bool:
    day, _, clock = text.replace("t", "T").partition("T")
    return _date(day) and _time(clock)


def _uri(text: str) -> bool:
    return bool(urlsplit(text).scheme) and not re.search(r"\s", text)


def _uuid(text: str) -> bool:
    return len(text) == 36 and bool(uuid.UUID(text))


FORMATS: dict[str, Callable[[str], object]] = {
    "date": _date,
    "time": _time,
    "date-time": _date_time,
    "email": _EMAIL.fullmatch,
    "hostname": _HOSTNAME.fullmatch,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "uri": _uri,
    "uuid": _uuid,
}


def fits_format(name: str, value: object) -> bool:
    """Whether a text is of the named format; an unknown format and any other value are."""
    check = FORMATS.get(name)
    if check is None or not isinstance(value, str):
        return True
    with suppress(ValueError):
        return bool(check(value))
    return False
