"""API keys: write-only, one for each provider."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from webapp import htmx, vault
from webapp.access import me, own_or_404
from webapp.models import Provider
from webapp.settings_pages import checks, queries, store
from webapp.settings_pages.blueprint import bp, settings
from webapp.settings_pages.forms import KeyForm


@bp.get("/keys")
def keys() -> str:
    """One row for each provider."""
    return _page()


@bp.post("/keys/<int:provider_id>")
def set_key(provider_id: int) -> Response:
    """Store a key; it is never shown again."""
    provider = own_or_404(Provider, provider_id)
    form = KeyForm(request.form)
    if not form.is_valid():
        return _refused(provider, form.errors)
    try:
        store.set_key(settings(), me(), provider, form.cleaned["api_key"])
    except vault.VaultError as error:
        return _refused(provider, {"api_key": str(error)})
    return _changed(provider, f"The key of {provider.display_name} is saved.")


@bp.post("/keys/<int:provider_id>/delete")
def delete_key(provider_id: int) -> Response:
    """Forget a key."""
    provider = own_or_404(Provider, provider_id)
    store.delete_key(me(), provider)
    return _changed(provider, f"The key of {provider.display_name} is deleted.")


@bp.post("/keys/<int:provider_id>/test")
def test_key(provider_id: int) -> Response:
    """Start a test; the answer is a fragment that fetches its own result."""
    provider = own_or_404(Provider, provider_id)
    check = checks.start(me(), provider, "key_test")
    store.audit(me(), "key.test", provider.key)
    if not htmx.is_htmx():
        return htmx.go(url_for(".keys"))
    return Response(render_template("settings_pages/_key_check.html", check=check))


def _page(refused: Provider | None = None, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "settings_pages/keys.html",
        rows=queries.key_rows(me(), settings()),
        refused=refused,
        errors=errors or {},
    )


def _changed(provider: Provider, text: str) -> Response:
    if not htmx.is_htmx():
        return htmx.done(url_for(".keys"), text)
    return htmx.toast(_row(provider, {}), text)


def _refused(provider: Provider, errors: dict[str, str]) -> Response:
    if not htmx.is_htmx():
        return Response(_page(provider, errors), 422)
    return _row(provider, errors, 422)


def _row(provider: Provider, errors: dict[str, str], status: int = 200) -> Response:
    row = queries.key_row(me(), settings(), provider)
    body = render_template("settings_pages/_key.html", row=row, errors=errors)
    return Response(body, status)
