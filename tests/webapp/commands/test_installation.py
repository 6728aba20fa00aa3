"""Commands that act on an installation: accounts, vault keys, exports."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from engine.samples import Tokens
from jobs.results import run_document
from jobs.store import describe_targets, store_samples
from tests.engine.report.builders import failed, sample, spec_for, target
from tests.webapp.commands.conftest import Studio
from webapp import db, vault
from webapp.auth import passwords
from webapp.models import ApiKey, AuditEntry, Provider, Run, User
from webapp.settings import Settings

ALICE = "alice@example.org"
GOOD = "a long enough phrase"


@pytest.fixture
def alice(studio: Studio) -> User:
    done = studio("user", "create", "--email", ALICE, "--password", GOOD)
    assert done.exit_code == 0, done.output
    return reread()


def reread(email: str = ALICE) -> User:
    db.open_database(Settings.from_env(), migrate=False)
    with db.connection():
        user: User = User.get(User.email == email)
        return user


def can_sign_in(password: str) -> bool:
    with db.connection():
        return passwords.owner(ALICE, password) is not None


def test_an_account_is_made_with_the_providers_of_config_yaml(alice: User) -> None:
    assert can_sign_in(GOOD)
    assert not alice.is_admin
    with db.connection():
        keys = [row.key for row in Provider.select().where(Provider.user == alice)]
    assert "demo" in keys
    assert "openai" in keys


def test_an_administrator_is_made_only_when_asked_for(studio: Studio, alice: User) -> None:
    done = studio("user", "create", "--email", "Bob@Example.org", "--password", GOOD, "--admin")
    assert done.exit_code == 0, done.output
    assert "as an administrator" in done.stdout
    assert reread("bob@example.org").is_admin
    assert not reread().is_admin


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        ("nobody", GOOD, "--email: Give an e-mail address"),
        (ALICE, "short", "--password: Use at least 10 characters."),
        (ALICE, GOOD, "--email: There is an account with this address already."),
    ],
)
def test_an_account_that_cannot_be_made_says_why(
    studio: Studio, alice: User, email: str, password: str, sentence: str
) -> None:
    done = studio("user", "create", "--email", email, "--password", password)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert GOOD not in done.output


def test_a_password_that_is_not_given_is_asked_for_twice(studio: Studio) -> None:
    done = studio("user", "create", "--email", ALICE, input=f"{GOOD}\n{GOOD}\n")
    assert done.exit_code == 0, done.output
    assert GOOD not in done.output
    assert can_sign_in(GOOD)


def test_a_reset_makes_a_new_password_and_ends_every_session(studio: Studio, alice: User) -> None:
    done = studio("user", "reset-password", "--email", ALICE)
    assert done.exit_code == 0, done.output
    new = done.stdout.rpartition("Password: ")[2].strip()
    after = reread()
    assert can_sign_in(new)
    assert not can_sign_in(GOOD)
    assert after.session_epoch == alice.session_epoch + 1
    with db.connection():
        assert AuditEntry.select().where(AuditEntry.action == "account.password_reset").exists()


def test_a_reset_of_nobody_fails_and_of_a_weak_password_is_refused(
    studio: Studio, alice: User
) -> None:
    assert studio("user", "reset-password", "--email", "eve@example.org").exit_code == 1
    weak = studio("user", "reset-password", "--email", ALICE, "--password", "short")
    assert weak.exit_code == 2
    assert can_sign_in(GOOD)


def test_a_bad_setting_is_named_with_exit_code_2(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "many")
    done = studio("db", "upgrade")
    assert done.exit_code == 2
    assert "WORKERS is 'many'" in done.stderr


def keep_key(user: User, key: str, text: str, settings: Settings) -> ApiKey:
    with db.connection():
        provider = Provider.get((Provider.user == user) & (Provider.key == key))
        row: ApiKey = ApiKey.create(
            provider=provider, user=user, token=vault.encrypt(settings, text), last4=text[-4:]
        )
        return row


def token_of(row: ApiKey) -> bytes:
    with db.connection():
        return bytes(ApiKey.get_by_id(row.id).token)


def test_rotation_encrypts_every_key_with_a_new_one_and_keeps_the_old_one_readable(
    studio: Studio, alice: User, folder: Path
) -> None:
    before = Settings.from_env()
    row = keep_key(alice, "openai", "sk-secret-of-alice", before)
    old_token = token_of(row)
    done = studio("keys", "rotate")
    assert done.exit_code == 0, done.output
    assert "1 stored key is encrypted with the new key." in done.stdout
    after = Settings.from_env()
    assert after.fernet_keys[1:] == before.fernet_keys
    only_new = Settings(data=folder, fernet_keys=after.fernet_keys[:1])
    assert vault.decrypt(only_new, token_of(row)) == "sk-secret-of-alice"
    assert vault.decrypt(after, old_token) == "sk-secret-of-alice"
    assert (folder / "data" / ".fernet_key").stat().st_mode & 0o777 == 0o600
    assert studio("keys", "rotate").exit_code == 0
    third = Settings.from_env()
    assert third.fernet_keys[1:] == after.fernet_keys[:1]
    assert vault.decrypt(third, token_of(row)) == "sk-secret-of-alice"


def test_a_key_of_the_environment_is_rotated_by_putting_a_new_one_in_front(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("FERNET_KEY", old)
    studio("user", "create", "--email", ALICE, "--password", GOOD)
    row = keep_key(reread(), "openai", "sk-secret-of-alice", Settings.from_env())
    alone = studio("keys", "rotate")
    assert alone.exit_code == 2
    assert "Put a new one in front of it" in alone.stderr
    monkeypatch.setenv("FERNET_KEY", f"{new},{old}")
    assert studio("keys", "rotate").exit_code == 0
    only_new = Settings(data=folder, fernet_keys=(new,))
    assert vault.decrypt(only_new, token_of(row)) == "sk-secret-of-alice"


def test_a_key_nobody_can_read_is_named_and_left_as_it_is(studio: Studio, alice: User) -> None:
    stranger = Settings(data=Path(), fernet_keys=(Fernet.generate_key().decode(),))
    lost = keep_key(alice, "openai", "sk-lost-for-ever", stranger)
    kept = token_of(lost)
    readable = keep_key(alice, "mistral", "sk-secret-of-alice", Settings.from_env())
    done = studio("keys", "rotate")
    assert done.exit_code == 1
    assert "alice@example.org openai" in done.stderr
    assert "1 stored key is encrypted" in done.stdout
    assert token_of(lost) == kept
    assert vault.decrypt(Settings.from_env(), token_of(readable)) == "sk-secret-of-alice"


@pytest.fixture
def run(alice: User) -> Run:
    targets = [target("a"), target("b")]
    with db.connection():
        made: Run = Run.create(
            user=alice,
            name="Recursion",
            spec=spec_for(targets, runs=2).model_dump(mode="json"),
            targets=describe_targets(targets),
            environment={"python": "3.11"},
        )
        store_samples(
            made,
            [
                sample("a", 0, ttft_ms=1 / 3),
                sample("a", 1, tokens=Tokens(8, 11, None, 2, "usage")),
                sample("b", 0, cost_usd=None),
                failed("b", 1),
                sample("a", 0, warmup=True),
            ],
        )
        return made


def test_an_export_is_the_document_of_the_stored_run(studio: Studio, run: Run) -> None:
    done = studio("export", str(run.id))
    assert done.exit_code == 0, done.output
    written = json.loads(done.stdout)
    with db.connection():
        assert written == run_document(Run.get_by_id(run.id))
    first, second = written["results"]
    assert first["ttft_ms"]["min"] == 1 / 3
    assert first["warmups"] == {"ok": 1, "failed": 0, "incomplete": 0}
    assert second["errors"] == {"server": 1}
    assert written["environment"]["spec"]["runs"] == 2


def test_an_export_as_csv_goes_to_a_file(studio: Studio, run: Run, folder: Path) -> None:
    done = studio("export", str(run.id), "--format", "csv", "-o", "run.csv")
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    text = (folder / "run.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["model"] for row in rows] == ["a", "b"]
    assert float(rows[0]["ttft_ms.min"]) == 1 / 3


def test_a_run_that_is_not_there_or_deleted_is_not_exported(studio: Studio, run: Run) -> None:
    absent = studio("export", "999")
    assert absent.exit_code == 1
    assert "There is no run 999" in absent.stderr
    with db.connection():
        Run.update(deleted_at=1.0).where(Run.id == run.id).execute()
    assert studio("export", str(run.id)).exit_code == 1


def test_an_export_that_cannot_be_written_says_so(studio: Studio, run: Run) -> None:
    done = studio("export", str(run.id), "-o", "absent/run.json")
    assert done.exit_code == 1
    assert "absent/run.json cannot be written" in done.stderr


def test_the_application_has_the_same_commands(settings: Settings) -> None:
    from webapp import create_app
    from webapp.cli import COMMANDS

    runner = create_app(settings).test_cli_runner()
    for command in COMMANDS:
        assert command.name is not None
        assert runner.invoke(args=[command.name, "--help"]).exit_code == 0
