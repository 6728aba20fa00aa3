from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from webapp import vault
from webapp.settings import Settings

SECRET = "sk-alice-0123456789"


@given(text=st.text())
@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_what_was_encrypted_is_read_again(settings: Settings, text: str) -> None:
    assert vault.decrypt(settings, vault.encrypt(settings, text)) == text


def test_a_token_does_not_show_its_text(settings: Settings) -> None:
    assert SECRET.encode() not in vault.encrypt(settings, SECRET)


def test_another_key_is_an_error_and_never_a_silent_fallback(settings: Settings) -> None:
    token = vault.encrypt(settings, SECRET)
    other = replace(settings, fernet_keys=(Fernet.generate_key().decode(),))
    with pytest.raises(vault.VaultError, match="Save the key again in Settings") as refused:
        vault.decrypt(other, token)
    assert SECRET not in str(refused.value)


def test_a_damaged_token_is_an_error(settings: Settings) -> None:
    token = vault.encrypt(settings, SECRET)
    with pytest.raises(vault.VaultError):
        vault.decrypt(settings, token[:-3] + b"AAA")
    with pytest.raises(vault.VaultError):
        vault.decrypt(settings, b"")


def test_the_first_key_encrypts_and_the_others_still_read(settings: Settings) -> None:
    old_token = vault.encrypt(settings, SECRET)
    fresh = Fernet.generate_key().decode()
    both = replace(settings, fernet_keys=(f" {fresh}", *settings.fernet_keys, ""))
    assert vault.decrypt(both, old_token) == SECRET
    only_fresh = replace(settings, fernet_keys=(fresh,))
    assert vault.decrypt(only_fresh, vault.encrypt(both, SECRET)) == SECRET


def test_rotation_moves_a_token_to_the_first_key(settings: Settings) -> None:
    old_token = vault.encrypt(settings, SECRET)
    fresh = Fernet.generate_key().decode()
    rotated = vault.rotate(replace(settings, fernet_keys=(fresh, *settings.fernet_keys)), old_token)
    assert vault.decrypt(replace(settings, fernet_keys=(fresh,)), rotated) == SECRET


@pytest.mark.parametrize("keys", [(), ("",), ("not-a-fernet-key",), ("ü" * 44,)])
def test_a_bad_fernet_key_is_named(settings: Settings, keys: tuple[str, ...]) -> None:
    with pytest.raises(vault.VaultError, match="FERNET_KEY"):
        vault.encrypt(replace(settings, fernet_keys=keys), SECRET)
