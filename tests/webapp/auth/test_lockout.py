"""Five failed sign-ins in five minutes lock the pair of account and address for fifteen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from webapp import db
from webapp.auth import lockout
from webapp.auth.lockout import LOCK_S, TRIES, WINDOW_S, Locked, locked_for
from webapp.models import AuditEntry, User

EMAIL, HERE, ELSEWHERE = "alice@example.org", "192.0.2.1", "192.0.2.2"


def fail(times: int, email: str = EMAIL, address: str = HERE) -> int:
    return [lockout.begin(email, address) for _ in range(times)][-1]


def test_the_sixth_attempt_is_not_looked_at(app: Flask) -> None:
    fail(TRIES)

    with pytest.raises(Locked) as lock:
        lockout.begin(EMAIL, HERE)

    assert LOCK_S - 5 < lock.value.seconds <= LOCK_S


def test_attempts_under_lock_do_not_lengthen_it(app: Flask) -> None:
    fail(TRIES)
    for _ in range(3):
        with pytest.raises(Locked):
            lockout.begin(EMAIL, HERE)

    assert AuditEntry.select().count() == TRIES


def test_another_address_and_another_account_stay_open(app: Flask) -> None:
    fail(TRIES)

    assert lockout.begin(EMAIL, ELSEWHERE)
    assert lockout.begin("bob@example.org", HERE)


def test_a_success_forgives_what_came_before(app: Flask) -> None:
    alice = User.create(email=EMAIL, password_hash="!")
    lockout.succeed(fail(TRIES), alice.id)

    assert fail(TRIES)
    with pytest.raises(Locked):
        lockout.begin(EMAIL, HERE)


def test_the_lock_ends(app: Flask) -> None:
    fail(TRIES)
    AuditEntry.update(at=AuditEntry.at - LOCK_S - 1).execute()

    assert lockout.begin(EMAIL, HERE)


def test_guesses_sent_at_once_do_not_slip_through(app: Flask) -> None:
    together = Barrier(16)

    def guess(_: int) -> bool:
        together.wait(timeout=10)
        with db.connection():
            try:
                lockout.begin(EMAIL, HERE)
            except Locked:
                return False
            return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(guess, range(16))) == TRIES


def test_failures_further_apart_than_the_window_do_not_lock() -> None:
    slow = [i * WINDOW_S / (TRIES - 1) * 1.01 for i in range(TRIES)]

    assert locked_for(slow, slow[-1]) == 0
    assert locked_for([t / 1.02 for t in slow], slow[-1]) > 0


@given(st.lists(st.floats(0, 5_000), max_size=30).map(sorted), st.floats(0, 1_000))
def test_a_lock_lasts_at_most_fifteen_minutes_and_needs_five_failures(
    failures: list[float], later: float
) -> None:
    now = (failures[-1] if failures else 0.0) + later

    wait = locked_for(failures, now)

    assert 0 <= wait <= LOCK_S
    recent = [t for t in failures if t > now - LOCK_S - WINDOW_S]
    assert wait == 0 or len(recent) >= TRIES
