"""Who is woken, when, and what is rendered how often. The database is a real one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from tests.helpers import eventually
from tests.webapp.conftest import Person
from webapp.live.hub import POLL_S, Hub, Shown, Subscriber
from webapp.models import User
from webapp.settings import Settings

# Longer than a few looks of the watcher.
A_WHILE_S = POLL_S * 6
SHOWN = Shown("1.0", ())


@pytest.fixture
def hub(app: Flask) -> Iterator[Hub]:
    hub = Hub()
    yield hub
    for subscriber in list(hub._subscribers):
        hub.leave(subscriber)
    eventually(lambda: hub._thread is None, what="the end of the watcher")


def join(hub: Hub, shown: Shown = SHOWN) -> Subscriber:
    """A subscriber, once the start of the watcher has been told."""
    subscriber = Subscriber(lambda: True, shown)
    hub.join(subscriber)
    eventually(lambda: quiet(subscriber), what="a quiet start")
    return subscriber


def quiet(subscriber: Subscriber) -> bool:
    """True when nothing wakes it for a while."""
    subscriber.woken.clear()
    return not subscriber.woken.wait(A_WHILE_S)


def test_a_commit_wakes_everybody(hub: Hub, alice: Person) -> None:
    first, second = join(hub), join(hub, Shown("2.0", ()))

    User.update(theme="dark").execute()

    assert first.woken.wait(2)
    assert second.woken.wait(2)


def test_another_process_is_noticed_too(hub: Hub, alice: Person, settings: Settings) -> None:
    subscriber = join(hub)

    with sqlite3.connect(settings.database_path) as other:
        other.execute("UPDATE user SET theme = 'light'")
    other.close()

    assert subscriber.woken.wait(2)


def test_nothing_happens_without_a_change(hub: Hub, alice: Person) -> None:
    subscriber = join(hub)

    User.select().count()
    User.update(theme="dark").where(User.id == -1).execute()

    assert quiet(subscriber)


def test_the_first_look_wakes_whoever_came_before_it(hub: Hub) -> None:
    """A commit between a page's rendering and the watcher's first look is not lost."""
    subscriber = Subscriber(lambda: True, SHOWN)
    hub.join(subscriber)

    assert subscriber.woken.wait(2)


def test_a_socket_that_closed_is_woken_at_once(hub: Hub) -> None:
    subscriber = join(hub)

    subscriber.is_open = lambda: False

    assert subscriber.woken.wait(1)


def test_the_watcher_lives_only_while_somebody_looks(hub: Hub) -> None:
    first, second = join(hub), join(hub)
    watcher = hub._thread
    assert watcher is not None

    hub.leave(first)
    assert quiet(second)
    assert watcher.is_alive()
    hub.leave(second)
    watcher.join(2)
    assert not watcher.is_alive()

    third = join(hub)
    assert hub._thread is not None
    assert hub.sockets() == 1
    hub.leave(third)


def test_tabs_that_show_the_same_share_one_rendering(hub: Hub, alice: Person) -> None:
    tabs, made = [join(hub) for _ in range(8)], []

    def make() -> int:
        made.append(threading.get_ident())
        return len(made)

    with ThreadPoolExecutor(8) as pool:
        first = set(pool.map(lambda tab: hub.render(tab, make), tabs))
        User.update(theme="dark").execute()
        assert all(tab.woken.wait(2) for tab in tabs)
        second = set(pool.map(lambda tab: hub.render(tab, make), tabs))

    assert (first, second) == ({1}, {2})


def test_pages_that_differ_are_rendered_each(hub: Hub) -> None:
    mine, other = join(hub), join(hub, Shown("2.0", ()))

    assert hub.render(mine, lambda: "mine") == "mine"
    assert hub.render(other, lambda: "other") == "other"


def test_what_nobody_shows_any_more_is_forgotten(hub: Hub) -> None:
    first, second = join(hub), join(hub)
    hub.render(first, lambda: "large")

    hub.leave(first)
    assert hub.render(second, lambda: "again") == "large"
    hub.leave(second)

    assert hub._rendered == {}


def test_a_failed_rendering_is_tried_again(hub: Hub) -> None:
    subscriber = join(hub)

    def fail() -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        hub.render(subscriber, fail)

    assert hub.render(subscriber, lambda: "fine") == "fine"


def test_a_database_that_cannot_be_read_is_tried_again(
    hub: Hub, settings: Settings, monkeypatch: pytest.MonkeyPatch, alice: Person
) -> None:
    from peewee import OperationalError

    from webapp import db
    from webapp.live import hub as module

    real, failures = db.data_version, [OperationalError("disk I/O error")]

    def sometimes() -> int:
        if failures:
            raise failures.pop()
        return real()

    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(db, "data_version", sometimes)
    subscriber = join(hub)

    User.update(theme="dark").execute()

    assert subscriber.woken.wait(2)
    assert Path(settings.database_path).exists()
