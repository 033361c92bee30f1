"""The source of the vault's key: the environment, the operating system's keyring, or a file of this user."""

import base64
import os
from pathlib import Path

from filelock import FileLock

from ...keys import key_file
from ...settings import Settings

SERVICE = "callwright"


def vault_key(settings: Settings) -> bytes:
    """The vault's key, 32 bytes. A key file wins over the keyring, so that installing the extra later loses nothing."""
    if settings.vault_key:
        return settings.vault_key
    path = settings.home / "vault.key"
    if path.exists():
        return key_file(path)
    return _from_keyring(settings.home.resolve()) or key_file(path)


def _from_keyring(home: Path) -> bytes | None:
    """The key in the keyring, made if there is none.

    Returns None if the extra is not installed or no keyring answers (a server without a desktop session).
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The lock keeps two processes that both found no key from overwriting each other's.
        with FileLock(f"{home}/vault.lock", mode=0o600):
            found = keyring.get_password(SERVICE, str(home))
            if found is None:
                found = base64.b64encode(os.urandom(32)).decode()
                keyring.set_password(SERVICE, str(home), found)
    except KeyringError:
        return None
    return base64.b64decode(found)
