"""Everything a provider can do wrong, as kinds and sentences; and the masking of secrets.

This is the border to providers: `guarded` is one of the three places that may catch any
exception, because LiteLLM raises whatever its hundred providers raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Longest error text that is kept, in characters.
MESSAGE_CHARS = 500
# A target that never answered and failed this often for a reason that will not pass is left
# out of the rest.
GIVE_UP_AFTER = 3
LASTING = frozenset({"auth", "connect", "unsupported"})


class ProviderError(Exception):
    """A call failed. `kind` is one of `engine.samples.ERROR_KINDS`; `retry_after_s` is the
    provider's own wish; `partial` says that tokens had already arrived."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s


_SECRET_SHAPES = re.compile(
    r"(?i)(bearer\s+|(?:api[-_]?key|key|token|secret|password)[\"']?\s*[=:]\s*[\"']?)"
    r"([A-Za-z0-9._~+/\-]{8,}=*)"
    r"|\b((?:sk|pk|gsk|xai|AIza|hf)[-_A-Za-z0-9]{12,})"
)


def mask(text: str, *secrets: str | None) -> str:
    """`text` with the given secrets, and whatever looks like one, replaced by stars."""
    for secret in secrets:
        if secret and len(secret) >= 4:
            text = text.replace(secret, "***")
    return _SECRET_SHAPES.sub(lambda m: f"{m.group(1) or ''}***", text)


_STATUS_KINDS = {
    400: "bad_request",
    401: "auth",
    402: "rate_limited",
    403: "auth",
    404: "bad_request",
    408: "timeout",
    413: "bad_request",
    422: "bad_request",
    429: "rate_limited",
    504: "timeout",
    529: "rate_limited",  # Anthropic is overloaded
}
_STATUS_ADVICE = {
    "auth": "The provider refused the key",
    "rate_limited": "The provider limits the rate",
    "timeout": "The provider gave up waiting",
    "server": "The provider failed",
    "bad_request": "The provider refused the request",
    "content_filter": "The provider's filter refused the request",
}
_BODY_KINDS = (
    ("auth", ("invalid_api_key", "authentication", "unauthorized", "permission")),
    ("rate_limited", ("rate_limit", "rate limit", "quota", "too_many", "overloaded")),
    ("content_filter", ("content_filter", "content_policy", "safety")),
    ("timeout", ("timeout", "timed out")),
    ("bad_request", ("invalid_request", "not_found", "bad_request", "context_length")),
)

_WEB_PAGE = "it answered with a web page, so the base URL is probably wrong."


def kind_of_status(status: int) -> str:
    """The error kind of an HTTP status; everything unnamed is the server's fault from 500
    on, the request's below."""
    return _STATUS_KINDS.get(status, "server" if status >= 500 else "bad_request")


def kind_of_body(error: Any) -> str:
    """The error kind that an error body speaks of, `server` when it does not say. A status in
    it is more certain than what its words seem to mean."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and code > 400:  # 400 is what everything is called
        return kind_of_status(code)
    words = json.dumps(error, default=str).lower()
    for kind, signs in _BODY_KINDS:
        if any(sign in words for sign in signs):
            return kind
    return "bad_request" if code == 400 else "server"


def error_in(data: Any, status: int | None) -> ProviderError | None:
    """The error of a JSON body or event that speaks of one, else None."""
    if not isinstance(data, dict) or not data.get("error"):
        return None
    error = data["error"]
    text = error.get("message") if isinstance(error, dict) else str(error)
    return ProviderError(
        kind_of_body(error),
        f"The provider reported an error: {text or json.dumps(error)}",
        status=status,
    )


def error_of_status(
    status: int, headers: dict[str, str], body: bytes, secrets: tuple[str | None, ...]
) -> ProviderError:
    """The error of an HTTP answer that is not 2xx."""
    kind = kind_of_status(status)
    detail = detail_of(body, headers.get("content-type", ""))
    if status >= 500 and detail == _WEB_PAGE:
        detail = "it answered with a web page, as a proxy does whose server is away."
    if kind == "bad_request" and b"content_filter" in body:
        # Azure says so in the error's code alone.
        kind = "content_filter"
    elif kind == "bad_request" and b"API_KEY_INVALID" in body:
        # Google answers 400 to a key it does not know.
        kind = "auth"
    lead = _STATUS_ADVICE.get(kind, "The provider refused the request")
    message = f"{lead} (HTTP {status}){': ' + detail if detail else '.'}"
    return ProviderError(
        kind,
        mask(message, *secrets)[:MESSAGE_CHARS],
        status=status,
        retry_after_s=retry_after(headers.get("retry-after")),
    )


def detail_of(body: bytes, content_type: str) -> str:
    """The human part of an error body: its message when it is JSON, one plain phrase when
    it is a web page, else its first line."""
    text = body.decode("utf-8", "replace").strip()
    if looks_like_html(text, content_type):
        return _WEB_PAGE
    try:
        return _message_in(json.loads(text))
    except ValueError:
        return text.splitlines()[0][:300] if text else ""


def looks_like_html(text: str, content_type: str) -> bool:
    """Whether an answer is a web page."""
    return "text/html" in content_type.lower() or text[:200].lstrip().lower().startswith(
        ("<!doctype html", "<html")
    )


def _message_in(data: Any) -> str:
    if isinstance(data, list) and data:
        return _message_in(data[0])
    if isinstance(data, dict):
        for name in ("error", "message", "detail", "msg"):
            if data.get(name):
                return _message_in(data[name])
    return data if isinstance(data, str) else json.dumps(data)[:300]


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header (a number or an HTTP date), None when absent or odd."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # what "-0000" is read as
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def guarded(call: Callable[[], T], secrets: tuple[str | None, ...]) -> T:
    """Run a call into LiteLLM; whatever it raises becomes a masked ProviderError."""
    try:
        return call()
    except ProviderError:
        raise
    except Exception as error:
        status = getattr(error, "status_code", None)
        kind = kind_of_status(status) if isinstance(status, int) else "unsupported"
        text = str(getattr(error, "message", "") or error).splitlines()
        detail = text[0] if text else type(error).__name__
        raise ProviderError(kind, mask(detail, *secrets)[:MESSAGE_CHARS]) from None
