"""What a page can follow: a topic is a word, and perhaps the id of a row, and gives the
fragments of that page as they are now.

An area registers its topic beside its queries, with the table whose rows the ids name:

    @topic("run", Run)
    def fragments(user: User, row_id: int) -> Fragments | None: ...

Each fragment is one whole element whose `id` is the key it stands under; the page already
has an element of that id. A fragment must look the same for every browser of its user: no
CSRF token (use the macro `post`), no flash messages, nothing of the request. None means
that there is no such thing for this user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from webapp.models import Table, User

Fragments = Mapping[str, str]
Source = Callable[[User, int], Fragments | None]

_sources: dict[str, Source] = {}
_tables: dict[str, type[Table] | None] = {}


class Topic(NamedTuple):
    """A topic as a page asks for it: `run:17`, or `home`, whose id is 0."""

    name: str
    row_id: int = 0


def topic(name: str, table: type[Table] | None = None) -> Callable[[Source], Source]:
    """Register the source of a topic's fragments; without a `table` it takes no id."""

    def register(source: Source) -> Source:
        _sources[name], _tables[name] = source, table
        return source

    return register


def parse(text: str) -> Topic | None:
    """`run:17` or `home`; None when there is no such topic."""
    name, colon, number = text.partition(":")
    if name not in _sources or bool(colon) != (_tables[name] is not None):
        return None
    if colon and not (number.isdecimal() and len(number) < 19):
        return None
    return Topic(name, int(number or 0))


def table_of(wanted: Topic) -> type[Table] | None:
    """The table whose row a topic is about."""
    return _tables[wanted.name]


def fragments_of(user: User, wanted: Topic) -> Fragments | None:
    """The present fragments, in the order in which they are sent."""
    return _sources[wanted.name](user, wanted.row_id)
