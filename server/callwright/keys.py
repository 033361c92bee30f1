"""Keys and tokens in files that only this user reads, made on first use; and subkeys, one for each purpose."""

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def key_file(path: Path) -> bytes:
    """32 random bytes."""
    return _made_once(path, lambda: os.urandom(32))


def token_file(path: Path) -> str:
    """A printable token of 43 characters."""
    return _made_once(path, lambda: secrets.token_urlsafe(32).encode()).decode()


def subkey(key: bytes, purpose: str) -> bytes:
    """A key that tells nothing about another purpose's."""
    return hmac.digest(key, purpose.encode(), "sha256")


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """Two processes may race: the link of the loser fails, and it reads what the winner wrote."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(fd)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
