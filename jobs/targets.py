"""Where rows, config.yaml and keys become targets the engine can ask.

Which key is used: the user's own; else, for a provider of config.yaml only, the server-wide
one; else, where an address needs none, a placeholder. A user's own address never gets a
server-wide key, and a stored key that cannot be read is a problem, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.config import DEMO, Config, ProviderConfig, litellm_id, operator_key
from engine.specs import TargetRef
from engine.targets import PLACEHOLDER_KEY, ProviderAccess, Target
from webapp import vault
from webapp.catalog import providers_of, read_config
from webapp.environ import environment
from webapp.models import ApiKey, ModelEntry, Provider, User

if TYPE_CHECKING:
    from webapp.settings import Settings

# The prefix of a user's model at a provider to which config.yaml gives none: without one
# LiteLLM would take the first part of the id for a provider and send the key there.
_OPENAI = "openai/"


@dataclass(frozen=True, slots=True)
class _World:
    """What a resolution reads once: config.yaml, the environment, and how a stored key
    becomes (key, problem)."""

    config: Config
    environ: Mapping[str, str]
    allow_private: bool
    read_key: Callable[[ApiKey], tuple[str | None, str | None]]


def resolve(user: User, refs: Iterable[TargetRef], settings: Settings) -> list[Target]:
    """Every target of `refs`, in their order, ready to be asked.

    Never raises for one of them: an unknown provider or model and a missing or unreadable
    key stand in its `problem`. Decrypts keys, so only workers call it. Raises ConfigError.
    """
    return _targets(user, list(refs), _world(settings, _decrypting(settings)))


def describe_targets(
    user: User, settings: Settings, refs: Iterable[TargetRef] | None = None
) -> list[Target]:
    """The same without reading any key (`api_key` is None): for forms and pages.

    Without `refs` all enabled models of the user, in the order of the settings page.
    """
    chosen = _all_refs(user) if refs is None else list(refs)
    found = _targets(user, chosen, _world(settings, _not_reading))
    return [replace(target, api_key=None) for target in found]


def provider_access(user: User, key: str, settings: Settings) -> ProviderAccess:
    """How a provider is reached, with its key; a problem stands in `problem`."""
    row = providers_of(user).where(Provider.key == key).first()
    if row is None:
        return ProviderAccess(key, key, "", problem=_no_provider(key))
    return _access(row, _keys_of(user).get(row.id), _world(settings, _decrypting(settings)))


def describe_access(user: User, settings: Settings) -> dict[str, ProviderAccess]:
    """Every provider of the user by key, without reading any key, in their order."""
    world = _world(settings, _not_reading)
    keys = _keys_of(user)
    rows = providers_of(user)
    return {r.key: replace(_access(r, keys.get(r.id), world), api_key=None) for r in rows}


def model_id_problem(model_id: str) -> str | None:
    """Why a model id cannot be used, None when it can. An id becomes part of a URL for some
    providers, and one that is a URL would send a key to a host of its own choice."""
    if not model_id.isprintable() or "://" in model_id or ".." in model_id.split("/"):
        return "Give the id as the provider writes it, without an address in it."
    if "?" in model_id or "#" in model_id:
        return "A model id has no ? and no #."
    return None


def _world(
    settings: Settings, read_key: Callable[[ApiKey], tuple[str | None, str | None]]
) -> _World:
    config = read_config(settings)
    return _World(config, environment(), settings.allow_private_endpoints, read_key)


def _decrypting(settings: Settings) -> Callable[[ApiKey], tuple[str | None, str | None]]:
    def read(row: ApiKey) -> tuple[str | None, str | None]:
        try:
            return vault.decrypt(settings, row.token), None
        except vault.VaultError as error:
            return None, str(error)

    return read


def _not_reading(row: ApiKey) -> tuple[str | None, str | None]:
    return None, None


def _all_refs(user: User) -> list[TargetRef]:
    rows: Any = (
        ModelEntry.select(ModelEntry.model_id, Provider.key)
        .join(Provider)
        .where((Provider.user == user.id) & ModelEntry.enabled)
        .order_by(Provider.position, Provider.id, ModelEntry.position, ModelEntry.id)
    )
    return [TargetRef(provider=row[1], model=row[0]) for row in rows.tuples()]


def _keys_of(user: User) -> dict[int, ApiKey]:
    return {key.provider_id: key for key in ApiKey.select().where(ApiKey.user == user.id)}


def _targets(user: User, refs: list[TargetRef], world: _World) -> list[Target]:
    wanted = {ref.provider for ref in refs}
    rows = {row.key: row for row in providers_of(user) if row.key in wanted}
    keys = _keys_of(user)
    models = {
        (entry.provider_id, entry.model_id): entry
        for entry in ModelEntry.select().where(ModelEntry.provider.in_(list(rows.values())))
    }
    accesses = {key: _access(row, keys.get(row.id), world) for key, row in rows.items()}
    found = []
    for ref in refs:
        row, access = rows.get(ref.provider), accesses.get(ref.provider)
        if row is None or access is None:
            found.append(_unknown(ref, ref.provider, _no_provider(ref.provider)))
        elif (entry := models.get((row.id, ref.model))) is None:
            found.append(_unknown(ref, access.label, _no_model(ref.model, access.label)))
        else:
            found.append(_target(row, entry, access, world.config))
    return found


def _target(row: Provider, entry: ModelEntry, access: ProviderAccess, config: Config) -> Target:
    prefix = access.prefix
    if not prefix and not _is_configured(row, entry, config):
        prefix = _OPENAI
    return Target(
        provider=row.key,
        model=entry.model_id,
        litellm_model=litellm_id(prefix, entry.model_id),
        api_base=access.api_base,
        api_key=access.api_key,
        label=entry.display_name,
        provider_label=access.label,
        context_window=entry.context_window,
        max_output_tokens=entry.max_output_tokens,
        skip_params=frozenset(entry.skip_params),
        input_cost_per_mtok=entry.input_cost_per_mtok,
        output_cost_per_mtok=entry.output_cost_per_mtok,
        system_prompt=entry.system_prompt,
        allow_private=access.allow_private,
        simulated=row.origin == "config" and row.key == DEMO,
        problem=access.problem or _model_problem(entry, access.label),
    )


def _is_configured(row: Provider, entry: ModelEntry, config: Config) -> bool:
    item = config.providers.get(row.key) if row.origin == "config" else None
    return item is not None and any(model.id == entry.model_id for model in item.models)


def _model_problem(entry: ModelEntry, label: str) -> str | None:
    if not entry.enabled:
        return f"{entry.model_id} of {label} is switched off in Settings → Providers."
    if sentence := model_id_problem(entry.model_id):
        return f"{entry.model_id} of {label} cannot be asked. {sentence}"
    return None


def _access(row: Provider, key: ApiKey | None, world: _World) -> ProviderAccess:
    item = world.config.providers.get(row.key) if row.origin == "config" else None
    access = ProviderAccess(
        provider=row.key,
        label=row.display_name,
        prefix=litellm_id(row.model_id_prefix if item is None else item.model_id_prefix, ""),
        api_base=row.api_base if item is None else item.api_base,
        allow_private=world.allow_private if item is None else True,
    )
    if row.origin == "config" and item is None:
        return replace(access, api_base=None, problem=_removed(row))
    if key is not None:
        api_key, problem = world.read_key(key)
        told = f"{row.display_name}: {problem}" if problem else None
        return replace(access, api_key=api_key, key_from="own", problem=told)
    return _without_own_key(access, item, world)


def _without_own_key(
    access: ProviderAccess, item: ProviderConfig | None, world: _World
) -> ProviderAccess:
    """With the server-wide key or the placeholder, where the provider may have one."""
    server_key = None
    if item is not None:
        server_key, _ = operator_key(access.provider, item, world.environ)
    if server_key and server_key != PLACEHOLDER_KEY:
        return replace(access, api_key=server_key, key_from="server")
    if access.api_base and (item is None or server_key):
        return replace(access, api_key=PLACEHOLDER_KEY, key_from="placeholder")
    missing = f"{access.label} has no key. Add one in Settings → API keys."
    return replace(access, problem=missing)


def _unknown(ref: TargetRef, label: str, problem: str) -> Target:
    return Target(
        ref.provider, ref.model, "", label=ref.model, provider_label=label, problem=problem
    )


def _no_provider(key: str) -> str:
    return f"You have no provider {key!r}. Add it in Settings → Providers."


def _no_model(model: str, label: str) -> str:
    return f"{label} has no model {model!r}. Add it in Settings → Providers."


def _removed(row: Provider) -> str:
    return (
        f"{row.display_name} is no longer in this server's config.yaml. Add it as a provider of "
        "your own in Settings → Providers."
    )
