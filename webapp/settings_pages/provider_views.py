"""Providers: the list, new ones, and what belongs to one as a whole."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for

from webapp import htmx, vault
from webapp.access import me, own_or_404
from webapp.models import Provider
from webapp.settings_pages import checks, contexts, store
from webapp.settings_pages.blueprint import bp, settings
from webapp.settings_pages.forms import NewProviderForm, ProviderForm

LIST = "settings_pages/providers.html"
PAGE = "settings_pages/provider.html"


@bp.get("/providers")
def providers() -> str:
    """All providers, and the forms that add one."""
    return render_template(LIST, **contexts.providers())


@bp.post("/providers")
def add_provider() -> Response:
    """Add a provider of one's own, and ask it for its models at once."""
    form = NewProviderForm(request.form, settings().allow_private_endpoints)
    row = _added(form) if form.is_valid() else None
    if row is None:
        fragment = "settings_pages/_new_provider_form.html"
        return htmx.form_page(LIST, fragment, **contexts.providers(form=form))
    checks.start(me(), row, "model_list")
    return htmx.done(_url(row), f"{row.display_name} is added.")


@bp.post("/providers/restore")
def restore() -> Response:
    """Give back a provider of config.yaml that was deleted."""
    row = store.restore_provider(settings(), me(), request.form.get("key", ""))
    if row is None:
        abort(404)
    return htmx.done(url_for(".providers"), f"{row.display_name} is back with its models.")


@bp.get("/providers/<int:provider_id>")
def provider(provider_id: int) -> str:
    """A provider and its models."""
    row = own_or_404(Provider, provider_id)
    return render_template(PAGE, **contexts.provider(row))


@bp.post("/providers/<int:provider_id>")
def edit_provider(provider_id: int) -> Response:
    """Change name and address."""
    row = own_or_404(Provider, provider_id)
    form = ProviderForm(request.form, row, settings().allow_private_endpoints)
    if not form.is_valid():
        fragment = "settings_pages/_provider_form.html"
        return htmx.form_page(PAGE, fragment, **contexts.provider(row, form=form))
    forgot = store.edit_provider(me(), row, form.cleaned["name"], form.cleaned["base_url"])
    note = " The address is another, so its key is forgotten. Save it again." if forgot else ""
    return htmx.done(_url(row), f"{form.cleaned['name']} is saved.{note}")


@bp.post("/providers/<int:provider_id>/delete")
def delete_provider(provider_id: int) -> Response:
    """Delete a provider with its models and its key."""
    row = own_or_404(Provider, provider_id)
    store.delete_provider(me(), row)
    return htmx.done(url_for(".providers"), f"{row.display_name} is deleted.")


@bp.post("/providers/<int:provider_id>/fetch")
def fetch(provider_id: int) -> Response:
    """Ask the provider for its models; the answer is a fragment that fetches its result."""
    row = own_or_404(Provider, provider_id)
    check = checks.start(me(), row, "model_list")
    store.audit(me(), "model.list", row.key)
    if not htmx.is_htmx():
        return htmx.go(_url(row))
    context = contexts.found(row) | {"check": check}
    return Response(render_template("settings_pages/_found.html", **context))


def _added(form: NewProviderForm) -> Provider | None:
    """The provider the form describes; None, with a message in the form, when it cannot be."""
    name, base, key = (form.cleaned[field] for field in ("name", "base_url", "api_key"))
    try:
        return store.add_provider(settings(), me(), name, form.prefix, base, key)
    except (store.Full, vault.VaultError) as error:
        form.errors["name"] = str(error)
        return None


def _url(row: Provider) -> str:
    return url_for(".provider", provider_id=row.id)
