"""Which models `studio tools run` asks: named exactly, as provider/model."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapp.commands.bench_targets import demo_port, endpoint, with_demo
from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.cancel import CancelToken
    from engine.config import Config
    from engine.specs import ToolEvalSpec
    from engine.targets import Target
    from engine.tools.matchers import Similarity


def choose(flags: dict[str, Any], stack: ExitStack) -> list[Target]:
    """The targets of the flags. A demo provider that does not run is started and kept until
    `stack` closes. Raises BadUsage."""
    if flags["base_url"] or flags["model_id"]:
        if flags["named"]:
            raise BadUsage("--target names configured models; leave --base-url out.")
        return [endpoint({**flags, "provider": None, "model": None})]
    if flags["api_key_env"]:
        raise BadUsage(
            "--api-key-env goes with --base-url; a configured provider names its variable in "
            "config.yaml."
        )
    if not flags["named"]:
        raise BadUsage(
            "Say which model to ask: --target demo/fast-small needs no key, and --base-url with "
            "--model-id names any OpenAI-compatible endpoint."
        )
    config = _read_config(flags["config"])
    named = dict.fromkeys(flags["named"])
    return with_demo([_target(name, config) for name in named], stack)


def asked_about_meaning(
    flags: dict[str, Any], token: CancelToken, spec: ToolEvalSpec
) -> Similarity | None:
    """Whom semantic matchers ask: the model of --embedding, else that of --judge."""
    from engine.tools.similarity import make_similarity

    embedding, judge = (
        _target(flags[name], _read_config(flags["config"]), f"--{name}") if flags[name] else None
        for name in ("embedding", "judge")
    )
    return make_similarity(embedding, judge, token, timeout_s=spec.timeout_s, retries=spec.retries)


def _read_config(path: Path | None) -> Config:
    from engine.config import ConfigError, load_config

    try:
        return load_config(path, demo_port())
    except ConfigError as error:
        raise BadUsage(str(error)) from None


def _target(name: str, config: Config, flag: str = "--target") -> Target:
    from engine.config import DEMO, ModelConfig, provider_target

    key, _, model_id = name.partition("/")
    if not key or not model_id:
        raise BadUsage(f"{flag}: {name!r} is not PROVIDER/MODEL, such as demo/fast-small.")
    if key == DEMO and key not in config.providers:
        config = _shipped()
    provider = config.providers.get(key)
    if provider is None:
        raise BadUsage(
            f"{flag}: there is no provider {key!r}; known are {', '.join(config.providers)}."
        )
    model = next((item for item in provider.models if item.id == model_id), None)
    if model is None and key != DEMO:
        known = ", ".join(item.id for item in provider.models) or "none"
        raise BadUsage(f"{flag}: {key} has no model {model_id!r}; configured are: {known}.")
    return provider_target(key, provider, model or ModelConfig(id=model_id), os.environ)


def _shipped() -> Config:
    """The configuration that ships with the Studio: it always has the demo provider."""
    from engine.config import SHIPPED, load_config

    return load_config(SHIPPED, demo_port())
