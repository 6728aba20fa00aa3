"""Error kinds, sentences and the masking of secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.llm.errors import (
    ProviderError,
    error_of_status,
    guarded,
    kind_of_body,
    mask,
    retry_after,
)

KEY = "sk-live-0123456789abcdef"


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_known_key_never_survives_masking(before: str, after: str) -> None:
    assert KEY not in mask(before + KEY + after, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghijklmnop",
        "https://host/v1?key=AIzaSyABCDEFGHIJKLMN",
        '{"api_key": "abcdefgh12345678"}',
        "Incorrect API key provided: sk-proj-abcdefghijklmnopqrst",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    masked = mask(text)
    assert "***" in masked
    assert "abcdefgh" not in masked.lower()


def test_plain_sentences_are_left_alone() -> None:
    text = "The model does not exist; tokens: 12, key missing."
    assert mask(text) == text


def test_a_page_instead_of_an_error_is_said_in_words() -> None:
    error = error_of_status(404, {"content-type": "text/html"}, b"<html><h1>Not Found", ())
    assert "web page" in error.message
    assert "<h1>" not in error.message


def test_a_gateway_s_page_does_not_blame_the_base_url() -> None:
    error = error_of_status(502, {"content-type": "text/html"}, b"<html><h1>Bad Gateway", ())
    assert error.kind == "server"
    assert "web page" in error.message
    assert "base URL" not in error.message


def test_a_filter_that_only_the_error_s_code_names_is_a_filter() -> None:
    body = b'{"error": {"message": "The prompt was refused.", "code": "content_filter"}}'
    error = error_of_status(400, {"content-type": "application/json"}, body, ())
    assert error.kind == "content_filter"
    assert error.message == (
        "The provider's filter refused the request (HTTP 400): The prompt was refused."
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 503, "message": "The model is overloaded"}, "server"),
        ({"code": 429, "message": "Upstream timeout"}, "rate_limited"),
        ({"code": 400, "message": "context_length exceeded"}, "bad_request"),
        ({"code": 400, "status": "INVALID", "message": "odd"}, "bad_request"),
        ({"type": "overloaded_error", "message": "Overloaded"}, "rate_limited"),
        ({"message": "CUDA out of memory"}, "server"),
    ],
)
def test_a_status_in_an_error_body_says_more_than_its_words(
    error: dict[str, object], kind: str
) -> None:
    assert kind_of_body(error) == kind


@pytest.mark.parametrize(
    ("value", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("soon", None)]
)
def test_retry_after_is_read_as_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_past_date_means_now() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0


def test_whatever_a_library_raises_becomes_one_masked_error() -> None:
    def broken() -> None:
        raise RuntimeError(f"cannot use {KEY}\nTraceback ...")

    with pytest.raises(ProviderError) as caught:
        guarded(broken, (KEY,))
    assert caught.value.message == "cannot use ***"
    assert caught.value.kind == "unsupported"
