"""Requests as bytes, by the direct path and by LiteLLM."""

from __future__ import annotations

import json

import pytest

from engine.llm import prepare as module
from engine.llm.errors import ProviderError
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest, PreparedRequest
from engine.targets import Target

KEY = "sk-alice-0123456789"
ASK = ChatRequest(({"role": "user", "content": "Grüße"},), max_tokens=20, temperature=0.5)


def target(model: str, **more: object) -> Target:
    return Target("p", "m", model, api_key=KEY, **more)  # type: ignore[arg-type]


def test_the_direct_path_writes_what_litellm_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = target("openai/some-model", api_base="http://127.0.0.1:9/v1", system_prompt="Be brief.")
    direct = prepare(asked, ASK)
    monkeypatch.setattr(module, "is_direct", lambda _: False)
    theirs = prepare(asked, ASK)
    assert json.loads(direct.body) == json.loads(theirs.body)
    assert (direct.method, direct.url) == (theirs.method, theirs.url)
    assert dict(direct.headers)["authorization"] == dict(theirs.headers)["authorization"]


def test_a_reasoning_model_at_an_own_address_goes_through_litellm() -> None:
    asked = target("openai/o3-mini", api_base="http://127.0.0.1:9/v1")
    body = json.loads(prepare(asked, ChatRequest(ASK.messages, max_tokens=20)).body)
    assert body["max_completion_tokens"] == 20


def test_skipped_parameters_are_not_sent() -> None:
    asked = target("openai/m", api_base="http://h/v1", skip_params=frozenset({"temperature"}))
    assert "temperature" not in json.loads(prepare(asked, ASK).body)


@pytest.mark.parametrize("model", ["bedrock/anthropic.claude-3", "vertex_ai/gemini-pro"])
def test_providers_that_sign_with_the_machines_account_are_refused(model: str) -> None:
    with pytest.raises(ProviderError, match="other than one API key") as caught:
        prepare(target(model), ASK)
    assert caught.value.kind == "unsupported"


def test_an_unknown_provider_is_one_clear_sentence() -> None:
    with pytest.raises(ProviderError) as caught:
        prepare(target("nobody-knows/this"), ASK)
    assert "nobody-knows" in caught.value.message


def test_a_target_with_a_problem_is_not_asked() -> None:
    with pytest.raises(ProviderError, match="Add a key"):
        prepare(target("openai/m", problem="Add a key for OpenAI."), ASK)


def test_the_wire_bytes_are_one_http_request() -> None:
    request = PreparedRequest(
        "POST", "http://u:p@h:81/v1/x?a=b", (("Host", "evil"), ("X-A", "1")), b"{}"
    )
    head, _, body = request.wire_bytes().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/x?a=b HTTP/1.1"
    assert lines[1] == "host: h:81"
    assert set(lines[2:]) == {"X-A: 1", "accept-encoding: identity", "content-length: 2"}
    assert body == b"{}"
    assert (request.endpoint.host, request.endpoint.port, request.endpoint.tls) == ("h", 81, False)


def test_a_request_never_shows_its_key() -> None:
    assert KEY not in repr(prepare(target("openai/m", api_base="http://h/v1"), ASK))
