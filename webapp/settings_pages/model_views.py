"""Models: taken over from a list, added by hand, edited, switched off, deleted."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, render_template, request, url_for

from jobs.targets import model_id_problem
from webapp import htmx
from webapp.access import me, own_or_404
from webapp.models import Job, ModelEntry, Provider
from webapp.settings_pages import checks, contexts, queries, store
from webapp.settings_pages.blueprint import bp, settings
from webapp.settings_pages.forms import ModelForm, NewModelForm


@bp.post("/providers/<int:provider_id>/models")
def add_model(provider_id: int) -> Response:
    """Add a model by hand."""
    row = own_or_404(Provider, provider_id)
    form = NewModelForm(request.form, contexts.found(row)["present"])
    if form.is_valid():
        try:
            store.add_models(me(), row, [form.cleaned])
        except store.Full as error:
            form.errors["model_id"] = str(error)
        else:
            return htmx.done(_url(row), f"{form.cleaned['display_name']} is added.")
    pages = "settings_pages/provider.html", "settings_pages/_new_model_form.html"
    return htmx.form_page(*pages, **contexts.provider(row, new_model=form))


@bp.post("/providers/<int:provider_id>/import")
def import_models(provider_id: int) -> Response:
    """Add the ticked models of the last list, as the list described them."""
    row = own_or_404(Provider, provider_id)
    job = own_or_404(Job, request.form.get("check", 0, type=int))
    if job.kind != "model_list" or job.subject != row.id or not job.result:
        abort(404)
    ticked = set(request.form.getlist("model"))
    chosen = [_columns(m) for m in job.result["models"] if m["id"] in ticked]
    if not chosen:
        abort(422, "Tick at least one model of the list.")
    if refused := next((m for m in chosen if model_id_problem(m["model_id"])), None):
        abort(422, f"{refused['model_id']}: {model_id_problem(refused['model_id'])}")
    try:
        added = store.add_models(me(), row, chosen)
    except store.Full as error:
        abort(422, str(error))
    checks.forget(me(), "model_list", row)
    return htmx.done(_url(row), f"{added} model{'' if added == 1 else 's'} added.")


@bp.get("/models/<int:model_id>")
def model(model_id: int) -> str:
    """A model's form."""
    entry = own_or_404(ModelEntry, model_id)
    form = ModelForm(None, entry)
    return render_template("settings_pages/model.html", **_context(entry, form))


@bp.post("/models/<int:model_id>")
def edit_model(model_id: int) -> Response:
    """Change a model."""
    entry = own_or_404(ModelEntry, model_id)
    form = ModelForm(request.form, entry)
    if not form.is_valid():
        pages = "settings_pages/model.html", "settings_pages/_model_form.html"
        return htmx.form_page(*pages, **_context(entry, form))
    store.edit_model(me(), entry, **form.cleaned)
    return htmx.done(_url(entry.provider), f"{form.cleaned['display_name']} is saved.")


@bp.post("/models/<int:model_id>/enabled")
def set_enabled(model_id: int) -> Response:
    """Switch a model on or off: forms offer only what is on."""
    entry = own_or_404(ModelEntry, model_id)
    wanted = {"on": True, "off": False}.get(request.args.get("enabled", ""))
    if wanted is None:
        abort(422, "Say on or off.")
    store.edit_model(me(), entry, f"model.{'on' if wanted else 'off'}", enabled=wanted)
    said = f"{entry.display_name} is {'offered again' if wanted else 'no longer offered'}."
    if not htmx.is_htmx():
        return htmx.done(_url(entry.provider), said)
    row = queries.model_row(me(), settings(), own_or_404(ModelEntry, model_id))
    return htmx.toast(Response(render_template("settings_pages/_model.html", row=row)), said)


@bp.post("/models/<int:model_id>/delete")
def delete_model(model_id: int) -> Response:
    """Delete a model."""
    entry = own_or_404(ModelEntry, model_id)
    store.delete_model(me(), entry)
    return htmx.done(_url(entry.provider), f"{entry.display_name} is deleted.")


def _context(entry: ModelEntry, form: ModelForm) -> dict[str, Any]:
    row = queries.model_row(me(), settings(), entry)
    return {"entry": entry, "provider": entry.provider, "form": form, "row": row}


def _columns(found: dict[str, Any]) -> dict[str, Any]:
    """A found model as columns of ModelEntry; prices stay LiteLLM's until somebody sets them."""
    return {
        "model_id": found["id"],
        "display_name": found["name"],
        "context_window": found["context_window"],
        "max_output_tokens": found["max_output_tokens"],
    }


def _url(row: Provider) -> str:
    return url_for(".provider", provider_id=row.id)
