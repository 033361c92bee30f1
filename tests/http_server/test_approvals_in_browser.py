"""The page of approvals in a real browser: what its cookies do between sites, the keyboard, and who cannot see it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse

from tests.browser import browser, needs_browser
from tests.peers import serving
from tests.transports import facts

from .identity import identity
from .test_approvals import SCOPE, SECRET, place, registered
from .tokens_fixture import token

pytestmark = [pytest.mark.anyio, needs_browser]

HEADING = "document.querySelector('h1').innerText"
FOCUSED = "document.activeElement.innerText"
ASKED = "[...document.querySelectorAll('section .facts')].map(each => each.innerText)"


async def test_a_person_signs_in_by_a_link_and_answers_by_keyboard(tmp_path: Path) -> None:
    async with (
        place(tmp_path / "home") as at,
        at.client(token("ann")) as ann,
        browser(tmp_path / "profile") as page,
    ):
        await ann.call_tool("create_secret", SECRET)
        await page.open(at.link("ann"))
        assert await page.read(HEADING) == "Sign in to answer"
        await page.press("Tab")
        await page.press("Enter", leads_on=2)  # signed in, and on to what waits
        assert await page.read(HEADING) == "May your assistant do this?"
        assert await page.read("document.activeElement.tagName") == "BODY"
        assert await page.read(ASKED) == ["Store a secret named 'crm' (3 characters)."]
        await page.press("Tab")
        assert await page.read(FOCUSED) == "Approve"
        await page.press("Enter", leads_on=True)
        assert await page.read(HEADING) == "Approved"
        assert facts(await ann.call_tool("create_secret", SECRET))["name"] == "crm"


@asynccontextmanager
async def web_host(to: str) -> AsyncGenerator[str]:
    """A page of another site that shows an address, as a host in the browser does."""
    shown = HTMLResponse(f'<!doctype html><title>Host</title><a href="{to}">Answer here</a>')
    async with serving(shown) as url:
        yield url.replace("127.0.0.1", "localhost")


async def test_a_person_signs_in_at_an_issuer_of_another_site_and_comes_from_a_third(tmp_path: Path) -> None:
    async with identity() as issuer:
        issuer.url = issuer.url.replace("127.0.0.1", "localhost")
        async with (
            place(tmp_path / "home", **registered(issuer)) as at,
            at.client(issuer.token(f"{at.url}/mcp", scope=SCOPE)) as alice,
            web_host(f"{at.url}/approvals") as host,
            browser(tmp_path / "profile") as page,
        ):
            await alice.call_tool("create_secret", SECRET)
            await page.open(f"{at.url}/approvals")
            await page.press("Tab")
            assert await page.read(FOCUSED) == "Sign in"
            await page.press("Enter", leads_on=2)
            assert await page.read(ASKED) == ["Store a secret named 'crm' (3 characters)."]
            await page.open(host)
            await page.press("Tab")
            await page.press("Enter", leads_on=2)  # the first without the cookie, which other sites do not make it send
            assert await page.read(ASKED) == ["Store a secret named 'crm' (3 characters)."]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_and_use_it_on_any_screen(tmp_path: Path, scheme: str) -> None:
    async with (
        place(tmp_path / "home") as at,
        at.client(token("ann")) as ann,
        browser(tmp_path / "profile") as page,
    ):
        await ann.call_tool("create_secret", SECRET)
        await ann.call_tool("create_secret", {"name": "erp"})
        await page.shown(width=320, scheme=scheme)
        await page.open(f"{at.url}/approvals")
        assert await page.flaws() == []
        await page.open(at.link("ann"))
        assert await page.flaws() == []
        await page.press("Tab")
        await page.press("Enter", leads_on=2)
        assert (
            await page.read("(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.documentElement)")
            == 0
        )
        assert await page.flaws() == []
        told = await page.accessible()
        assert sorted(each for each in told if each[0] in ("heading", "textbox", "button", "link")) == [
            ("button", "Approve"),
            ("button", "Decline"),
            ("button", "Decline"),
            ("button", "Sign out"),
            ("button", "Store"),
            ("heading", "1 of 2"),
            ("heading", "2 of 2"),
            ("heading", "May your assistant do this?"),
            ("link", "Look again"),
            ("textbox", "Value"),
        ]
        described = "[...document.querySelectorAll('section button')].map(each => document.getElementById(each.getAttribute('aria-describedby')).innerText.slice(0, 26))"
        assert await page.read(described) == ["Store a secret named 'crm'"] * 2 + ["Store a secret named 'erp'"] * 2
