"""Readers of single fields: typed text in, the real type out, or `Refused` with a sentence."""

from __future__ import annotations

import math
import re
from urllib.parse import urlsplit

from engine import net

KEY_CHARS = 4_096
URL_CHARS = 500
PRICE_MAX = 1_000_000
_COUNT = re.compile(r"[0-9]{1,12}|[0-9]{1,3}([ ,_\u202f\u00a0'][0-9]{3}){1,3}")


class Refused(Exception):
    """What was typed cannot be used; the message stands at the field."""


def text(raw: str, most: int, what: str = "this") -> str:
    """One printable line of at most `most` characters, not empty."""
    if not raw:
        raise Refused("Fill this in.")
    if len(raw) > most:
        raise Refused(f"Keep {what} to {most:,} characters or fewer.")
    if not raw.isprintable():
        raise Refused("Use one line of plain text.")
    return raw


def api_key(raw: str) -> str:
    """A key as it can be sent in a header."""
    text(raw, KEY_CHARS, "the key")
    if not raw.isascii() or " " in raw:
        raise Refused("A key has no spaces and only plain characters. Copy it again.")
    if raw.lower().startswith("os.environ/"):
        raise Refused("Give the key itself. Names of environment variables are not read.")
    return raw


def base_url(raw: str, allow_private: bool) -> str:
    """An http(s) address without trailing slash, and without what is added to it."""
    text(raw, URL_CHARS, "the address")
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError:
        raise Refused("This is no address. Give one like https://host.example/v1.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in raw or port == 0:
        raise Refused("Give an address that starts with http:// or https://.")
    if parts.username or parts.password:
        raise Refused("Leave user and password out of the address; give the key by itself.")
    if parts.query or parts.fragment:
        raise Refused("Leave out everything from the ? or # on.")
    _check_literal(parts.hostname, port or 443, allow_private)
    return raw.rstrip("/").removesuffix("/chat/completions").rstrip("/")


def _check_literal(host: str, port: int, allow_private: bool) -> None:
    """Refuse a blocked numeric address at once; names are checked when they are used."""
    if host != "localhost" and not re.fullmatch(r"[\d.]+|[0-9a-f:]+", host):
        return
    try:
        net.connect_addresses(host, port, allow_private)
    except (net.BlockedAddress, net.UnknownHost) as error:
        raise Refused(str(error)) from None


def whole_number(raw: str, most: int) -> int | None:
    """A count from 1 to `most`, digits may be grouped; empty is None."""
    if not raw:
        return None
    digits = re.sub(r"[^0-9]", "", raw) if _COUNT.fullmatch(raw) else ""
    if not digits or not 1 <= int(digits) <= most:
        raise Refused(f"Give a whole number from 1 to {most:,}, or leave it empty.")
    return int(digits)


def price(raw: str) -> float | None:
    """USD per million tokens from 0 on; empty is None."""
    if not raw:
        return None
    try:
        value = float(raw.removeprefix("$"))
    except ValueError:
        raise Refused("Give a price in USD like 0.15, or leave it empty.") from None
    if not math.isfinite(value) or not 0 <= value <= PRICE_MAX:
        raise Refused(f"Give a price from 0 to {PRICE_MAX:,}, or leave it empty.")
    return abs(value)
