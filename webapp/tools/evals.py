"""Evaluations in lists: filtered in the database, each with the best model's rate."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

from peewee import JOIN, fn

from webapp.models import ACTIVE_STATES, Eval, Job, User
from webapp.tools.cells import Column, figures
from webapp.tools.filters import Filters
from webapp.tools.rates import Rate, rate

LATEST = 6
RECENT = 100
PAGE_SIZE = 25
# Summaries that are remembered; the one looked at longest ago is forgotten first.
KEPT = 500
# What a list needs of an evaluation; its suite can be long.
_COLUMNS = (Eval.id, Eval.name, Eval.spec, Eval.targets, Eval.created_at, Eval.finished_at)


class Summary(NamedTuple):
    """What an ended evaluation came to: its best model, and requests without an answer."""

    best: Column | None = None
    rate: Rate = Rate(0, 0)
    failed: int = 0
    cases: int = 0


class Listed(NamedTuple):
    """An evaluation in a list; one whose job was forgotten is done."""

    row: Eval
    state: str
    models: list[str]
    suite: str
    summary: Summary


class Page(NamedTuple):
    """One page of the evaluations that match; `total` counts all of them."""

    evals: list[Listed]
    total: int
    number: int = 1
    last: int = 1


def latest(user: User) -> list[Listed]:
    """The newest evaluations."""
    return [_listed(row) for row in _query(user, Filters()).limit(LATEST).objects()]


def recent(user: User) -> list[Eval]:
    """The newest evaluations, to choose from."""
    return list(_query(user, Filters()).limit(RECENT).objects())


def page(user: User, filters: Filters) -> Page:
    """The page that `filters` ask for, or the last one when it lies beyond."""
    query = _query(user, filters)
    total = query.count()
    last = max(1, -(-total // PAGE_SIZE))
    number = min(filters.page, last)
    rows = query.paginate(number, PAGE_SIZE).objects()
    return Page([_listed(row) for row in rows], total, number, last)


def every(user: User, filters: Filters) -> list[Listed]:
    """All evaluations that match, in the same order."""
    return [_listed(row) for row in _query(user, filters).objects()]


def has_any(user: User) -> bool:
    """Whether the user has an evaluation at all."""
    return bool(_query(user, Filters()).limit(1).exists())


def suites_of(user: User) -> list[tuple[str, str]]:
    """Names of the suites that were evaluated, for the filter."""
    rows: Any = Eval.select(_suite_name()).where(_mine(user)).distinct().tuples()
    return [(name, name) for (name,) in sorted(rows) if name]


def _mine(user: User) -> Any:
    return (Eval.user == user.id) & Eval.deleted_at.is_null()


def _state() -> Any:
    return fn.COALESCE(Job.state, "done")


def _suite_name() -> Any:
    return fn.json_extract(Eval.suite, "$.name")


_SORTS = {"when": lambda: Eval.created_at, "name": lambda: fn.LOWER(Eval.name), "state": _state}


def _query(user: User, filters: Filters) -> Any:
    extra = (_state().alias("state"), _suite_name().alias("suite_name"),
             Job.finished_at.alias("ended_at"))  # fmt: skip
    query = Eval.select(*_COLUMNS, *extra).join(Job, JOIN.LEFT_OUTER, on=(Eval.job == Job.id))
    wanted = [_mine(user), *(_mentions(word) for word in filters.q.split())]
    if filters.state:
        wanted.append(_state() == filters.state)
    if filters.suite:
        wanted.append(_suite_name() == filters.suite)
    value: Any = _SORTS[filters.sort]()
    way = value.desc() if filters.descending else value.asc()
    return query.where(*wanted).order_by(way, -Eval.created_at, -Eval.id)


def _mentions(word: str) -> Any:
    """The word stands in the evaluation's name, its suite's or that of one of its models."""
    models = fn.json_extract(Eval.spec, "$.targets")
    return Eval.name.contains(word) | _suite_name().contains(word) | models.contains(word)


def _listed(row: Any) -> Listed:
    labels = {(t["provider"], t["model"]): t["label"] for t in row.targets}
    refs = [(t["provider"], t["model"]) for t in row.spec["targets"]]
    models = [labels.get(ref) or ref[1] for ref in refs]
    summary = Summary() if row.state in ACTIVE_STATES else _summary(row)
    return Listed(row, row.state, models, row.suite_name or "", summary)


def _summary(row: Any) -> Summary:
    key = (row.id, row.created_at, row.ended_at)
    with _lock:
        known = _summaries.get(key)
        if known is not None:
            _summaries.move_to_end(key)
            return known
    found = summarise(Eval.get_by_id(row.id))
    with _lock:
        _summaries[key] = found
        while len(_summaries) > KEPT:
            _summaries.popitem(last=False)
    return found


def summarise(row: Eval) -> Summary:
    """What an evaluation came to."""
    known = figures(row)
    rates = [(column, rate(known, column)) for column in known.columns]
    scored = [item for item in rates if item[1].counted]
    if not scored:
        return Summary(failed=known.failed, cases=len(known.cases))
    best = max(scored, key=lambda item: item[1].share or 0.0)
    return Summary(*best, known.failed, len(known.cases))


_lock = threading.Lock()
_summaries: OrderedDict[tuple[Any, ...], Summary] = OrderedDict()
