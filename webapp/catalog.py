"""A user's own copy of config.yaml's providers and models.

Addresses and server-wide keys are not copied: they are read from config.yaml when they are
used, so an operator's change counts at once and nobody can point a server-wide key elsewhere.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peewee import fn

from engine.config import DEMO, SHIPPED, Config, ModelConfig, ProviderConfig, load_config
from webapp import db
from webapp.models import ModelEntry, Provider, User

if TYPE_CHECKING:
    from webapp.settings import Settings


def read_config(settings: Settings) -> Config:
    """config.yaml of this installation, the demo provider at its port. Raises ConfigError.

    Cheap to call: the file is parsed again only after it changed.
    """
    path = settings.config_file or Path("config.yaml")
    if settings.config_file is None and not path.is_file():
        path = SHIPPED
    try:
        found = path.stat()
        stamp = (found.st_mtime_ns, found.st_size)
    except OSError:
        stamp = (0, 0)
    return _parsed(path.absolute(), settings.demo_port, stamp)


@lru_cache(maxsize=4)
def _parsed(path: Path, demo_port: int, stamp: tuple[int, int]) -> Config:
    return load_config(path, demo_port)


def seed_providers(user: User, settings: Settings) -> None:
    """Give `user` what config.yaml has and they were never given; demo comes first.

    Idempotent. What the user edited stays as it is and what they deleted stays away. Meant
    to run inside the transaction that creates the user. Raises ConfigError.
    """
    _seed(user, read_config(settings))


def seed_everybody(settings: Settings) -> None:
    """`seed_providers` for every user, after a start that may have found a new config.yaml."""
    config = read_config(settings)
    wanted = set(_refs(config))
    for user in User.select():
        if not wanted <= set(user.seeded):
            with db.write():
                _seed(User.get_by_id(user.id), config)


def missing(user: User, settings: Settings) -> list[tuple[str, str]]:
    """(key, name) of config.yaml's providers that `user` has deleted."""
    present = {row.key for row in providers_of(user)}
    found = read_config(settings).providers.items()
    return [(key, item.display_name or key) for key, item in found if key not in present]


def restore(user: User, key: str, config: Config) -> Provider | None:
    """Give a deleted provider of config.yaml back, with all its models; None when
    config.yaml has no such provider or the user has one of that key."""
    item = config.providers.get(key)
    with db.write():
        if item is None or providers_of(user).where(Provider.key == key).exists():
            return None
        row = _add_provider(user, key, item)
        for model in item.models:
            _add_model(row, model)
        return row


def providers_of(user: User) -> Any:
    """The user's providers as a query, in the order pages show them."""
    mine = Provider.select().where(Provider.user == user.id)
    return mine.order_by(Provider.position, Provider.id)


def models_of(provider: Provider) -> Any:
    """A provider's models as a query, in the order pages show them."""
    mine = ModelEntry.select().where(ModelEntry.provider == provider.id)
    return mine.order_by(ModelEntry.position, ModelEntry.id)


def next_position(user: User) -> int:
    """The place after the last of the user's providers."""
    highest = Provider.select(fn.MAX(Provider.position)).where(Provider.user == user.id).scalar()
    return 0 if highest is None else int(highest) + 1


def _seed(user: User, config: Config) -> None:
    given = set(user.seeded)
    rows = {row.key: row for row in providers_of(user)}
    for key, item in config.providers.items():
        if key not in given and key not in rows:
            rows[key] = _add_provider(user, key, item)
        row = rows.get(key)
        if row is not None and row.origin == "config":
            _seed_models(row, item, given)
    user.seeded = sorted(given | set(_refs(config)))
    user.save(only=[User.seeded])


def _seed_models(row: Provider, item: ProviderConfig, given: set[str]) -> None:
    present = {model.model_id for model in models_of(row)}
    for model in item.models:
        if f"{row.key}/{model.id}" not in given and model.id not in present:
            _add_model(row, model)


def _refs(config: Config) -> list[str]:
    """What a user can be given: "demo", "demo/fast-small" ..."""
    found = []
    for key, item in config.providers.items():
        found.append(key)
        found += [f"{key}/{model.id}" for model in item.models]
    return found


def _add_provider(user: User, key: str, item: ProviderConfig) -> Provider:
    row: Provider = Provider.create(
        user=user,
        key=key,
        display_name=item.display_name or key,
        model_id_prefix=item.model_id_prefix,
        origin="config",
        position=-1 if key == DEMO else next_position(user),
    )
    return row


def _add_model(row: Provider, model: ModelConfig) -> None:
    ModelEntry.create(
        provider=row,
        model_id=model.id,
        display_name=model.display_name or model.id,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        skip_params=list(model.skip_params),
        input_cost_per_mtok=model.input_cost_per_mtok,
        output_cost_per_mtok=model.output_cost_per_mtok,
        system_prompt=model.system_prompt,
        position=models_of(row).count(),
    )
