"""The request of each provider, recorded: address, the key's header, and the whole body.

The environment is full of the operator's own keys, addresses and accounts: none may be sent.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

import pytest

from engine.llm.errors import ProviderError
from engine.llm.prepare import prepare
from engine.llm.request import ChatRequest, PreparedRequest
from engine.targets import PLACEHOLDER_KEY, Target

KEY = "sk-alice-0123456789"
TEMPERATURE, MAX_TOKENS = 0.5, 20
SYSTEM, USER = "Be brief.", "Grüße"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]
USAGE = {"stream_options": {"include_usage": True}}
OPERATOR = "operator-secret"


@dataclass(frozen=True)
class Recorded:
    """What `model` sends. `tools` is the body's part with a tool in it; the rest of the body
    is `body`, exactly."""

    model: str
    url: str
    body: dict[str, Any]
    tools: dict[str, Any]
    header: str = "authorization"
    base: str | None = None
    sent_as: str | None = None

    def __str__(self) -> str:
        return self.model


def chat(model: str, **more: Any) -> dict[str, Any]:
    """OpenAI's body."""
    return {
        "model": model,
        "messages": MESSAGES,
        "max_tokens": MAX_TOKENS,
        "temperature": TEMPERATURE,
        "stream": True,
        **more,
    }


def openai_way(model: str, url: str, **more: Any) -> Recorded:
    """A provider that is asked as OpenAI is, with its usage asked for."""
    name = model.partition("/")[2]
    return Recorded(model, url, chat(name, **USAGE), {"tools": [TOOL]}, **more)


