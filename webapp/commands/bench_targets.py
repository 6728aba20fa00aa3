"""Which models `studio bench` measures."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from webapp.commands.problems import BadUsage

if TYPE_CHECKING:
    from engine.config import Config, Defaults
    from engine.targets import Target


def choose(flags: dict[str, Any], stack: ExitStack) -> tuple[list[Target], Defaults | None]:
    """The targets of the flags, and the configured defaults where config.yaml was read.

    A demo provider that does not run is started and kept until `stack` closes. Raises
    BadUsage.
    """
    if flags["base_url"] or flags["model_id"]:
        return [endpoint(flags)], None
    if flags["api_key_env"]:
        raise BadUsage(
            "--api-key-env goes with --base-url; a configured provider names its variable in "
            "config.yaml."
        )
    return _configured(flags, stack)


def endpoint(flags: dict[str, Any]) -> Target:
    """The endpoint of --base-url and --model-id, with its key; BadUsage."""
    from engine.targets import PLACEHOLDER_KEY, Target

    base, model = flags["base_url"], flags["model_id"]
    if flags["provider"] or flags["model"]:
        raise BadUsage("--provider and --model choose configured models; leave --base-url out.")
    if not base or not model:
        missing = "--model-id NAME" if base else "--base-url URL"
        raise BadUsage(f"An endpoint needs both --base-url and --model-id: add {missing}.")
    host = _host(base)
    key = PLACEHOLDER_KEY
    if variable := flags["api_key_env"]:
        key = os.environ.get(variable, "")
        if not key:
            raise BadUsage(f"--api-key-env names {variable}, which is not set in the environment.")
    return Target(
        provider=host[:80],
        model=model,
        litellm_model=f"openai/{model}",
        api_base=base.rstrip("/"),
        api_key=key,
        label=model,
        provider_label=host,
        allow_private=True,
    )


def _host(base: str) -> str:
    """Host and port of an http(s) address, without a user; BadUsage when it is none."""
    try:
        address = urlsplit(base)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # a port above 65,535, half an IPv6 address
        usable = False
    if not usable:
        raise BadUsage(f"--base-url is {base!r}; give an address such as http://127.0.0.1:8000/v1.")
    return address.netloc.rpartition("@")[2]


def _configured(flags: dict[str, Any], stack: ExitStack) -> tuple[list[Target], Defaults]:
    from engine.config import ConfigError, config_targets, load_config

    if not flags["provider"] and not flags["model"]:
        raise BadUsage(
            "Say what to measure: `studio bench --provider demo` needs no key, --provider and "
            "--model choose among the configured models, and --base-url with --model-id names "
            "any OpenAI-compatible endpoint."
        )
    try:
        config = load_config(flags["config"], demo_port())
    except ConfigError as error:
        raise BadUsage(str(error)) from None
    targets = config_targets(config, flags["provider"], flags["model"])
    if not targets:
        raise BadUsage(_nothing_matches(config, flags))
    return with_demo(targets, stack), config.defaults


def demo_port() -> int | None:
    """DEMO_PORT of the environment, where a running Studio has its demo provider."""
    from webapp.environ import SettingsError, integer

    if not os.environ.get("DEMO_PORT"):
        return None
    try:
        return integer(os.environ, "DEMO_PORT", 8502, 0, 65_535) or None
    except SettingsError as error:
        raise BadUsage(str(error)) from None


def _nothing_matches(config: Config, flags: dict[str, Any]) -> str:
    asked = " ".join(f"--{name} {flags[name]}" for name in ("provider", "model") if flags[name])
    having = ", ".join(key for key, provider in config.providers.items() if provider.models)
    return f"No configured model matches {asked}. Providers with models: {having}."


def with_demo(targets: list[Target], stack: ExitStack) -> list[Target]:
    """The targets, the simulated ones led to a demo provider that answers."""
    from engine.demo.process import DemoServer

    simulated = [target for target in targets if target.simulated]
    if not simulated or _answers(simulated[0]):
        return targets
    server = stack.enter_context(DemoServer())
    return [replace(t, api_base=server.base_url) if t.simulated else t for t in targets]


def _answers(target: Target) -> bool:
    """Whether the demo provider (not just anything) listens at the target's address."""
    address = urlsplit(target.api_base or "")
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=1)
    try:
        connection.request("GET", f"{address.path}/models")
        listed = json.loads(connection.getresponse().read())
        return any(entry.get("id") == target.model for entry in listed.get("data", ()))
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return False
    finally:
        connection.close()
