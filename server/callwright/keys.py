"""Keys and tokens in files that only this user reads, made on first use; and subkeys, one for each purpose."""

import hmac
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .settings import SettingError


def key_file(path: Path) -> bytes:
    """32 random bytes. Raises SettingError where the file holds anything else."""
    key = _made_once(path, lambda: os.urandom(32))
    if len(key) != 32:
        raise _unusable(path, f"exactly 32 bytes, and holds {len(key)}")
    return key


def token_file(path: Path) -> str:
    """A printable token of 43 characters, or what a person wrote there. Raises SettingError where that is no token."""
    text = _made_once(path, lambda: secrets.token_urlsafe(32).encode()).decode("ascii", "replace").rstrip("\r\n")
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise _unusable(path, "a token of at least 16 printable ASCII characters")
    return text


def subkey(key: bytes, purpose: str) -> bytes:
    """A key that tells nothing about another purpose's."""
    return hmac.digest(key, purpose.encode(), "sha256")


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(fd)
            _place(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    elif os.name == "posix" and path.stat().st_mode & 0o077:
        with suppress(OSError):  # another user's file, or a file system without modes: to be read all the same
            path.chmod(0o600)
    return path.read_bytes()


def _place(fresh: Path, path: Path) -> None:
    """Of two processes that race, one puts its file there; the other reads what that one wrote."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:  # no hard links, as on exFAT and SMB
        from filelock import FileLock

        with FileLock(f"{path}.lock", mode=0o600):
            if not path.exists():
                os.replace(fresh, path)


def _unusable(path: Path, wanted: str) -> SettingError:
    return SettingError(
        f"{path} must hold {wanted}. Restore it from a backup; or delete it and start again, which makes a new one"
        " (what was sealed with the old one is lost)."
    )
