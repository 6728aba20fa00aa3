"""The runs of a user, filtered and sorted in the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from peewee import JOIN, SQL, fn

from jobs import summaries
from webapp.history.filters import Filters
from webapp.models import ACTIVE_STATES, Job, Run, RunSummary, User

PAGE_SIZE = 25
RUNS_A_QUERY = 500
# Runs that a comparison offers to choose from.
RECENT = 100
# What a run without any sample adds up to.
NOTHING = summaries.summarise([])
# One of a run's targets, in a query over `json_each`.
_TARGET = SQL("target.value")
# Specs and notices can be long, and no list shows them.
_COLUMNS = (Run.id, Run.name, Run.targets, Run.created_at, Run.finished_at)


class Listed(NamedTuple):
    """A run in a list; a run whose job was forgotten is done."""

    run: Run
    state: str
    content: dict[str, Any]


class Page(NamedTuple):
    """One page of the runs that match; `total` counts all of them, pages count from 1."""

    runs: list[Listed]
    total: int
    number: int = 1
    last: int = 1

    @property
    def first_place(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1


def page(user: User, filters: Filters) -> Page:
    """The page that `filters` ask for, or the last one when it lies beyond."""
    total = _matching(user, filters).count()
    last = max(1, -(-total // PAGE_SIZE))
    number = min(filters.page, last)
    return Page(_listed(_ordered(user, filters).paginate(number, PAGE_SIZE)), total, number, last)


def every(user: User, filters: Filters) -> list[Listed]:
    """All runs that match, in the same order."""
    return _listed(_ordered(user, filters))


def latest(user: User, number: int) -> list[Listed]:
    """The newest runs; without figures while they go on, since a live page asks often."""
    query = _with_state(Run.select(*_COLUMNS, _state().alias("state"))).where(_mine(user))
    runs = list(query.order_by(-Run.created_at, -Run.id).limit(number).objects())
    contents = _contents([run.id for run in runs if run.state not in ACTIVE_STATES])
    return [Listed(run, run.state, contents.get(run.id, NOTHING)) for run in runs]


def has_any(user: User) -> bool:
    """Whether the user has a run at all."""
    return bool(Run.select().where(_mine(user)).exists())


def offered(user: User) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Providers and models of the user's runs as (key, label), by label, for the filters."""
    columns = [_part(name) for name in ("provider", "provider_label", "model", "label")]
    targets = Run.select(*columns).from_(Run, fn.json_each(Run.targets).alias("target"))
    rows: Any = targets.where(_mine(user)).order_by(Run.id).distinct().tuples()
    providers, models = {}, {}
    for provider, provider_label, model, label in rows:
        providers[provider] = provider_label or provider
        models[model] = label or model
    return _by_label(providers), _by_label(models)


def recent(user: User) -> list[Run]:
    """The newest runs, to choose from."""
    newest = Run.select(*_COLUMNS).where(_mine(user)).order_by(-Run.created_at, -Run.id)
    return list(newest.limit(RECENT))


def _by_label(names: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0]))


def _mine(user: User) -> Any:
    return (Run.user == user.id) & Run.deleted_at.is_null()


def _with_state(query: Any) -> Any:
    return query.join(Job, JOIN.LEFT_OUTER, on=(Run.job == Job.id))


def _state() -> Any:
    return fn.COALESCE(Job.state, "done")


def _part(name: str) -> Any:
    return fn.json_extract(_TARGET, f"$.{name}")


def _matching(user: User, filters: Filters, *columns: Any) -> Any:
    query = _with_state(Run.select(*columns or (Run.id,)))
    wanted = [_mine(user), *(_mentions(word) for word in filters.q.split())]
    asked = {"provider": filters.provider, "model": filters.model}
    if any(asked.values()):
        wanted.append(_has_target(*(_part(key) == value for key, value in asked.items() if value)))
    if filters.state:
        wanted.append(_state() == filters.state)
    first, before = filters.period
    if first is not None:
        wanted.append(Run.created_at >= first)
    if before is not None:
        wanted.append(Run.created_at < before)
    return query.where(*wanted)


def _mentions(word: str) -> Any:
    """The word stands in the run's name, or in that of one of its models or providers."""
    names = ("label", "model", "provider_label", "provider")
    found = [_contains(_part(name), word) for name in names]
    return _contains(Run.name, word) | _has_target(found[0] | found[1] | found[2] | found[3])


def _contains(text: Any, word: str) -> Any:
    """SQLite's LIKE takes no notice of case in ASCII only, so other letters are tried in
    the ways people write them."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.title()}
    first, *others = sorted(spellings)
    found = text.contains(first)
    for other in others:
        found |= text.contains(other)
    return found


def _has_target(*conditions: Any) -> Any:
    """One of the run's targets is like that."""
    targets = Run.select(SQL("1")).from_(fn.json_each(Run.targets).alias("target"))
    return fn.EXISTS(targets.where(*conditions))


_SORTED_BY = {
    "when": lambda: Run.created_at,
    "name": lambda: fn.LOWER(Run.name),
    "state": _state,
    "ok": lambda: RunSummary.ok,
    "speed": lambda: RunSummary.output_tps,
    "first": lambda: RunSummary.ttft_ms,
    "cost": lambda: RunSummary.cost_usd,
}
_SUMMARISED = ("ok", "speed", "first", "cost")


def _ordered(user: User, filters: Filters) -> Any:
    """Runs without the figure come last whichever way; equal ones newest first."""
    if filters.sort in _SUMMARISED:
        summaries.refresh(_matching(user, filters))
    value: Any = _SORTED_BY[filters.sort]()  # type: ignore[no-untyped-call]
    query = _matching(user, filters, *_COLUMNS, _state().alias("state")).join_from(
        Run, RunSummary, JOIN.LEFT_OUTER, on=(RunSummary.run == Run.id)
    )
    way = value.desc() if filters.descending else value.asc()
    return query.order_by(value.is_null(), way, -Run.created_at, -Run.id)


def _listed(query: Any) -> list[Listed]:
    runs = list(query.objects())
    found: list[Listed] = []
    for start in range(0, len(runs), RUNS_A_QUERY):
        part = runs[start : start + RUNS_A_QUERY]
        contents = _contents([run.id for run in part])
        found += (Listed(run, run.state, contents[run.id]) for run in part)
    return found


def _contents(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    summaries.refresh(ids)
    rows = RunSummary.select(RunSummary.run, RunSummary.content).where(RunSummary.run.in_(ids))
    return dict.fromkeys(ids, NOTHING) | {row.run_id: row.content for row in rows}
