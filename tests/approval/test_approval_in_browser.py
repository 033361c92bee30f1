"""The approval page in a real browser, by keyboard and for people who cannot see it. What forms send is the browser's."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright.app import App

from ..browser import browser, needs_browser
from ..transports import Clock, facts, reach, refusal_facts, settings
from .test_approval_page import app, log, value_of, waiting

assert app  # the fixture

pytestmark = [pytest.mark.anyio, needs_browser]

HEADING = "document.querySelector('h1').innerText"
FACTS = "document.querySelector('.facts').innerText"
FOCUSED = "document.activeElement.innerText"
SECRET = "tiger & söhne"


async def test_a_key_that_was_meant_for_another_window_approves_nothing(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        url = await waiting(client, app)
        await page.open(url)
        assert await page.read("document.activeElement.tagName") == "BODY"
        for key in ("Enter", " "):
            await page.press(key)
        assert await page.read(HEADING) == "May your assistant do this?"
        assert await waiting(client, app) == url  # still open


@pytest.mark.parametrize("key", ["Enter", " "])
async def test_a_person_approves_by_keyboard(app: App, tmp_path: Path, key: str) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.open(await waiting(client, app))
        assert await page.read(FACTS) == "Store a secret named 'crm' (3 characters)."
        await page.press("Tab")
        assert await page.read(FOCUSED) == "Approve"
        assert await page.read("getComputedStyle(document.activeElement).outline") == "rgb(224, 144, 44) solid 3px"
        await page.press(key, leads_on=True)
        assert await page.read(HEADING) == "Approved"
        assert facts(await client.call_tool("create_secret", {"name": "crm", "value": "abc"}))["name"] == "crm"
        assert await log(client) == [("create_secret", "done", "person")]


@pytest.mark.parametrize("key", ["Enter", " "])
async def test_a_person_declines_by_keyboard_and_finds_the_way_back(app: App, tmp_path: Path, key: str) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.open(await waiting(client, app))
        seen: list[str] = []
        for shift in (False, False, True, False):
            await page.press("Tab", shift=shift)
            seen.append(await page.read(FOCUSED))
        assert seen == ["Approve", "Decline", "Approve", "Decline"]
        await page.press(key, leads_on=True)
        assert await page.read(HEADING) == "Declined"
        declined = await client.call_tool("create_secret", {"name": "crm", "value": "abc"})
    assert refusal_facts(declined) == {"declined": True}


async def test_a_person_types_a_secret_that_stays_nowhere_in_the_browser(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        url = await waiting(client, app, name="crm")
        await page.open(url)
        field = "const {type, autocomplete, name} = document.activeElement; [type, autocomplete, name]"
        assert await page.read(f"(() => {{ {field.replace('; [', '; return [')} }})()") == ["password", "off", "value"]
        await page.press("Enter")
        assert await page.read(HEADING) == "May your assistant do this?"  # nothing was entered yet
        await page.type(SECRET)
        assert SECRET not in await page.source()
        await page.press("Enter", leads_on=True)
        assert await page.read(HEADING) == "Approved"
        assert "tiger" not in await page.source()
        assert set(await page.addresses()) == {"about:blank", url}
        await page.open(url)  # as somebody who goes back: what was typed is not there again
        assert await page.read("document.querySelectorAll('input').length") == 0
        stored = facts(await client.call_tool("create_secret", {"name": "crm"}))
    assert await value_of(app, stored["secret_id"]) == SECRET


async def test_a_secret_can_be_declined_without_entering_it(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.open(await waiting(client, app, name="crm"))
        await page.press("Tab")
        assert await page.read(FOCUSED) == "Store"
        await page.press("Tab")
        await page.press("Enter", leads_on=True)
        assert await page.read(HEADING) == "Declined"


async def test_without_script_everything_works(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.shown(script=False)
        await page.open(await waiting(client, app, name="crm"))
        await page.type(SECRET)
        await page.press("Enter", leads_on=True)
        assert ("heading", "Approved") in await page.accessible()


async def test_what_was_answered_elsewhere_meanwhile_takes_no_other_answer(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        url = await waiting(client, app)
        await page.open(url)
        assert await (await app.ledger()).decline(url.rpartition("/")[2].partition(".")[0])
        await page.press("Tab")
        assert await page.read(FOCUSED) == "Approve"
        await page.press("Enter", leads_on=True)
        assert await page.read(HEADING) == "Already declined"
        again = await client.call_tool("create_secret", {"name": "crm", "value": "abc"})
        assert refusal_facts(again) == {"declined": True}


async def test_another_browser_cannot_open_what_one_has_opened(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _), browser(tmp_path / "one") as one, browser(tmp_path / "two") as two:
        url = await waiting(client, app)
        await one.open(url)
        await two.open(url)
        assert (await two.read(HEADING), await two.flaws()) == ("Open in another browser", [])
        await one.open(url)
        assert await one.read(HEADING) == "May your assistant do this?"


async def test_an_answer_that_comes_too_late_does_nothing_and_says_so(tmp_path: Path) -> None:
    clock = Clock()
    app = App(settings(tmp_path / "home"), "embedded", near=True, clock=clock)
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.open(await waiting(client, app))
        clock.forward(seconds=901)
        await page.press("Tab")
        await page.press("Enter", leads_on=True)
        assert await page.read(HEADING) == "Answered or expired"
        assert await page.read(FACTS) == snapshot(
            "Each question takes one answer, and waits a quarter of an hour for it. Let the assistant ask again."
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("arguments", [{}, {"name": "crm"}], ids=["approval", "secret"])
async def test_everybody_can_read_and_use_it_on_any_screen(
    app: App, tmp_path: Path, arguments: dict[str, str], scheme: str
) -> None:
    """By the rules of axe-core, names and contrasts among them; and at the width of a small telephone."""
    async with reach(app) as (client, _), browser(tmp_path / "profile") as page:
        await page.shown(width=320, scheme=scheme)
        url = await waiting(client, app, **arguments)
        await page.open(url)
        grounds = {"light": "rgb(238, 242, 243)", "dark": "rgb(14, 22, 26)"}
        assert await page.read("getComputedStyle(document.body).backgroundColor") == grounds[scheme]
        assert await page.read("document.documentElement.scrollWidth") == 320
        assert await page.flaws() == []
        assert [
            told for told in await page.accessible() if told[0] in ("RootWebArea", "heading", "textbox", "button")
        ] == [
            ("RootWebArea", "Approve? · Callwright"),
            ("heading", "May your assistant do this?"),
            *([("textbox", "Value"), ("button", "Store")] if arguments else [("button", "Approve")]),
            ("button", "Decline"),
        ]
        await page.open(f"{url}x")
        assert (await page.read(HEADING), await page.flaws()) == ("This address is not valid", [])
