"""config.yaml: the operator's providers, models, prompt templates and defaults.

Whatever is wrong in the file is one `ConfigError` that names file, line and key path and
says what is allowed. Values are taken as written: there is no `${...}` expansion.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from engine.config_file import ConfigError, explain, read_yaml
from engine.specs import DEFAULT_PROMPT, MAX_TOKENS_MAX, PROMPT_MAX_CHARS, TIER_MAX
from engine.targets import PLACEHOLDER_KEY, Target

# The provider of this key is the built-in simulation.
DEMO = "demo"

__all__ = [
    "DEMO",
    "SHIPPED",
    "Config",
    "ConfigError",
    "Defaults",
    "McpCommandConfig",
    "ModelConfig",
    "PromptTemplate",
    "ProviderConfig",
    "config_targets",
    "litellm_id",
    "load_config",
    "operator_key",
    "provider_target",
]
SHIPPED = Path(__file__).resolve().parent.parent / "config.yaml"

# LiteLLM's own `vllm/` would load the model into this process.
_SENT_AS = {"vllm/": "hosted_vllm/"}

Tokens = Annotated[int, Field(ge=1, le=100_000_000)]
Price = Annotated[float, Field(ge=0, le=1_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ModelConfig(_Part):
    """A model of a provider; windows in tokens, prices in USD per million tokens."""

    id: Name
    display_name: str = Field(default="", max_length=200)
    context_window: Tokens | None = None
    max_output_tokens: Tokens | None = None
    skip_params: tuple[Name, ...] = ()
    input_cost_per_mtok: Price | None = None
    output_cost_per_mtok: Price | None = None
    system_prompt: str = Field(default="", max_length=PROMPT_MAX_CHARS)


class ProviderConfig(_Part):
    """An endpoint. `model_id_prefix` is LiteLLM's provider prefix; an endpoint that speaks
    OpenAI's format has `openai/` and an `api_base`. The key comes from the environment
    variable `api_key_env`, else from `api_key`; an endpoint with neither needs none."""

    display_name: str = Field(default="", max_length=120)
    api_base: str | None = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    api_key: SecretStr | None = None
    model_id_prefix: str = Field(default="", max_length=80)
    models: tuple[ModelConfig, ...] = ()

    @field_validator("api_base")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("give an address that starts with http:// or https://")
        return value.rstrip("/")

    @field_validator("model_id_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        return f"{value.rstrip('/')}/" if value else ""

    @field_validator("models")
    @classmethod
    def _ids_differ(cls, value: tuple[ModelConfig, ...]) -> tuple[ModelConfig, ...]:
        ids = [model.id for model in value]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"the id {twice[0]!r} stands twice; give each model once")
        return value


class McpCommandConfig(_Part):
    """An MCP server that may be started on this machine and spoken to over stdio. Users name
    its key and nothing else; `env` is added to PATH, HOME, SHELL, TERM, USER and LOGNAME, which
    are all that it gets of the server's environment."""

    display_name: str = Field(default="", max_length=120)
    command: Name
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default={}, repr=False)


class PromptTemplate(_Part):
    """A prompt to choose in the form."""

    category: Name
    label: Name
    prompt: str = Field(min_length=1, max_length=PROMPT_MAX_CHARS)


class Defaults(_Part):
    """What a new benchmark starts from. `context_tiers` are offered, in tokens; a run uses
    tier 0 unless told otherwise."""

    max_tokens: int = Field(default=512, ge=1, le=MAX_TOKENS_MAX)
    temperature: float = Field(default=0.7, ge=0, le=2)
    context_tiers: tuple[Annotated[int, Field(ge=0, le=TIER_MAX)], ...] = (
        0, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000, 150_000,
    )  # fmt: skip
    prompt: str = Field(default=DEFAULT_PROMPT, min_length=1, max_length=PROMPT_MAX_CHARS)


class Config(_Part):
    """The whole file; providers and templates keep their order."""

    defaults: Defaults = Defaults()
    prompt_templates: dict[Name, PromptTemplate] = {}
    providers: dict[Key, ProviderConfig]
    mcp_commands: dict[Key, McpCommandConfig] = {}


def load_config(path: Path | None = None, demo_port: int | None = None) -> Config:
    """Read a config file: `path`, else ./config.yaml, else the one shipped with the engine.

    `demo_port` replaces the port in the demo provider's address. Raises ConfigError.
    """
    if path is None:
        here = Path("config.yaml")
        path = here if here.is_file() else SHIPPED
    data, node = read_yaml(path)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, Config, path, node)) from None
    return config if demo_port is None else _with_demo_port(config, demo_port)


def _with_demo_port(config: Config, port: int) -> Config:
    demo = config.providers.get(DEMO)
    if demo is None or demo.api_base is None:
        return config
    parts = urlsplit(demo.api_base)
    moved = parts._replace(netloc=f"{parts.hostname}:{port}").geturl()
    providers = config.providers | {DEMO: demo.model_copy(update={"api_base": moved})}
    return config.model_copy(update={"providers": providers})


def litellm_id(prefix: str, model_id: str) -> str:
    """The id LiteLLM is asked for a model: prefix and id, once, `vllm/` as `hosted_vllm/`."""
    full = model_id if prefix and model_id.startswith(prefix) else prefix + model_id
    for mine, sent in _SENT_AS.items():
        if full.startswith(mine):
            return sent + full.removeprefix(mine)
    return full


def config_targets(
    config: Config,
    provider_filter: str | None = None,
    model_filter: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Target]:
    """The configured models that match both filters, in the order of the file.

    A filter is a list of substrings separated by commas, case ignored, held against key and
    display name of the provider, or id and display name of the model; an empty one matches
    all. A target whose key is not in `environ` (default: os.environ) says so in `problem`.
    """
    env = os.environ if environ is None else environ
    return [
        provider_target(key, provider, model, env)
        for key, provider in config.providers.items()
        if _matches(provider_filter, key, provider.display_name)
        for model in provider.models
        if _matches(model_filter, model.id, model.display_name)
    ]


def _matches(wanted: str | None, *names: str) -> bool:
    parts = [part.strip().lower() for part in (wanted or "").split(",") if part.strip()]
    return not parts or any(part in name.lower() for part in parts for name in names)


def provider_target(
    key: str, provider: ProviderConfig, model: ModelConfig, environ: Mapping[str, str]
) -> Target:
    """One configured model as a target; the operator's own endpoints may be private ones."""
    api_key, problem = operator_key(key, provider, environ)
    return Target(
        provider=key,
        model=model.id,
        litellm_model=litellm_id(provider.model_id_prefix, model.id),
        api_base=provider.api_base,
        api_key=api_key,
        label=model.display_name or model.id,
        provider_label=provider.display_name or key,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        skip_params=frozenset(model.skip_params),
        input_cost_per_mtok=model.input_cost_per_mtok,
        output_cost_per_mtok=model.output_cost_per_mtok,
        system_prompt=model.system_prompt,
        allow_private=True,
        simulated=key == DEMO,
        problem=problem,
    )


def operator_key(
    key: str, provider: ProviderConfig, environ: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """(key, problem) of a configured provider; exactly one of them is None."""
    if provider.api_key_env and environ.get(provider.api_key_env):
        return environ[provider.api_key_env], None
    if provider.api_key is not None and provider.api_key.get_secret_value():
        return provider.api_key.get_secret_value(), None
    if provider.api_key_env:
        name = provider.display_name or key
        return None, f"{name} has no key: set {provider.api_key_env} in the environment."
    return PLACEHOLDER_KEY, None
