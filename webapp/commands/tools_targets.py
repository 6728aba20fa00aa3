"""Which models `studio tools run` asks: named exactly, as provider/model."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapp.commands.bench_targets import demo_port, endpoint, with_demo
from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.config import Config
    from engine.targets import Target


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


def _read_config(path: Path | None) -> Config:
    from engine.config import ConfigError, load_config

    try:
        return load_config(path, demo_port())
    except ConfigError as error:
        raise BadUsage(str(error)) from None


def _target(name: str, config: Config) -> Target:
    from engine.config import DEMO, ModelConfig, provider_target

    key, _, model_id = name.partition("/")
    if not key or not model_id:
        raise BadUsage(f"--target: {name!r} is not PROVIDER/MODEL, such as demo/fast-small.")
    if key == DEMO and key not in config.providers:
        config = _shipped()
    provider = config.providers.get(key)
    if provider is None:
        raise BadUsage(
            f"--target: there is no provider {key!r}; known are {', '.join(config.providers)}."
        )
    model = next((item for item in provider.models if item.id == model_id), None)
    if model is None and key != DEMO:
        known = ", ".join(item.id for item in provider.models) or "none"
        raise BadUsage(f"--target: {key} has no model {model_id!r}; configured are: {known}.")
    return provider_target(key, provider, model or ModelConfig(id=model_id), os.environ)


def _shipped() -> Config:
    """The configuration that ships with the Studio: it always has the demo provider."""
    from engine.config import SHIPPED, load_config

    return load_config(SHIPPED, demo_port())
