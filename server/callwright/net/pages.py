"""Reads one web page from a user's URL: guarded, with limits on bytes and seconds, without redirects."""

from typing import NamedTuple

import anyio
import httpx2 as httpx

from ..contract.errors import BadRequest
from .guard import AllowList, check
from .http import TooLarge, read_body
from .pinned import guarded_client

LARGEST_PAGE = 10 * 1024 * 1024
LONGEST_READ = 20.0
"""Seconds from the name lookup to the last byte."""


class Page(NamedTuple):
    media_type: str
    charset: str | None
    data: bytes


async def read_page(
    url: str, *, allow: AllowList, proxy_url: str | None = None, accept: str = "text/html, text/plain, text/markdown"
) -> Page:
    """The page, unmodified. Raises BadRequest with the reason: the guard's, or the server's error."""
    check(url, allow=allow)
    try:
        with anyio.fail_after(LONGEST_READ):
            return await _read(url, allow, proxy_url, accept)
    except TooLarge:
        raise BadRequest(f"The page is larger than {LARGEST_PAGE // 1024 // 1024} MB.") from None
    except (TimeoutError, httpx.TimeoutException):
        raise BadRequest(f"The page was not there within {LONGEST_READ:.0f} s.") from None
    except (httpx.RequestError, httpx.InvalidURL) as exc:
        raise BadRequest(f"The page cannot be read ({type(exc).__name__}).") from None


async def _read(url: str, allow: AllowList, proxy_url: str | None, accept: str) -> Page:
    async with (
        guarded_client(allow, proxy_url=proxy_url, largest=LARGEST_PAGE, longest=LONGEST_READ) as client,
        client.stream("GET", url, headers={"accept": accept}) as answer,
    ):
        if answer.has_redirect_location:
            to = _target(answer)
            raise BadRequest(f"The page sends its readers on to {to}. Give that address, if it is the one you mean.")
        if answer.status_code != 200:
            raise BadRequest(f"The page answers {answer.status_code}.")
        media_type = answer.headers.get("content-type", "")
        return Page(media_type, answer.charset_encoding, await read_body(answer, LARGEST_PAGE))


def _target(answer: httpx.Response) -> str:
    """The target of a redirect, parsed as a URL: foreign text, of which an error may repeat only a valid URL."""
    try:
        return str(answer.url.join(answer.headers["location"]))[:300]
    except httpx.InvalidURL:
        return "another place"
