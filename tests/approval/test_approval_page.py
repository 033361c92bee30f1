"""The page on this machine where a person answers: what it shows, what it takes, whom it refuses."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from callwright.engine.store.secrets import reveal
from callwright.engine.store.transaction import Tx

from ..transports import Clock, facts, numbered, reach, refusal_facts, settings, text
from .visitor import answer, form_token, title, visitor

pytestmark = pytest.mark.anyio

SECRET = {"name": "crm", "value": "abc"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[App]:
    """A server on the same machine as its person; the page tells the real time."""
    app = App(settings(tmp_path / "home"), "embedded", near=True, ids=numbered())
    yield app
    await app.close()


async def waiting(client: Client, app: App, tool: str = "create_secret", **arguments: Any) -> str:
    """Address of the page for a refused call, which its client would show, and a model never sees."""
    refused = await client.call_tool(tool, arguments or SECRET)
    assert "127.0.0.1" not in str(refused)
    assert app.page
    return await app.page.address(refusal_facts(refused)["approve_with"].split()[-1])


async def log(client: Client) -> list[tuple[str, str, str]]:
    changes = facts(await client.call_tool("list_changes", {}))["changes"]
    return [(change["tool"], change["outcome"], change["approved_by"]) for change in changes]


async def test_a_person_approves_and_the_repeated_call_runs_once(app: App) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app)
        assert await waiting(client, app) == url
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/approve/[2-9A-Z]{8}\.[\w-]{43}", url)
        assert title(await answer(browser, url, "approve")) == (200, "Approved")
        assert title(await browser.get(url)) == (410, "Already approved")
        assert facts(await client.call_tool("create_secret", SECRET))["name"] == "crm"
        assert title(await browser.get(url)) == (410, "Answered or expired")
        assert await waiting(client, app) != url
        assert await log(client) == [("create_secret", "done", "person")]


async def test_a_no_reaches_whoever_asked_and_the_log(app: App) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app)
        assert title(await answer(browser, url, "decline")) == (200, "Declined")
        assert title(await browser.get(url)) == (410, "Already declined")
        declined = await client.call_tool("create_secret", SECRET)
        assert (refusal_facts(declined), await log(client)) == (
            {"declined": True},
            [("create_secret", "declined", "person")],
        )
        assert await waiting(client, app) != url


async def test_an_address_that_is_enough_to_answer_reaches_no_model(app: App) -> None:
    async with reach(app) as (client, _):
        refused = await client.call_tool("create_secret", SECRET)
    code = refusal_facts(refused)["approve_with"].split()[-1]
    assert text(refused) == (
        "Not done yet. Store a secret named 'crm' (3 characters). This needs a person (secret), and this client cannot"
        f" ask one. Ask the user to run `callwright approve {code}` in a terminal and answer there within 15 minutes."
        " When they have agreed, call create_secret again with the same arguments."
    )


async def test_no_page_where_the_person_may_sit_elsewhere_or_nobody_wants_one(tmp_path: Path) -> None:
    assert App(settings(tmp_path), "embedded", near=False).page is None
    assert App(settings(tmp_path, approval_page=False), "embedded", near=True).page is None


async def test_what_others_wrote_is_text_on_the_page_and_nothing_else(app: App) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        page = await browser.get(await waiting(client, app, name="</p><script>alert(1)</script>", value="abc"))
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    shown = {name: page.headers[name] for name in page.headers if name not in ("date", "content-length")}
    assert re.sub(r"nonce-[\w-]+", "nonce-N", shown.pop("content-security-policy")) == snapshot(
        "default-src 'none'; style-src 'nonce-N'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    cookie = shown.pop("set-cookie")
    assert re.fullmatch(r"callwright_approval=[\w-]{32}; HttpOnly; Path=/approve/[\w.-]+; SameSite=strict", cookie)
    assert shown == snapshot(
        {
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "content-type": "text/html; charset=utf-8",
        }
    )


FORGED: dict[str, dict[str, Any]] = {
    "another site's form": {"headers": {"Origin": "https://evil.example"}},
    "a sandboxed frame's form": {"headers": {"Origin": "null"}},
    "a form that says not whose it is": {"headers": {"Origin": ""}},
    "a request that a browser says is another site's": {"headers": {"Sec-Fetch-Site": "cross-site"}},
    "another port's": {"headers": {"Sec-Fetch-Site": "same-site"}},
    "an address that was typed": {"headers": {"Sec-Fetch-Site": "none"}},
    "no cookie": {"headers": {"Cookie": ""}},
    "another cookie": {"headers": {"Cookie": "callwright_approval=x"}},
    "no token": {"data": {"decision": "approve"}},
    "another token": {"data": {"decision": "approve", "token": "x"}},
    "two tokens": {"data": {"decision": "approve", "token": ["x", "y"]}},
    "JSON": {"headers": {"Content-Type": "application/json"}},
    "too much": {"data": {"decision": "approve", "more": "x" * 300_000}},
}


@pytest.mark.parametrize("way", FORGED)
async def test_only_the_page_itself_can_answer(app: App, way: str) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app)
        token = form_token(await browser.get(url))
        sent: dict[str, Any] = {"data": {"decision": "approve", "token": token}, **FORGED[way]}
        assert title(await browser.post(url, **sent)) == (403, "Not accepted")
        assert await waiting(client, app) == url  # still open


PROGRAMS: dict[str, dict[str, str]] = {
    "a script's request": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "a frame": {"Sec-Fetch-Dest": "iframe"},
    "a picture": {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
}


@pytest.mark.parametrize("headers", [*PROGRAMS.values()], ids=[*PROGRAMS])
async def test_what_is_no_page_before_a_person_is_shown_nothing(app: App, headers: dict[str, str]) -> None:
    async with reach(app) as (client, _), visitor(**headers) as program:
        url = await waiting(client, app)
        assert title(await program.get(url)) == (403, "Not for programs")


async def test_a_plain_http_client_that_has_the_address_approves_nothing(app: App) -> None:
    async with reach(app) as (client, _), httpx2.AsyncClient() as program, visitor() as browser:
        url = await waiting(client, app)
        assert title(await program.get(url)) == (403, "Not for programs")
        token = form_token(await browser.get(url))
        sent = {"token": token, "decision": "approve"}
        assert title(await program.post(url, data=sent)) == (403, "Not for programs")
        program.cookies = browser.cookies
        assert title(await program.post(url, data=sent)) == (403, "Not for programs")
        assert await waiting(client, app) == url  # still open


async def test_an_address_is_good_in_the_browser_that_opened_it_first(app: App) -> None:
    """Other accounts of a machine see addresses among the arguments of its browser."""
    async with reach(app) as (client, _), visitor() as browser, visitor() as another:
        url = await waiting(client, app)
        token = form_token(await browser.get(url))
        assert title(await another.get(url)) == (403, "Open in another browser")
        assert form_token(await browser.get(url)) == token  # as often as its person likes
        assert title(await answer(browser, url, "approve")) == (200, "Approved")


async def test_other_names_and_other_addresses_lead_nowhere(app: App) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app)
        for host in ("evil.example", "127.0.0.1", "localhost:1"):
            assert (await browser.get(url, headers={"Host": host})).status_code == 421
        base, _, ticket = url.rpartition("/")
        other = await waiting(client, app, name="other", value="abc")
        mixed = f"{ticket.partition('.')[0]}.{other.rpartition('.')[2]}"
        for wrong in (ticket[:-1], ticket.partition(".")[0], mixed, f"{ticket}.x", "%C3%A4.%C3%A4"):
            assert title(await browser.get(f"{base}/{wrong}")) == (404, "This address is not valid")
        assert (await browser.get(f"{base}/")).status_code == 404


async def test_a_question_expires_on_the_page_too(tmp_path: Path) -> None:
    clock = Clock()
    app = App(settings(tmp_path), "embedded", near=True, clock=clock)
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app)
        clock.forward(seconds=901)
        assert title(await browser.get(url)) == (410, "Answered or expired")


# --- secrets that nobody but the person sees


async def test_a_person_enters_a_secret_that_the_assistant_never_sees(app: App) -> None:
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app, name="crm")
        assert title(await answer(browser, url, "approve", value="")) == (400, "Nothing was entered")
        assert title(await answer(browser, url, "approve", value="x" * 20_001)) == (400, "Nothing was entered")
        assert title(await answer(browser, url, "approve", value="tiger & söhne")) == (200, "Approved")
        stored = facts(await client.call_tool("create_secret", {"name": "crm"}))
        assert (await waiting(client, app, name="crm")) != url
        changed = {"secret_id": stored["secret_id"], "name": "crm"}
        url = await waiting(client, app, "update_secret", **changed)
        assert "Replace secret &#x27;crm&#x27;" in (await browser.get(url)).text
        assert title(await answer(browser, url, "decline")) == (200, "Declined")
        assert refusal_facts(await client.call_tool("update_secret", changed)) == {"declined": True}
        assert await log(client) == [("update_secret", "declined", "person"), ("create_secret", "done", "person")]
    assert await value_of(app, stored["secret_id"]) == "tiger & söhne"
    assert not [file for file in app.settings.home.iterdir() if b"tiger" in file.read_bytes()]


async def value_of(app: App, secret_id: str) -> str:
    await app.api()
    engine: Any = await app.host.engine()

    def work(tx: Tx) -> str:
        return reveal(tx, secret_id)

    return await engine.unit("default").read(work)


async def test_a_twilio_token_is_entered_too_even_where_nothing_asks(tmp_path: Path) -> None:
    app = App(settings(tmp_path, approval="none"), "embedded", near=True)
    number = {"phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1"}
    async with reach(app) as (client, _), visitor() as browser:
        url = await waiting(client, app, "import_phone_number", **number)
        assert title(await answer(browser, url, "approve", value="hush-hush")) == (200, "Approved")
        assert facts(await client.call_tool("import_phone_number", number))["phone_number"] == "+15551234567"


async def test_a_secret_comes_from_a_variable_that_the_operator_named(tmp_path: Path) -> None:
    app = App(settings(tmp_path, secret_env={"CRM": "tiger"}), "embedded")
    async with reach(app, says="yes") as (client, asked):
        stored = facts(await client.call_tool("create_secret", {"name": "crm", "value_env": "CRM"}))
        for arguments, said in (
            ({"value_env": "HOME"}, "'HOME' is not in CALLWRIGHT_SECRET_ENV. There: CRM."),
            ({"value": "x", "value_env": "CRM"}, "Give the value itself, or the variable that holds it."),
            ({"value": "(entered by a person)"}, "Give the value itself, or the variable that holds it."),
        ):
            assert text(await client.call_tool("create_secret", {"name": "crm", **arguments})) == said
        assert await value_of(app, stored["secret_id"]) == "tiger"
    assert asked == ["Store a secret named 'crm' (5 characters)."]
