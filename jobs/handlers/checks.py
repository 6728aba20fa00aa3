"""Interactive checks: does a key work, and which models does a provider have."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.llm.check import check_key
from engine.llm.discover import discover
from engine.llm.errors import ProviderError, mask
from engine.specs import KeyTestSpec, ModelListSpec, TargetRef
from engine.targets import Target
from jobs.progress import Context, JobFailed
from jobs.targets import describe_targets, provider_access, resolve


def handle(context: Context) -> dict[str, Any]:
    """Run the check its spec names.

    A key test answers `{"ok", "text", "latency_ms"}` also when the key does not work: that
    is its result. A model list answers the fields of `engine.llm.discover.Discovery`, and
    fails with a sentence when there is nothing to show.
    """
    spec = context.spec
    if isinstance(spec, KeyTestSpec):
        return _key_test(context, spec)
    if isinstance(spec, ModelListSpec):
        return _model_list(context, spec)
    raise JobFailed(f"There is no check of kind {context.job.kind!r}.")


def _key_test(context: Context, spec: KeyTestSpec) -> dict[str, Any]:
    user = context.job.user
    access = provider_access(user, spec.provider, context.settings)
    found = check_key(access, _first_target(context, spec.provider), context.cancel)
    return asdict(found) | {"text": mask(found.text, access.api_key)}


def _model_list(context: Context, spec: ModelListSpec) -> dict[str, Any]:
    access = provider_access(context.job.user, spec.provider, context.settings)
    try:
        return discover(access).model_dump(mode="json")
    except ProviderError as error:
        raise JobFailed(mask(error.message, access.api_key)) from None


def _first_target(context: Context, provider: str) -> Target | None:
    """The first enabled model of a provider, with its key."""
    user, settings = context.job.user, context.settings
    for target in describe_targets(user, settings):
        if target.provider == provider:
            ref = TargetRef(provider=provider, model=target.model)
            return resolve(user, [ref], settings)[0]
    return None
