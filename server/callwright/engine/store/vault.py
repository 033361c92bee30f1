"""Encryption of secrets at rest: AES-256-GCM. Each value is bound to its row, so that it cannot be moved to another."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...contract.errors import ApiError


class WrongKey(ApiError):
    """The vault's key is not the one that the secrets were stored with."""

    status, code = 500, "wrong_vault_key"


class Vault:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: str, *, belongs_to: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, value.encode(), belongs_to.encode())

    def open(self, sealed: bytes, *, belongs_to: str) -> str:
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], belongs_to.encode()).decode()
        except InvalidTag:
            raise WrongKey(
                "A stored secret does not open with this key. Restore the key file of the data folder, or set"
                " CALLWRIGHT_VAULT_KEY to the key in use when the secret was stored."
            ) from None
