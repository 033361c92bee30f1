"""What need not be asked about, whoever sends it: calls to known numbers, and addresses at known hosts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

HOST_PATTERN = r"(\*\.)?([a-z0-9_-]+\.)+[a-z0-9_-]+"

# Patterns are texts, so that a start compiles none.
_HOST = r"[a-z0-9_.-]+"
_UNREADABLE = r"[^\x21-\x7e]|[\\@]|^[^/]*//[^/?#]*[{}%]"
"""What parsers read differently, what may hide a host, and a host that is filled in later."""
_E164 = r"\+[1-9][0-9]{1,14}"
_PUNCTUATION = r"[ ().-]"


def prefix_of(text: str) -> str:
    """`+49 (30)` or `004930` as `+4930`. Raises ValueError where it is no beginning of an E.164 number."""
    plain = re.sub(_PUNCTUATION, "", text)
    plain = f"+{plain[2:]}" if plain.startswith("00") else plain
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", plain):
        raise ValueError
    return plain


@dataclass(frozen=True)
class Exempt:
    """`hosts`: `hooks.example.com`, or `*.example.com` for all below it. `phone_prefixes`: normalised."""

    hosts: Sequence[str] = ()
    phone_prefixes: Sequence[str] = ()

    def number(self, text: object) -> bool:
        """Whether people at this number may be rung without asking."""
        plain = re.sub(_PUNCTUATION, "", text) if isinstance(text, str) else ""
        return bool(re.fullmatch(_E164, plain)) and plain.startswith(tuple(self.phone_prefixes))

    def address(self, value: object) -> bool:
        """Whether a guarded value is nothing but an https or wss address at a known host.

        An object counts where it holds its `url` and no headers: what else it carried would go unseen.
        """
        if isinstance(value, dict):
            held = {key: inner for key, inner in cast(dict[str, Any], value).items() if inner not in (None, {}, [])}
            return held.keys() == {"url"} and isinstance(held["url"], str) and self.address(held["url"])
        if not isinstance(value, str) or re.search(_UNREADABLE, value):
            return False
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        return parts.scheme in ("https", "wss") and bool(re.fullmatch(_HOST, host)) and self._known(host)

    def _known(self, host: str) -> bool:
        return any(
            host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in self.hosts
        )
