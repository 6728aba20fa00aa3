"""Settings: each has a default, is read as its real type, or is refused by its name."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import environ, vault
from webapp.settings import Settings, SettingsError

JWT = "j" * 43
FERNET = base64.urlsafe_b64encode(bytes(32)).decode()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The least that starts without making a secret."""
    return {"STUDIO_DATA": str(tmp_path / "data"), "JWT_SECRET": JWT, "FERNET_KEY": FERNET}


def read(env: dict[str, str], **changes: str) -> Settings:
    return Settings.from_env({**env, **changes})


def test_an_empty_environment_gives_the_documented_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({})
    assert settings.data == tmp_path / "data"
    assert settings.database_path == tmp_path / "data" / "studio.db"
    assert (settings.host, settings.port, settings.demo_port) == ("127.0.0.1", 8501, 8502)
    assert (settings.workers, settings.web_threads) == (4, 256)
    assert (settings.log_level, settings.log_json) == ("warning", False)
    assert (settings.cookie_secure, settings.allow_private_endpoints) == (False, True)


def test_every_variable_is_read_as_its_type(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.touch()
    settings = read(
        env,
        HOST="0.0.0.0",
        PORT=" 9000 ",
        DEMO_PORT="0",
        WORKERS="2",
        WEB_THREADS="16",
        LOG_LEVEL="DEBUG",
        LOG_JSON="yes",
        COOKIE_SECURE="On",
        ALLOW_PRIVATE_ENDPOINTS="1",
        ADMIN_EMAIL="bob@example.org",
        ADMIN_PASSWORD="long enough to be safe",
        STUDIO_CONFIG=str(config),
        DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere.db",
    )
    assert settings == Settings(
        data=tmp_path / "data",
        host="0.0.0.0",
        port=9000,
        demo_port=0,
        workers=2,
        web_threads=16,
        log_level="debug",
        log_json=True,
        cookie_secure=True,
        allow_private_endpoints=True,
        admin_email="bob@example.org",
        admin_password="long enough to be safe",
        secret_key=JWT,
        fernet_keys=(FERNET,),
        config_file=config,
        database=tmp_path / "elsewhere.db",
    )
    assert settings.database_path == tmp_path / "elsewhere.db"
    assert settings.flask_config()["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "eighty", "0 to 65535"),
        ("PORT", "70000", "0 to 65535"),
        ("PORT", "²", "0 to 65535"),
        ("DEMO_PORT", "-1", "0 to 65535"),
        ("WORKERS", "0", "1 to 64"),
        ("WEB_THREADS", "1e3", "4 to 4096"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error, critical"),
        ("LOG_JSON", "maybe", "true or false"),
        ("COOKIE_SECURE", "2", "true or false"),
        ("ALLOW_PRIVATE_ENDPOINTS", "local", "true or false"),
        ("ADMIN_EMAIL", "bob", "an e-mail address"),
        ("ADMIN_PASSWORD", "short", "at least 10 characters"),
        ("ADMIN_PASSWORD", "long enough to be safe", "ADMIN_EMAIL"),
        ("STUDIO_CONFIG", "/nowhere/config.yaml", "a YAML file"),
        ("DATABASE_URL", "postgresql://bob:hunter2@db/studio", "SQLite only"),
        ("DATABASE_URL", "sqlite://", "sqlite:///path"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///path"),
        ("JWT_SECRET", "guess", "at least 32"),
        ("FERNET_KEY", "not a key", "44 characters"),
        ("FERNET_KEY", f"{FERNET},", "44 characters"),
    ],
)
def test_a_bad_value_stops_the_start_with_its_name_and_what_is_allowed(
    env: dict[str, str], name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(env, **{name: value})
    assert str(refusal.value).startswith(name)
    assert allowed in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@given(st.text(max_size=12))
def test_a_port_is_a_number_in_range_or_is_refused(raw: str) -> None:
    with suppress(SettingsError):
        assert 0 <= environ.integer({"PORT": raw}, "PORT", 8501, 0, 65_535) <= 65_535


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}"])
def test_the_database_may_stand_anywhere(env: dict[str, str], tmp_path: Path, form: str) -> None:
    file = tmp_path / "other" / "my.db"
    settings = read(env, DATABASE_URL=form.format(file))
    assert settings.database_path == file
    assert settings.queue_path == tmp_path / "other" / "queue.db"


def test_a_relative_database_is_found_from_the_working_directory(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(env, DATABASE_URL="sqlite:///mine.db").database_path == tmp_path / "mine.db"


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("localhost", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.4", True),
        ("studio.example.org", True),
    ],
)
def test_private_endpoints_are_allowed_only_on_a_private_installation(
    env: dict[str, str], host: str, public: bool
) -> None:
    settings = read(env, HOST=host)
    assert settings.is_public is public
    assert settings.allow_private_endpoints is not public


def test_missing_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    env = {"STUDIO_DATA": str(tmp_path / "data")}
    first, second = Settings.from_env(env), Settings.from_env(env)
    assert len(first.secret_key) >= 32
    assert (first.secret_key, first.fernet_keys) == (second.secret_key, second.fernet_keys)
    assert vault.decrypt(second, vault.encrypt(first, "sk-1")) == "sk-1"
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == [".fernet_key", ".secret_key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_making_a_secret_is_said_and_only_the_first_time(tmp_path: Path) -> None:
    env = {"STUDIO_DATA": str(tmp_path / "data")}
    said = " ".join(Settings.from_env(env).notices)
    assert "JWT_SECRET was not set" in said
    assert "FERNET_KEY was not set" in said
    assert Settings.from_env(env).notices == ()


def test_secrets_do_not_stand_in_what_is_said(tmp_path: Path) -> None:
    settings = Settings.from_env({"STUDIO_DATA": str(tmp_path / "data")})
    for secret in (settings.secret_key, *settings.fernet_keys):
        assert secret not in " ".join(settings.notices)


def test_kept_secrets_are_warned_about_when_host_is_public(tmp_path: Path) -> None:
    env = {"STUDIO_DATA": str(tmp_path / "data"), "HOST": "0.0.0.0"}
    Settings.from_env(env)
    said = Settings.from_env(env).notices
    assert len(said) == 2
    assert all("HOST is open to other machines" in sentence for sentence in said)


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    env = {"STUDIO_DATA": str(tmp_path / "data")}
    with ThreadPoolExecutor(8) as pool:
        keys = {s.secret_key for s in pool.map(lambda _: Settings.from_env(env), range(16))}
    assert len(keys) == 1


def test_a_secret_may_come_from_a_file(env: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "jwt"
    secret.write_text("f" * 40 + "\n")
    del env["JWT_SECRET"]
    assert read(env, JWT_SECRET_FILE=str(secret)).secret_key == "f" * 40


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_cannot_be_used_is_named(
    env: dict[str, str], tmp_path: Path, content: bytes | None
) -> None:
    secret = tmp_path / "fernet"
    if content is not None:
        secret.write_bytes(content)
    del env["FERNET_KEY"]
    with pytest.raises(SettingsError, match="FERNET_KEY_FILE"):
        read(env, FERNET_KEY_FILE=str(secret))


def test_several_fernet_keys_are_for_rotation(env: dict[str, str]) -> None:
    new = base64.urlsafe_b64encode(bytes(range(32))).decode()
    old = read(env)
    both = read(env, FERNET_KEY=f"{new}, {FERNET}")
    assert both.fernet_keys == (new, FERNET)
    assert vault.decrypt(both, vault.encrypt(old, "sk-1")) == "sk-1"


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="STUDIO_DATA"):
        Settings.from_env({"STUDIO_DATA": str(tmp_path / "file")})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://localhost"),
        ("SMTP_HOST", "mail.example.org"),
        ("CORS_ORIGINS", "https://example.org"),
    ],
)
def test_a_variable_without_effect_is_said_to_have_none(
    env: dict[str, str], name: str, value: str
) -> None:
    (notice,) = read(env, **{name: value}).notices
    assert notice.startswith(f"{name} is set but has no effect yet")
    assert read(env, **{name: ""}).notices == ()


def test_dotenv_is_read_and_the_process_environment_wins(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PORT=9001\nWORKERS=3\n")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv("WORKERS", "7")
    settings = Settings.from_env()
    assert (settings.port, settings.workers) == (9001, 7)


def test_settings_are_frozen_and_replaced_whole(settings: Settings) -> None:
    assert replace(settings, port=1).port == 1
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]
