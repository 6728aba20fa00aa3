"""What the pages with several forms need, whichever of the forms is shown again."""

from __future__ import annotations

from typing import Any

from jobs.targets import describe_access
from webapp import catalog
from webapp.access import me
from webapp.models import Provider
from webapp.settings_pages import checks, queries
from webapp.settings_pages.blueprint import settings
from webapp.settings_pages.forms import NewModelForm, NewProviderForm, ProviderForm


def providers(**forms: Any) -> dict[str, Any]:
    """The list of providers; `forms` replaces the empty `form`."""
    return {
        "rows": queries.provider_rows(me(), settings()),
        "missing": catalog.missing(me(), settings()),
        "choices": queries.litellm_choices(),
        "form": NewProviderForm(None, settings().allow_private_endpoints),
        **forms,
    }


def provider(row: Provider, **forms: Any) -> dict[str, Any]:
    """A provider's page; `forms` replaces the untouched `form` or `new_model`."""
    return {
        "access": describe_access(me(), settings())[row.key],
        "rows": queries.model_rows(me(), settings(), row),
        "form": ProviderForm(None, row, settings().allow_private_endpoints),
        "new_model": NewModelForm(None),
        **found(row),
        **forms,
    }


def found(row: Provider) -> dict[str, Any]:
    """The last model list of a provider, and which models it has already."""
    return {
        "provider": row,
        "check": checks.latest(me(), "model_list", [row]).get(row.id),
        "present": {entry.model_id for entry in catalog.models_of(row)},
    }
