"""How fast the matrix of a large evaluation answers: 1,000 cases x 8 models, one page of it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cryptography.fernet import Fernet

from tests.bench.outcome import Check, Outcome
from tests.webapp.conftest import sign_in
from tests.webapp.tools.builders import stored_eval
from webapp import create_app, db
from webapp.settings import Settings

_CASES, _MODELS, _TIMES = 1_000, 8, 5


def run(quick: bool) -> Outcome:
    """Server time of a filtered page, in ms; the first one, and the median of those after it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data=Path(folder),
            secret_key="bench-secret-key-of-enough-length-0123456789",
            fernet_keys=(Fernet.generate_key().decode(),),
            testing=True,
        )
        app = create_app(settings)
        with db.connection():
            alice = sign_in(app, "alice@example.org")
            models = [f"m{number}" for number in range(_MODELS)]
            row = stored_eval(alice.user, models, cases=200 if quick else _CASES)
            alice.get("/tools/evals")  # templates are compiled once a process
            took = []
            for outcome in ("", "fail", "flaky", "pass", "infrastructure")[:_TIMES]:
                began = time.perf_counter()
                alice.get(f"/tools/evals/{row.id}?outcome={outcome}")
                took.append((time.perf_counter() - began) * 1e3)
    first, later = took[0], sorted(took[1:])[len(took[1:]) // 2]
    return Outcome(
        {"first_ms": first, "later_ms": later},
        [Check("a page of 1,000 cases x 8 models", max(took), 300.0, " ms")],
        f"A page of the matrix of {_CASES:,} cases and {_MODELS} models takes the server "
        f"{first:.0f} ms the first time and {later:.0f} ms after that.",
    )
