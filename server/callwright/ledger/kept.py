"""Encrypts the values that a change replaced: an agent may hold header values and other confidential texts."""

import json
import os
from typing import Any, Literal

Column = Literal["request", "previous", "entered"]


class Keeper:
    """AES-256-GCM encryption. Each value is bound to its change and column, so that it cannot be moved to another."""

    def __init__(self, key: bytes) -> None:
        # Imported late: most calls change nothing, and the start of a server should not wait for the cipher.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)

    def seal(self, value: dict[str, Any] | None, id: str, column: Column) -> bytes | None:
        if value is None:
            return None
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, json.dumps(value).encode(), f"{id}/{column}".encode())

    def open(self, sealed: bytes | None, id: str, column: Column) -> dict[str, Any] | None:
        """The decrypted value. None if nothing was kept, or if another key encrypted it, which counts the same."""
        plain = self._opened(sealed, id, column)
        return None if plain is None else json.loads(plain)

    def opens(self, sealed: bytes | None, id: str, column: Column) -> bool:
        return self._opened(sealed, id, column) is not None

    def _opened(self, sealed: bytes | None, id: str, column: Column) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        if sealed is None:
            return None
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], f"{id}/{column}".encode())
        except InvalidTag:
            return None
