"""What the settings pages write. Every act is one short transaction with its audit entry."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import request

from webapp import catalog, db, vault
from webapp.models import ApiKey, AuditEntry, ModelEntry, Provider, User

if TYPE_CHECKING:
    from webapp.settings import Settings

PROVIDERS_MAX = 100
MODELS_MAX = 2_000
# Keys shorter than this show nothing of themselves.
_SHOWN_FROM_CHARS = 12


class Full(Exception):
    """A limit is reached; the message says which."""


def audit(user: User, action: str, detail: str = "") -> None:
    """Note an act; `detail` never holds a secret."""
    AuditEntry.create(
        user=user, action=action, detail=detail[:500], address=(request.remote_addr or "")[:64]
    )


def set_key(settings: Settings, user: User, provider: Provider, text: str) -> None:
    """Store the key of a provider in place of an earlier one. Raises VaultError."""
    values = {
        "token": vault.encrypt(settings, text),
        "last4": text[-4:] if len(text) >= _SHOWN_FROM_CHARS else "",
        "updated_at": time.time(),
    }
    with db.write():
        if not ApiKey.update(values).where(ApiKey.provider == provider.id).execute():
            ApiKey.create(provider=provider, user=user, **values)
        audit(user, "key.set", provider.key)


def delete_key(user: User, provider: Provider) -> bool:
    """Forget the key of a provider; False when there was none."""
    with db.write():
        gone = bool(ApiKey.delete().where(ApiKey.provider == provider.id).execute())
        if gone:
            audit(user, "key.delete", provider.key)
    return gone


def add_provider(
    settings: Settings, user: User, name: str, prefix: str, base: str | None, key: str | None
) -> Provider:
    """A provider of the user's own, with its key if there is one. Raises Full, VaultError."""
    reserved = set(catalog.read_config(settings).providers)
    with db.write():
        taken = {row.key for row in catalog.providers_of(user)}
        if len(taken) >= PROVIDERS_MAX:
            raise Full(f"You have {PROVIDERS_MAX} providers; delete one first.")
        row: Provider = Provider.create(
            user=user,
            key=_free_key(name, taken | reserved),
            display_name=name,
            model_id_prefix=prefix,
            api_base=base,
            position=catalog.next_position(user),
        )
        audit(user, "provider.add", f"{row.key} {base or prefix}")
        if key:
            set_key(settings, user, row, key)
    return row


def edit_provider(user: User, provider: Provider, name: str, base: str | None) -> bool:
    """Change name and address. True when the address moved to another host: the stored key
    is forgotten then, so that nobody reads a write-only key by pointing it at themselves."""
    moved = provider.origin == "user" and _origin(base) != _origin(provider.api_base)
    with db.write():
        changes: dict[str, Any] = {"display_name": name}
        if provider.origin == "user":
            changes["api_base"] = base
        Provider.update(changes).where(Provider.id == provider.id).execute()
        audit(user, "provider.edit", provider.key)
        return delete_key(user, provider) if moved else False


def delete_provider(user: User, provider: Provider) -> None:
    """Delete a provider with its models and its key."""
    with db.write():
        Provider.delete().where(Provider.id == provider.id).execute()
        audit(user, "provider.delete", provider.key)


def restore_provider(settings: Settings, user: User, key: str) -> Provider | None:
    """Give back a deleted provider of config.yaml; None when there is nothing to give."""
    config = catalog.read_config(settings)
    with db.write():
        row = catalog.restore(user, key, config)
        if row is not None:
            audit(user, "provider.restore", key)
    return row


def add_models(user: User, provider: Provider, found: Iterable[dict[str, Any]]) -> int:
    """Add models that are not there yet, each a dict of ModelEntry columns; returns how many
    were added. Raises Full, and adds none then."""
    with db.write():
        present = {entry.model_id for entry in catalog.models_of(provider)}
        fresh = [item for item in found if item["model_id"] not in present]
        if len(present) + len(fresh) > MODELS_MAX:
            raise Full(f"A provider holds {MODELS_MAX:,} models at most; tick fewer.")
        for place, item in enumerate(fresh, start=len(present)):
            ModelEntry.create(provider=provider, position=place, **item)
        if fresh:
            names = ", ".join(item["model_id"] for item in fresh)
            audit(user, "model.add", f"{provider.key}: {names}")
    return len(fresh)


def edit_model(user: User, entry: ModelEntry, action: str = "model.edit", **changes: Any) -> None:
    """Change columns of a model."""
    with db.write():
        ModelEntry.update(changes).where(ModelEntry.id == entry.id).execute()
        audit(user, action, f"{entry.provider.key}/{entry.model_id}")


def delete_model(user: User, entry: ModelEntry) -> None:
    """Delete a model."""
    with db.write():
        ModelEntry.delete().where(ModelEntry.id == entry.id).execute()
        audit(user, "model.delete", f"{entry.provider.key}/{entry.model_id}")


def _free_key(name: str, taken: set[str]) -> str:
    """A word for URLs and specs, from the name: "Acme GmbH" is acme-gmbh, the next acme-gmbh-2."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "provider"
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key


def _origin(url: str | None) -> tuple[str, str]:
    parts = urlsplit(url or "")
    return parts.scheme, parts.netloc.lower()
