"""What a run adds up to, kept so that lists and reports need not read its samples."""

from __future__ import annotations

from peewee import CharField, DoubleField, ForeignKeyField, IntegerField

from webapp.models.base import JSONText, Table
from webapp.models.runs import Run


class RunSummary(Table):
    """Written by `jobs.summaries` only; `stamp` says what it was made from.

    `content` is what lists and files show, in the words of `studio.bench/1`. The other
    columns repeat what lists are sorted by: the best output speed in tokens/s, the earliest
    first token in ms and the cost in USD, None where nothing answered or a price is unknown.
    """

    run = ForeignKeyField(Run, unique=True, backref="summary", on_delete="CASCADE")
    run_id: int
    stamp = CharField(max_length=60)
    ok = IntegerField()
    output_tps = DoubleField(null=True)
    ttft_ms = DoubleField(null=True)
    cost_usd = DoubleField(null=True)
    content = JSONText()


class RunDigest(Table):
    """Written by `jobs.digests` only: what the report of a run draws, as JSON; `stamp` says
    what it was made from. Apart from the summary, because lists read those by the dozen."""

    run = ForeignKeyField(Run, unique=True, on_delete="CASCADE")
    run_id: int
    stamp = CharField(max_length=60)
    content = JSONText()
