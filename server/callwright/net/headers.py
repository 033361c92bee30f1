"""Checks headers of requests to third-party servers."""

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
"""Headers of the connection, which this server's HTTP client sets itself."""


def settable(name: str) -> bool:
    """Whether a header of this name may be set."""
    return _NAME.fullmatch(name) is not None and name.lower() not in _OURS


def line(name: str, value: str) -> str:
    """The value of a header, on one line. Raises ValueError, whose text does not quote the value."""
    if _CONTROL.search(value):
        raise ValueError(f"The value of the header {name} has line breaks or control characters.")
    return value.strip()
