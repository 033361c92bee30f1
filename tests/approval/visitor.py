"""A browser as far as a page can tell: what one says of each request by itself. A real one is in `tests/browser.py`."""

import re

import httpx2

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
"""Of an address that a person has opened."""


def visitor(**headers: str) -> httpx2.AsyncClient:
    """`headers`: those that are otherwise, in every request."""
    return httpx2.AsyncClient(event_hooks={"request": [_as_browsers_do]}, headers=headers)


async def _as_browsers_do(request: httpx2.Request) -> None:
    said = dict(NAVIGATION)
    if request.method == "POST":
        said |= {"Sec-Fetch-Site": "same-origin", "Origin": f"{request.url.scheme}://{request.url.netloc.decode()}"}
    for name, value in said.items():
        request.headers.setdefault(name, value)


def form_token(page: httpx2.Response) -> str:
    [token] = re.findall(r'name="token" value="([^"]+)"', page.text)
    return token


async def answer(browser: httpx2.AsyncClient, url: str, decision: str, **more: str) -> httpx2.Response:
    page = await browser.get(url)
    return await browser.post(url, data={"token": form_token(page), "decision": decision, **more})


def title(page: httpx2.Response) -> tuple[int, str]:
    [found] = re.findall("<h1>([^<]*)</h1>", page.text)
    return page.status_code, found
