"""Who may see what: every page needs a signed-in user unless it says otherwise, and
somebody else's row is the same 404 as a row that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import abort, current_app, request
from flask_login import current_user

from webapp.extensions import login_manager
from webapp.models import Table, User

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

Row = TypeVar("Row", bound=Table)
View = TypeVar("View", bound=Callable[..., Any])

# The database refuses to compare with anything larger.
_LARGEST_ID = 2**63 - 1


def init_app(app: Flask) -> None:
    """Load the session's user and close every page that is not marked `public`."""
    login_manager.user_loader(user_of)
    login_manager.session_protection = None
    login_manager.unauthorized_handler(lambda: abort(401))
    app.before_request(_require_user)


def public(view: View) -> View:
    """Mark a view as open to strangers."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def me() -> User:
    """The signed-in user; 401 when there is none."""
    if not current_user.is_authenticated:
        abort(401)
    return cast(User, current_user._get_current_object())


def own_or_404(model: type[Row], row_id: int, deleted: bool = False) -> Row:
    """The row `row_id` when it belongs to the signed-in user, else 404.

    A row without a user of its own belongs to the owner of the row it hangs on (a model to
    its provider's). Rows in their undo period count as gone unless `deleted` is true.
    """
    if not 0 < row_id <= _LARGEST_ID:
        abort(404)
    fields = model._meta.fields
    query = model.select().where(model._meta.primary_key == row_id)
    if "user" in fields:
        query = query.where(fields["user"] == me().id)
    else:
        parent = next(f for f in model._meta.refs if "user" in f.rel_model._meta.fields)
        query = query.join(parent.rel_model, on=parent).where(parent.rel_model.user == me().id)
    if "deleted_at" in fields:
        query = query.where(fields["deleted_at"].is_null(not deleted))
    row = query.first()
    if row is None:
        abort(404)
    return cast(Row, row)


def user_of(key: str) -> User | None:
    """The user that `User.get_id` named; None when the account is gone or disabled, or when
    its `session_epoch` has grown since."""
    number, _, epoch = key.partition(".")
    if not (number.isdecimal() and epoch.isdecimal()):
        return None
    user = User.get_or_none(User.id == int(number), User.session_epoch == int(epoch))
    return None if user is None or user.is_disabled else user


def _require_user() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "is_public", False) or current_user.is_authenticated:
        return None
    abort(401)
