"""The runs of a user, filtered and ordered in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import JOIN, SQL, Case, Desc, Window, fn

from webapp.history.filters import Filters
from webapp.models import Job, Run, SampleRow, User

PAGE_SIZE = 25
# A target stored with a run, one row each in a query over `json_each`.
_TARGET = SQL("target.value")


def listed(user: User, filters: Filters, every: bool = False) -> list[Run]:
    """The runs that match, with their jobs: one page of them, or `every` one."""
    query = _ordered(_chosen(user, filters), filters)
    return list(query if every else query.paginate(filters.page, PAGE_SIZE))


def count(user: User, filters: Filters) -> int:
    """How many runs match."""
    return int(_chosen(user, filters).count())


def has_any(user: User) -> bool:
    """Whether the user has a run at all."""
    return bool(Run.select().where(_mine(user)).exists())


def names(user: User) -> tuple[list[str], list[str]]:
    """Providers and models among the user's runs, for the filters."""
    providers, models = _part("provider"), _part("model")
    rows: Any = _targets_of(Run, [providers, models]).where(_mine(user)).distinct().tuples()
    found = list(rows)
    return sorted({row[0] for row in found}), sorted({row[1] for row in found})


def recent(user: User, limit: int = 200) -> list[Run]:
    """The newest runs, to choose from."""
    return list(Run.select().where(_mine(user)).order_by(-Run.created_at, -Run.id).limit(limit))


def _mine(user: User) -> Any:
    return (Run.user == user.id) & Run.deleted_at.is_null()


def _part(key: str) -> Any:
    return fn.json_extract(_TARGET, f"$.{key}")


def _targets_of(run: Any, columns: Iterable[Any]) -> Any:
    return run.select(*columns).from_(run, fn.json_each(run.targets).alias("target"))


def _chosen(user: User, filters: Filters) -> Any:
    query = Run.select(Run, Job).join(Job, JOIN.LEFT_OUTER, on=(Run.job == Job.id))
    first, before = filters.period()
    wanted = [_mine(user), *(_mentions(word) for word in filters.q.split())]
    wanted += [
        Run.id.in_(_having(_part(key) == value))  # type: ignore[attr-defined]
        for key in ("provider", "model")
        if (value := getattr(filters, key))
    ]
    if filters.state:
        wanted.append(_state() == filters.state)
    if first is not None:
        wanted.append(Run.created_at >= first)
    if before is not None:
        wanted.append(Run.created_at < before)
    return query.where(*wanted)


def _mentions(word: str) -> Any:
    """The word is in the run's name or in the name of one of its models or providers."""
    keys = ("label", "model", "provider", "provider_label")
    parts = [_part(key).contains(word) for key in keys]
    return Run.name.contains(word) | Run.id.in_(  # type: ignore[attr-defined]
        _having(parts[0] | parts[1] | parts[2] | parts[3])
    )


def _having(condition: Any) -> Any:
    """Ids of the runs with a target like that."""
    other = Run.alias("other")
    return _targets_of(other, [other.id]).where(condition)


def _state() -> Any:
    """The job's state; a run whose job is gone is done."""
    return fn.COALESCE(Job.state, "done")


def _ordered(query: Any, filters: Filters) -> Any:
    plain = {
        "when": Run.created_at,
        "name": fn.LOWER(Run.name),
        "state": _state(),
    }
    value = plain.get(filters.sort)
    if value is None:
        figures = _FIGURES[filters.sort]().alias("figures")
        query = query.join_from(Run, figures, JOIN.LEFT_OUTER, on=(figures.c.run_id == Run.id))
        value = figures.c.figure
    # Runs without the figure come last, whichever way.
    unknown = Case(None, [(value.is_null(), 1)], 0)
    way = value if filters.dir == "asc" else Desc(value)
    return query.order_by(unknown, way, -Run.created_at, -Run.id)


def _ok_count() -> Any:
    measured = (SampleRow.outcome == "ok") & ~SampleRow.warmup
    return (
        SampleRow.select(SampleRow.run, fn.COUNT(SampleRow.id).alias("figure"))
        .where(measured)
        .group_by(SampleRow.run)
    )


def _cost() -> Any:
    """What a run cost in all; unknown where an answer's price is."""
    unknown = fn.SUM((SampleRow.outcome == "ok") & SampleRow.cost_usd.is_null())
    total = Case(None, [(unknown > 0, None)], fn.SUM(SampleRow.cost_usd))
    return SampleRow.select(SampleRow.run, total.alias("figure")).group_by(SampleRow.run)


def _best_speed() -> Any:
    return _best_median(SampleRow.output_tps, fn.MAX)


def _best_first() -> Any:
    return _best_median(SampleRow.ttft_ms, fn.MIN)


def _best_median(column: Any, best: Any) -> Any:
    """The best median among the models of a run, at its smallest context size: what the
    run's cards show, found for all runs at once."""
    ok = (SampleRow.outcome == "ok") & ~SampleRow.warmup & column.is_null(False)
    smallest = fn.MIN(SampleRow.context_tokens).over(partition_by=[SampleRow.run])
    group = [SampleRow.run, SampleRow.context_tokens, SampleRow.provider, SampleRow.model]
    window = Window(partition_by=group, order_by=[column])
    whole = Window(partition_by=group)
    ranked = SampleRow.select(
        SampleRow.run,
        SampleRow.provider,
        SampleRow.model,
        SampleRow.context_tokens,
        column.alias("value"),
        smallest.alias("smallest"),
        fn.ROW_NUMBER().over(window).alias("place"),
        fn.COUNT(SampleRow.id).over(whole).alias("n"),
    ).where(ok).window(window, whole).alias("ranked")  # fmt: skip
    c = ranked.c
    middle = (c.place >= c.n / 2.0) & (c.place <= c.n / 2.0 + 1)
    medians = (
        SampleRow.select(c.run_id, fn.AVG(c.value).alias("median"))
        .from_(ranked)
        .where(middle & (c.context_tokens == c.smallest))
        .group_by(c.run_id, c.provider, c.model)
        .alias("medians")
    )
    return (
        SampleRow.select(medians.c.run_id, best(medians.c.median).alias("figure"))
        .from_(medians)
        .group_by(medians.c.run_id)
    )


_FIGURES = {"ok": _ok_count, "cost": _cost, "speed": _best_speed, "first": _best_first}
