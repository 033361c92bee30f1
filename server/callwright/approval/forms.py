"""What the pages take from a browser: navigations that a person made, and forms of the page itself.

A program that fetches an address is no person. Browsers say of each request where it comes from and what for
(`Sec-Fetch-*`, which no script of a page can set), and programs do not, unless somebody has them pretend.
"""

from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request

from ..settings import is_loopback

LARGEST_FORM = 200_000
"""Maximum size of a form in bytes: a secret of 20,000 characters with three percent-encoded bytes each."""
_NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class Visits:
    """Judges requests for the pages at one origin, such as `https://callwright.example.com`."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.origin, self._host = origin, parts.netloc
        # To plain HTTP beyond this machine browsers send no Sec-Fetch headers.
        self._told = parts.scheme == "https" or is_loopback(parts.hostname)

    def is_for_here(self, request: Request) -> bool:
        """Whether the request names exactly this host: a page of another name could have been led here (rebinding)."""
        return request.headers.getlist("host") == [self._host]

    def is_a_persons(self, request: Request) -> bool:
        """Whether a browser was led to this address, as a page of its own and not in a frame."""
        return not self._told or all(request.headers.get(name) == value for name, value in _NAVIGATION.items())

    def is_own_form(self, request: Request) -> bool:
        """Whether a form of a page at this origin was sent."""
        own = not self._told or request.headers.get("sec-fetch-site") == "same-origin"
        return own and self.is_a_persons(request) and request.headers.get("origin") == self.origin


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of the form, each given once; None if the body is not a form of these pages."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_FORM:
                return None
    except ClientDisconnect:
        return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items() if len(values) == 1}
