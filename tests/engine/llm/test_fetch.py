from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator

import pytest

from engine.llm import fetch
from engine.llm.errors import ProviderError
from engine.llm.fetch import Answer, get_json
from tests.hostile import OPENAI_LIST, Hostile, hostile_server

KEY = "sk-alice-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as hostile:
        yield hostile


def ask(url: str, key: str | None = KEY, timeout_s: float = 5.0, private: bool = True) -> Answer:
    headers = {"authorization": f"Bearer {key}"}
    return get_json(
        url, headers, label="Acme", secret=key, allow_private=private, timeout_s=timeout_s
    )


def refusal(url: str, key: str | None = KEY, timeout_s: float = 5.0, private: bool = True) -> str:
    with pytest.raises(ProviderError) as refused:
        ask(url, key, timeout_s, private)
    assert key is None or key not in str(refused.value)
    return str(refused.value)


def test_json_arrives_with_the_time_it_took(server: Hostile) -> None:
    answer = ask(f"{server.url}/good")
    assert answer.data == OPENAI_LIST
    assert 0 < answer.latency_ms < 5_000
    assert server.seen[0][1]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, b"{}", "Acme refused the key (HTTP 401). Check it in Settings → API keys."),
        (403, b"{}", "Acme refused the key (HTTP 403): it is not valid, or may not do this."),
        (429, b"{}", "Acme limits the rate (HTTP 429). Try again in a minute."),
        (500, b'{"error": {"message": "out of cheese"}}', "Acme answered HTTP 500: out of cheese."),
        (500, b"", "Acme answered HTTP 500."),
        (400, f'{{"error": "bad key {KEY}"}}'.encode(), "Acme answered HTTP 400: bad key ***."),
        (204, b"", "Acme answered HTTP 204."),
    ],
)
def test_a_refusal_is_one_sentence(
    server: Hostile, status: int, body: bytes, sentence: str
) -> None:
    server.answer("/x", body, status)
    assert refusal(f"{server.url}/x") == sentence


def test_a_401_without_a_key_asks_for_one(server: Hostile) -> None:
    server.answer("/x", {}, 401)
    assert refusal(f"{server.url}/x", key=None) == (
        "Acme asks for a key (HTTP 401). Add one in Settings → API keys."
    )


def test_a_404_names_the_place_without_password_and_query(server: Hostile) -> None:
    url = server.url.replace("http://", "http://me:secret@") + "/nothing/models?page=2"
    host = server.url.removeprefix("http://")
    assert refusal(url) == (
        f"Acme has nothing at {host}/nothing/models (HTTP 404). Check the base URL; most end in "
        "/v1."
    )


def test_a_web_page_is_not_a_model_list(server: Hostile) -> None:
    assert "a web page instead of JSON" in refusal(f"{server.url}/html")


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b"\xff\xfe", b"[" * 200_000])
def test_what_is_not_json_is_said(server: Hostile, body: bytes) -> None:
    server.answer("/x", body)
    assert refusal(f"{server.url}/x") == "Acme answered with something that is not JSON."


def test_a_server_that_never_ends_its_answer_is_left_in_time(server: Hostile) -> None:
    start = time.monotonic()
    assert refusal(f"{server.url}/slow", timeout_s=0.5) == "Acme did not answer within 0.5 s."
    assert time.monotonic() - start < 3


def test_an_endless_answer_is_cut_at_five_megabytes(server: Hostile) -> None:
    assert refusal(f"{server.url}/huge") == "Acme sent more than 5 MB; reading was stopped."


def test_a_compressed_bomb_is_cut_too(server: Hostile) -> None:
    import gzip

    bomb = gzip.compress(b" " * (fetch.MAX_BYTES * 4))
    server.answer("/x", bomb, headers={"content-encoding": "gzip"})
    assert refusal(f"{server.url}/x") == "Acme sent more than 5 MB; reading was stopped."


def test_an_answer_that_is_cut_is_said(server: Hostile) -> None:
    assert "broke the connection" in refusal(f"{server.url}/cut")


def test_nobody_listening_is_said() -> None:
    with hostile_server() as gone:
        url = gone.url
    assert refusal(f"{url}/good") == (
        f"Acme cannot be reached: {url.removeprefix('http://')} refused the connection. Is it "
        "running there?"
    )


def test_an_unknown_host_is_said() -> None:
    assert refusal("http://nowhere.invalid/v1/models") == (
        "Acme cannot be reached: this server finds no host 'nowhere.invalid'. Check the base URL, "
        "or the server's network."
    )


def test_speaking_tls_to_a_plain_server_is_said(server: Hostile) -> None:
    sentence = refusal(server.url.replace("http://", "https://") + "/good")
    assert re.match(r"Acme (cannot be reached|broke the connection)", sentence)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:99999/v1", "ftp://127.0.0.1/v1", "file:///etc/passwd"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    assert "is not valid" in refusal(url)


def test_a_private_address_is_refused_where_it_is_not_allowed(server: Hostile) -> None:
    assert "is a private address" in refusal(f"{server.url}/good", private=False)
    assert server.seen == []


def test_a_metadata_address_is_always_refused() -> None:
    assert "cloud metadata address" in refusal("http://169.254.169.254/latest/meta-data")


def test_a_redirect_on_the_same_host_is_followed(server: Hostile) -> None:
    server.answer("/old", b"", 308, headers={"location": "/good"})
    assert ask(f"{server.url}/old").data == OPENAI_LIST


def test_a_redirect_to_another_host_is_not_followed(server: Hostile) -> None:
    with hostile_server() as other:
        server.answer("/old", b"", 302, headers={"location": f"{other.url}/good"})
        sentence = refusal(f"{server.url}/old")
        assert f"Acme redirects to {other.url}" in sentence
        assert other.seen == []


@pytest.mark.parametrize(
    "location", ["http://[", "http://127.0.0.1:0x1/", "//169.254.169.254/", "javascript:alert(1)"]
)
def test_a_strange_redirect_is_not_followed(server: Hostile, location: str) -> None:
    server.answer("/old", b"", 302, headers={"location": location})
    assert re.match("Acme (redirects|broke the connection)", refusal(f"{server.url}/old"))
    assert len(server.seen) == 1


def test_redirects_in_a_circle_end(server: Hostile) -> None:
    server.answer("/round", b"", 302, headers={"location": "/round"})
    assert refusal(f"{server.url}/round") == "Acme redirects more than 3 times."
    assert len(server.seen) == 4


def test_a_key_that_cannot_be_a_header_appears_nowhere(
    server: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sentence = refusal(f"{server.url}/good", key="sk-line\nbreak-0123456789")
    assert sentence.startswith("The key of Acme has a character that cannot be sent.")
    assert "break-0123456789" not in caplog.text
    assert server.seen == []


def test_the_key_is_in_no_log(server: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(f"{server.url}/good")
    refusal(f"{server.url}/html")
    assert KEY not in caplog.text
