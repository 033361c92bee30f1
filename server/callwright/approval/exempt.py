"""Exemptions from approval that the operator configured: known phone number prefixes and known hosts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

HOST_PATTERN = r"(\*\.)?([a-z0-9_-]+\.)+[a-z0-9_-]+"

# The patterns are plain strings, so that no regular expression is compiled at the start.
_HOST = r"[a-z0-9_.-]+"
_UNREADABLE = r"[^\x21-\x7e]|[\\@]|^[^/]*//[^/?#]*[{}%]"
"""Characters that parsers read differently, that may hide a host, or that stand for a host filled in later."""
_E164 = r"\+[1-9][0-9]{1,14}"
_PUNCTUATION = r"[ ().-]"


def prefix_of(text: str) -> str:
    """`+49 (30)` or `004930` as `+4930`. Raises ValueError for a text that is no prefix of an E.164 number."""
    plain = re.sub(_PUNCTUATION, "", text)
    plain = f"+{plain[2:]}" if plain.startswith("00") else plain
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", plain):
        raise ValueError
    return plain


@dataclass(frozen=True)
class Exempt:
    """The exemptions. `hosts`: `hooks.example.com`, or `*.example.com` for subdomains. `phone_prefixes`: normalised."""

    hosts: Sequence[str] = ()
    phone_prefixes: Sequence[str] = ()

    def number(self, text: object) -> bool:
        """Whether this number may be called without approval."""
        plain = re.sub(_PUNCTUATION, "", text) if isinstance(text, str) else ""
        return bool(re.fullmatch(_E164, plain)) and plain.startswith(tuple(self.phone_prefixes))

    def address(self, value: object) -> bool:
        """Whether a guarded value is only an https or wss address at a known host.

        An object is exempt only if it holds a `url` and no headers: a person would not see its other content.
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
