"""What the settings pages read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import fn

from engine import litellm_data
from engine.pricing import Price, price_of
from engine.specs import TargetRef
from engine.targets import ProviderAccess
from jobs.targets import describe_access, describe_targets
from webapp import catalog
from webapp.models import ApiKey, ModelEntry, Provider, User
from webapp.settings_pages import checks
from webapp.settings_pages.checks import Check

if TYPE_CHECKING:
    from webapp.settings import Settings


class KeyRow(NamedTuple):
    """A provider on the keys page; `check` is the last test since the key was saved."""

    provider: Provider
    access: ProviderAccess
    key: ApiKey | None
    check: Check | None


class ProviderRow(NamedTuple):
    """A provider on the providers page; `enabled` of `models` can be chosen in forms."""

    provider: Provider
    access: ProviderAccess
    models: int
    enabled: int


class ModelRow(NamedTuple):
    """A model on its provider's page; `price` is what a run costs now, None if unknown."""

    entry: ModelEntry
    price: Price | None


def key_rows(user: User, settings: Settings) -> list[KeyRow]:
    """Every provider with what is known of its key."""
    rows = list(catalog.providers_of(user))
    access = describe_access(user, settings)
    keys = {key.provider_id: key for key in ApiKey.select().where(ApiKey.user == user.id)}
    tests = checks.latest(user, "key_test", rows)
    return [_key_row(row, access[row.key], keys.get(row.id), tests.get(row.id)) for row in rows]


def key_row(user: User, settings: Settings, provider: Provider) -> KeyRow:
    """One of them."""
    return next(row for row in key_rows(user, settings) if row.provider.id == provider.id)


def provider_rows(user: User, settings: Settings) -> list[ProviderRow]:
    """Every provider with its counts of models."""
    access = describe_access(user, settings)
    counts = _model_counts(user)
    rows = catalog.providers_of(user)
    return [ProviderRow(row, access[row.key], *counts.get(row.id, (0, 0))) for row in rows]


def model_rows(user: User, settings: Settings, provider: Provider) -> list[ModelRow]:
    """Every model of a provider with its price."""
    entries = list(catalog.models_of(provider))
    refs = [TargetRef(provider=provider.key, model=entry.model_id) for entry in entries]
    targets = describe_targets(user, settings, refs)
    return [ModelRow(e, price_of(t)) for e, t in zip(entries, targets, strict=True)]


def model_row(user: User, settings: Settings, entry: ModelEntry) -> ModelRow:
    """One of them."""
    ref = TargetRef(provider=entry.provider.key, model=entry.model_id)
    [target] = describe_targets(user, settings, [ref])
    return ModelRow(entry, price_of(target))


def litellm_choices() -> list[tuple[str, str]]:
    """(prefix without slash, name) of every provider LiteLLM reaches with one key."""
    found = litellm_data.providers().values()
    return [(item.prefix.rstrip("/"), item.name) for item in found]


def _key_row(
    provider: Provider, access: ProviderAccess, key: ApiKey | None, check: Check | None
) -> KeyRow:
    if check is not None and key is not None and check.job.created_at < key.updated_at:
        check = None
    return KeyRow(provider, access, key, check)


def _model_counts(user: User) -> dict[int, tuple[int, int]]:
    rows: Any = (
        ModelEntry.select(
            ModelEntry.provider,
            fn.COUNT(ModelEntry.id),
            fn.SUM(ModelEntry.enabled),
        )
        .join(Provider)
        .where(Provider.user == user.id)
        .group_by(ModelEntry.provider)
    )
    return {number: (int(models), int(enabled)) for number, models, enabled in rows.tuples()}
