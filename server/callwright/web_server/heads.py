"""Which heads of requests are refused, because two readers could understand them in two ways."""

import re
from collections.abc import Sequence

Headers = Sequence[tuple[bytes, bytes]]
"""Name, in lower case, and value of each header, in order."""

ONCE = frozenset(
    {b"authorization", b"xi-api-key", b"host", b"origin", b"content-type", b"mcp-session-id", b"mcp-protocol-version"}
)
"""Headers that decide who asks and what is meant: a proxy may go by the first of two, and a server by the last."""
_HOST = re.compile(rb"(?:[A-Za-z0-9_.~-]{1,253}|\[[0-9A-Fa-f:.%]{2,60}\])(?::[0-9]{1,5})?")
_ORIGIN = re.compile(rb"|null|[A-Za-z][A-Za-z0-9+.-]{0,40}://[^\s/\\?#@]{0,300}")


def fault(headers: Headers, http_version: str) -> str | None:
    """What is wrong with the head of a request, and how to mend it; None if nothing is.

    The parser refuses lengths that contradict each other, a second transfer coding and a missing Host by itself.
    """
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in ONCE:
            return f"The header {name.decode()} came more than once. Send it once."
        seen.add(name)
    given = dict(headers)
    if b"transfer-encoding" in seen:
        if b"content-length" in seen:
            return "Content-Length and Transfer-Encoding came together. Send one of them."
        if http_version == "1.0":
            return "HTTP/1.0 has no Transfer-Encoding. Send Content-Length, or HTTP/1.1."
    if b"host" in seen and not _HOST.fullmatch(given[b"host"]):
        return "The header Host is no name or address with an optional port, such as 127.0.0.1:8000."
    if b"origin" in seen and not _ORIGIN.fullmatch(given[b"origin"]):
        return "The header Origin is neither null nor a scheme and a host, such as https://example.com."
    return None
