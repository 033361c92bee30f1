"""Keys and tokens in files that only this user can read, created on first use; and subkeys for single purposes."""

import hmac
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .settings import SettingError


def key_file(path: Path) -> bytes:
    """The key in a file: 32 random bytes. Raises SettingError if the file holds something else."""
    key = _made_once(path, lambda: os.urandom(32))
    if len(key) != 32:
        raise _unusable(path, f"exactly 32 bytes, and holds {len(key)}")
    return key


def token_file(path: Path) -> str:
    """The token in a file: 43 random characters, or one written by a person. Raises SettingError if it is no token."""
    text = _made_once(path, lambda: secrets.token_urlsafe(32).encode()).decode("ascii", "replace").rstrip("\r\n")
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise _unusable(path, "a token of at least 16 printable ASCII characters")
    return text


def subkey(key: bytes, purpose: str) -> bytes:
    """The derived key of a purpose, which reveals nothing about those of other purposes."""
    return hmac.digest(key, purpose.encode(), "sha256")


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        return _found_or_made(path, make)
    except OSError as exc:
        raise SettingError(
            f"{path} can be neither read nor made ({exc.strerror}). Make room on its disk, or give the folder to the"
            " user who runs this program."
        ) from None


def _found_or_made(path: Path, make: Callable[[], bytes]) -> bytes:
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
        with suppress(OSError):  # another user's file, or a file system without modes: it can still be read
            path.chmod(0o600)
    return path.read_bytes()


def _place(fresh: Path, path: Path) -> None:
    """Move a new file into place. If two processes race, the first one wins, and the other reads its file."""
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