ANTHROPIC = {
    "model": "claude-sonnet-4-5",
    "system": [{"type": "text", "text": SYSTEM}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": USER}]}],
    "max_tokens": MAX_TOKENS,
    "temperature": TEMPERATURE,
    "stream": True,
}
GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
GEMINI = {
    "contents": [{"role": "user", "parts": [{"text": USER}]}],
    "system_instruction": {"parts": [{"text": SYSTEM}]},
    "generationConfig": {"temperature": TEMPERATURE, "max_output_tokens": MAX_TOKENS},
}
OLLAMA = {
    "model": "llama3.1",
    "messages": [message | {"images": []} for message in MESSAGES],
    "options": {"temperature": TEMPERATURE, "num_predict": MAX_TOKENS},
    "stream": True,
}
COHERE = chat("command-a-03-2025")
OLLAMA_BASE, VLLM_BASE = "http://127.0.0.1:11434", "http://127.0.0.1:8000/v1"
VLLM_URL = f"{VLLM_BASE}/chat/completions"

PROVIDERS = [
    openai_way("openai/gpt-4o", "https://api.openai.com/v1/chat/completions"),
    openai_way("openai/own", VLLM_URL, base=VLLM_BASE),
    Recorded(
        "anthropic/claude-sonnet-4-5", "https://api.anthropic.com/v1/messages", ANTHROPIC,
        {"tools": [{"name": "weather", "input_schema": SCHEMA, "type": "custom"}]}, "x-api-key",
    ),
    Recorded(
        "gemini/gemini-2.5-flash", f"{GEMINI_URL}:streamGenerateContent?alt=sse", GEMINI,
        {"tools": [{"function_declarations": [TOOL["function"]]}]}, "x-goog-api-key",
    ),
    openai_way("zai/glm-4.7", "https://api.z.ai/api/paas/v4/chat/completions"),
    openai_way(
        "lm_studio/qwen", "http://127.0.0.1:1234/v1/chat/completions",
        base="http://127.0.0.1:1234/v1",
    ),
    Recorded(
        "ollama_chat/llama3.1", f"{OLLAMA_BASE}/api/chat", OLLAMA, {"tools": [TOOL]},
        base=OLLAMA_BASE,
    ),
    Recorded(
        "mistral/mistral-small-latest", "https://api.mistral.ai/v1/chat/completions",
        chat("mistral-small-latest"), {"tools": [TOOL]},
    ),
    openai_way("deepseek/deepseek-chat", "https://api.deepseek.com/beta/chat/completions"),
    Recorded("cohere/command-a-03-2025", "https://api.cohere.com/v2/chat", COHERE,
             {"tools": [TOOL]}),
    Recorded("cohere_chat/command-a-03-2025", "https://api.cohere.com/v2/chat", COHERE,
             {"tools": [TOOL]}),
    openai_way("xai/grok-4", "https://api.x.ai/v1/chat/completions"),
    openai_way("hosted_vllm/own", VLLM_URL, base=VLLM_BASE),
    openai_way("vllm/own", VLLM_URL, base=VLLM_BASE, sent_as="hosted_vllm/own"),
    openai_way(
        "groq/llama-3.3-70b-versatile", "https://api.groq.com/openai/v1/chat/completions"
    ),
]  # fmt: skip


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's environment, as its operator may have set it for other programs."""
    vendors = "OPENAI ANTHROPIC GEMINI GOOGLE ZAI LM_STUDIO OLLAMA MISTRAL DEEPSEEK COHERE CO XAI"
    for vendor in [*vendors.split(), "HOSTED_VLLM", "GROQ"]:
        monkeypatch.setenv(f"{vendor}_API_KEY", OPERATOR)
        monkeypatch.setenv(f"{vendor}_API_BASE", f"https://{OPERATOR}.example")
        monkeypatch.setenv(f"{vendor}_BASE_URL", f"https://{OPERATOR}.example")
    for name in ("OPENAI_ORGANIZATION", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, OPERATOR)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", OPERATOR)


def prepared(recorded: Recorded, key: str | None = KEY, **extra: Any) -> PreparedRequest:
    target = Target(
        "p", "m", recorded.model, api_base=recorded.base, api_key=key, system_prompt=SYSTEM
    )
    user = {"role": "user", "content": USER}
    return prepare(target, ChatRequest((user,), MAX_TOKENS, TEMPERATURE, extra))


@pytest.mark.parametrize("recorded", PROVIDERS, ids=str)
def test_address_key_and_body_are_the_providers(recorded: Recorded) -> None:
    request = prepared(recorded)
    headers = {name.lower(): value for name, value in request.headers}
    assert (request.method, request.url) == ("POST", recorded.url)
    assert headers[recorded.header].removeprefix("Bearer ") == KEY
    assert [name for name, value in headers.items() if KEY in value] == [recorded.header]
    assert KEY not in request.url
    assert json.loads(request.body) == recorded.body
    assert request.model == (recorded.sent_as or recorded.model)


@pytest.mark.parametrize("recorded", PROVIDERS, ids=str)
def test_tools_are_written_in_the_providers_way(recorded: Recorded) -> None:
    request = prepared(recorded, tools=[TOOL])
    assert json.loads(request.body) == recorded.body | recorded.tools


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("recorded", PROVIDERS, ids=str)
def test_nothing_of_the_operators_environment_is_sent(recorded: Recorded, key: str | None) -> None:
    request = prepared(recorded, key)
    assert OPERATOR.encode() not in request.wire_bytes()
    assert OPERATOR not in request.url
    if key is None:
        assert dict(request.headers).get(recorded.header, "") in (
            "",
            PLACEHOLDER_KEY,
            f"Bearer {PLACEHOLDER_KEY}",
        )


def test_ollama_is_asked_by_its_chat_once_there_are_tools() -> None:
    plain = Recorded("ollama/llama3.1", "", {}, {}, base=OLLAMA_BASE)
    assert prepared(plain).url == f"{OLLAMA_BASE}/api/generate"
    request = prepared(plain, tools=[TOOL])
    assert (request.url, request.model) == (f"{OLLAMA_BASE}/api/chat", "ollama_chat/llama3.1")
    assert json.loads(request.body) == OLLAMA | {"tools": [TOOL]}


def test_a_reasoning_model_is_asked_by_its_own_names() -> None:
    target = Target("p", "m", "openai/o3-mini", api_key=KEY)
    body = json.loads(prepare(target, ChatRequest(({"role": "user", "content": USER},), 20)).body)
    assert body["max_completion_tokens"] == 20
    assert "max_tokens" not in body
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("model", ["lm_studio/m", "hosted_vllm/m", "vllm/m", "litellm_proxy/m"])
def test_a_key_never_goes_to_openai_for_want_of_another_address(model: str) -> None:
    with pytest.raises(ProviderError, match="give its base URL") as caught:
        prepared(Recorded(model, "", {}, {}))
    assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("model", ["maritalk/m", "oobabooga/m", "replicate/a/m"])
def test_a_provider_that_litellm_would_ask_by_itself_is_refused_and_nobody_is_connected(
    model: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ProviderError, match="not asked with one HTTP request"):
            prepared(Recorded(model, "", {}, {}, base=base))
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_what_litellm_wants_to_know_aside_is_not_asked_and_not_needed() -> None:
    """Of a local model that is not in its map it asks the server, past the outbound guard."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        request = prepared(Recorded("ollama_chat/my-own-model", "", {}, {}, base=base))
        assert request.url == f"{base}/api/chat"
        with pytest.raises(BlockingIOError):
            listener.accept()
