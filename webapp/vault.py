"""The key vault: what is stored of a secret, and how it is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from webapp.settings import Settings


class VaultError(Exception):
    """A secret cannot be encrypted or read; the message is a sentence for its owner."""


def encrypt(settings: Settings, text: str) -> bytes:
    """Encrypt with the first of `settings.fernet_keys`. Raises VaultError."""
    return _fernet(settings).encrypt(text.encode())


def decrypt(settings: Settings, token: bytes) -> str:
    """Read what any of `settings.fernet_keys` encrypted. Raises VaultError, and never
    answers with anything but the stored text."""
    from cryptography.fernet import InvalidToken

    try:
        return _fernet(settings).decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise VaultError(
            "The stored key cannot be decrypted: FERNET_KEY is not the one it was saved with. "
            "Save the key again in Settings → API keys."
        ) from error


def rotate(settings: Settings, token: bytes) -> bytes:
    """Encrypt a stored token again with the first key, keeping its text. Raises VaultError."""
    return encrypt(settings, decrypt(settings, token))


def _fernet(settings: Settings) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    keys = [key.strip() for key in settings.fernet_keys if key.strip()]
    if not keys:
        raise VaultError("There is no FERNET_KEY, so no key can be stored or read.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise VaultError(
            "FERNET_KEY is not a Fernet key (32 bytes in URL-safe base64), so no key can be "
            "stored or read."
        ) from error
