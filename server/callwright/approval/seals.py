"""Sealed texts: claims that only this server and its replicas can write and read, in the letters of a URL."""

import base64
import json
import os
from typing import Any

from ..keys import subkey


class Seals:
    """`key`: that of pending approvals. What was sealed for one purpose does not open for another."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key, self._purpose = key, purpose

    def seal(self, claims: Any) -> str:
        """The sealed text of claims that can be written as JSON."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        sealed = AESGCM(subkey(self._key, self._purpose)).encrypt(nonce, json.dumps(claims).encode(), None)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: object) -> Any:
        """The claims. Raises ValueError for anything but a text from `seal`."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        said = text if isinstance(text, str) else ""
        try:
            raw = base64.b64decode(said + "=" * (-len(said) % 4), b"-_", validate=True)
            return json.loads(AESGCM(subkey(self._key, self._purpose)).decrypt(raw[:12], raw[12:], None))
        except InvalidTag:
            raise ValueError("sealed with another key, or for another purpose") from None
