"""The page of approvals of a server over HTTP: people sign in, and each answers what their own assistant asked."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.types import ElicitResult

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.approval.outside import Site
from callwright.approval.site_links import sign_in_link
from callwright.http_server.serving import Listen, http_token, mcp_app
from callwright.settings import SettingError
from tests.approval.visitor import title, visitor
from tests.commands.test_cli import at_terminal
from tests.peers import free_port, serving
from tests.transports import Clock, facts, numbered, refusal_facts, settings, text

from .identity import Identity, identity
from .tokens_fixture import entering, held, token

pytestmark = pytest.mark.anyio

SECRET = {"name": "crm", "value": "abc"}
ANN, BEN = Principal("ann"), Principal("ben")


@dataclass
class Place:
    """A server at `url`, where ann and ben have tokens."""

    app: App
    url: str

    def link(self, name: str) -> str:
        return sign_in_link(self.url, name, self.app.state_key, self.app.clock())

    @asynccontextmanager
    async def client(self, bearer: str) -> AsyncGenerator[Client]:
        async with entering(self.url, bearer, asks=False) as client:
            yield client


@asynccontextmanager
async def place(home: Path, *, reached: bool = True, **chosen: Any) -> AsyncGenerator[Place]:
    clock = chosen.pop("clock", None)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given: dict[str, Any] = {"clock": clock} if clock else {}
    site = Site(url, reached=reached)
    app = App(settings(home, **chosen), "embedded", site=site, ids=numbered(), **given)
    asgi = mcp_app(app, Listen(public_url=url, tokens=held(ANN, BEN)))
    async with serving(asgi, lifespan="on", port=port):
        yield Place(app, url)


async def entered(browser: httpx2.AsyncClient, link: str) -> httpx2.Response:
    """What somebody sees who opens a link for one use and signs in."""
    await browser.get(link)
    await browser.post(link)
    return await browser.get(f"{link.partition('/link/')[0]}")


async def signed_in(browser: httpx2.AsyncClient, at: str) -> httpx2.Response:
    """The answer to a person whom the issuer sends back."""
    leading = await browser.get(f"{at}/approvals/login")
    back = await browser.get(leading.headers["location"])
    return await browser.get(back.headers["location"], headers={"Sec-Fetch-Site": "cross-site"})


def questions(page: httpx2.Response) -> dict[str, tuple[str, str]]:
    """Of each question on the page, by its text: the address of its form, and the form's token."""
    texts = re.findall(r'<p class="facts" id="[^"]+">([^<]+)</p>', page.text)
    forms = re.findall(
        r'action="(/approvals/[2-9A-Z]{8})"><input type="hidden" name="token" value="([^"]+)"', page.text
    )
    return dict(zip(texts, forms, strict=True))


async def answer(at: str, browser: httpx2.AsyncClient, form: tuple[str, str], decision: str, **more: str) -> Any:
    address, given = form
    return title(await browser.post(f"{at}{address}", data={"token": given, "decision": decision, **more}))


QUESTION = "Store a secret named &#x27;crm&#x27; (3 characters)."


async def test_the_holder_of_a_token_signs_in_by_a_link_and_approves(tmp_path: Path) -> None:
    """The operator prints it in a terminal, on the server's data."""
    async with place(tmp_path / "home") as at, at.client(token("ann")) as ann, visitor() as browser:
        refused = await ann.call_tool("create_secret", SECRET)
        assert text(refused) == (
            "Not done yet. Store a secret named 'crm' (3 characters). This needs a person (secret), and this client cannot"
            f" ask one. Ask the user to open {at.url}/approvals in a browser, to sign in there and to answer within 15"
            " minutes. When they have agreed, call create_secret again with the same arguments."
        )
        assert refusal_facts(refused)["approve_at"] == f"{at.url}/approvals"
        tokens = tmp_path / "tokens.json"
        tokens.write_text(json.dumps({"tokens": [{"name": "ann", "token": token("ann")}]}))
        env = {"CALLWRIGHT_PUBLIC_URL": at.url, "CALLWRIGHT_TOKENS_FILE": str(tokens)}

        def printed() -> str:
            return at_terminal(tmp_path / "home", "approve", "--link", "ann", typed="", **env).stdout

        link, said, _ = (await anyio.to_thread.run_sync(printed)).split("\n")
        assert said == "Hand it to ann, and to nobody else. It signs in once, within 15 minutes."
        page = await entered(browser, link)
        assert title(page) == (200, "May your assistant do this?")
        assert "Signed in as ann." in page.text
        assert await answer(at.url, browser, questions(page)[QUESTION], "approve") == (200, "Approved")
        assert facts(await ann.call_tool("create_secret", SECRET))["name"] == "crm"
        [change] = facts(await ann.call_tool("list_changes", {}))["changes"]
        assert (change["who"], change["approved_by"], change["outcome"]) == ("ann", "person", "done")
        assert title(await browser.get(f"{at.url}/approvals")) == (200, "Nothing waits for your answer")


async def test_a_link_is_printed_in_a_terminal_for_a_token_that_there_is(tmp_path: Path) -> None:
    def printed(name: str, **env: str) -> tuple[int, str]:
        done = at_terminal(tmp_path / "home", "approve", "--link", name, typed="", **env)
        return done.returncode, done.stdout

    named = {"CALLWRIGHT_PUBLIC_URL": "https://voice.example.com"}
    assert printed("zoe", **named) == (1, "No token has the name 'zoe'. There are: local.\n")
    assert printed("local")[1].startswith("Set CALLWRIGHT_PUBLIC_URL, here and for the server")
    assert printed("local", **named)[1].startswith("https://voice.example.com/approvals/link/")


async def test_everybody_sees_and_answers_their_own_questions_alone(tmp_path: Path) -> None:
    async with (
        place(tmp_path) as at,
        at.client(token("ann")) as ann,
        at.client(token("ben")) as ben,
        visitor() as anns,
        visitor() as bens,
    ):
        await ann.call_tool("create_secret", SECRET)
        await ben.call_tool("create_secret", {"name": "erp", "value": "abcd"})
        [of_ann] = questions(await entered(anns, at.link("ann"))).values()
        [of_ben] = questions(await entered(bens, at.link("ben"))).values()
        assert await answer(at.url, bens, of_ann, "approve") == (403, "Not accepted")
        assert await answer(at.url, bens, (of_ann[0], of_ben[1]), "approve") == (403, "Not accepted")
        assert refusal_facts(await ann.call_tool("create_secret", SECRET))["needs_approval"] == "person"
        assert await answer(at.url, bens, of_ben, "decline") == (200, "Declined")
        assert refusal_facts(await ben.call_tool("create_secret", {"name": "erp", "value": "abcd"})) == {
            "declined": True
        }


async def test_a_person_enters_a_value_beside_other_questions(tmp_path: Path) -> None:
    async with place(tmp_path) as at, at.client(token("ann")) as ann, visitor() as browser:
        await ann.call_tool("create_secret", SECRET)
        await ann.call_tool("create_secret", {"name": "erp"})
        asked = questions(await entered(browser, at.link("ann")))
        assert [*asked] == snapshot(
            [
                "Store a secret named &#x27;crm&#x27; (3 characters).",
                "Store a secret named &#x27;erp&#x27; (a person enters the value).",
            ]
        )
        value = asked[[*asked][1]]
        assert await answer(at.url, browser, value, "approve", value="") == (400, "Nothing was entered")
        assert await answer(at.url, browser, value, "approve", value="tiger") == (200, "Approved")
        assert await answer(at.url, browser, value, "approve", value="tiger") == (410, "Already approved")
        assert facts(await ann.call_tool("create_secret", {"name": "erp"}))["name"] == "erp"


# --- the issuer's people


@pytest.fixture
async def issuer() -> AsyncGenerator[Identity]:
    async with identity() as issuer:
        yield issuer


def registered(issuer: Identity) -> dict[str, Any]:
    return {"oauth_issuer": issuer.url, "oauth_client_id": issuer.client, "oauth_client_secret": issuer.secret or None}


SCOPE = "secrets:write server:read"


@pytest.mark.parametrize("secret", ["", "of the-app"])
async def test_whoever_the_issuer_signs_in_is_who_their_assistant_is(
    tmp_path: Path, issuer: Identity, secret: str
) -> None:
    issuer.secret = secret
    async with place(tmp_path, **registered(issuer)) as at, visitor() as browser:
        alices = issuer.token(f"{at.url}/mcp", sub="alice", scope=SCOPE)
        async with at.client(alices) as alice, at.client(issuer.token(f"{at.url}/mcp", sub="bo", scope=SCOPE)) as bo:
            await alice.call_tool("create_secret", SECRET)
            await bo.call_tool("create_secret", {"name": "erp", "value": "abcd"})
            assert 'href="/approvals/login"' in (await browser.get(f"{at.url}/approvals")).text
            assert title(await signed_in(browser, at.url)) == (200, "Signed in")
            page = await browser.get(f"{at.url}/approvals")
            assert f"Signed in as {issuer.url} alice." in page.text
            assert [*questions(page)] == [QUESTION]
            assert await answer(at.url, browser, questions(page)[QUESTION], "approve") == (200, "Approved")
            assert facts(await alice.call_tool("create_secret", SECRET))["name"] == "crm"
            [change] = facts(await alice.call_tool("list_changes", {}))["changes"]
            assert (change["who"], change["approved_by"]) == (f"{issuer.url} alice", "person")


async def test_only_the_browser_that_began_a_login_ends_it_and_only_once(tmp_path: Path, issuer: Identity) -> None:
    async with place(tmp_path, **registered(issuer)) as at, visitor() as browser, visitor() as another:
        leading = await browser.get(f"{at.url}/approvals/login")
        asked = parse_qs(urlsplit(leading.headers["location"]).query)
        assert len(asked["code_challenge"][0]) == 43
        assert asked["resource"] == [f"{at.url}/mcp"]
        back = (await browser.get(leading.headers["location"])).headers["location"]
        assert title(await another.get(back)) == (403, "Not signed in")
        assert title(await browser.get(back.replace("state=", "state=x"))) == (403, "Not signed in")
        other = back.replace(urlencode({"iss": issuer.url}), urlencode({"iss": "https://evil.example"}))
        assert "of another issuer" in (await browser.get(other)).text
        assert title(await browser.get(back)) == (200, "Signed in")
        assert title(await browser.get(back)) == (403, "Not signed in")


async def test_a_login_of_yesterday_is_over(tmp_path: Path, issuer: Identity, clock: Clock) -> None:
    async with place(tmp_path, clock=clock, **registered(issuer)) as at, visitor() as browser:
        leading = await browser.get(f"{at.url}/approvals/login")
        back = (await browser.get(leading.headers["location"])).headers["location"]
        clock.forward(seconds=601)
        assert "begun elsewhere, or long ago" in (await browser.get(back)).text


async def test_whom_the_issuer_does_not_sign_in_is_told_so(tmp_path: Path, issuer: Identity) -> None:
    async with place(tmp_path, **registered(issuer)) as at, visitor() as browser:
        issuer.person = None
        assert "did not sign you in (access_denied)." in (await signed_in(browser, at.url)).text
        issuer.person, issuer.audience = "alice", "https://else.example/mcp"
        assert "gave no token for this server" in (await signed_in(browser, at.url)).text
        issuer.audience, issuer.secret = None, "another"
        assert "did not sign you in. Sign in again." in (await signed_in(browser, at.url)).text
        issuer.down = True
        assert title(await browser.get(f"{at.url}/approvals/login")) == (502, "Not signed in")
        assert title(await browser.get(f"{at.url}/approvals")) == (200, "Sign in to answer")


# --- links and sessions


async def test_a_link_signs_in_once_and_not_whoever_only_looks(tmp_path: Path, clock: Clock) -> None:
    async with place(tmp_path, clock=clock) as at, visitor() as browser, visitor() as another:
        link = at.link("ann")
        for _ in range(2):  # as a messenger that previews addresses
            assert title(await browser.get(link)) == (200, "Sign in to answer")
        assert title(await browser.get(f"{at.url}/approvals")) == (200, "Sign in to answer")
        assert title(await browser.post(link)) == (200, "Signed in")
        assert title(await another.post(link)) == (403, "This link does not sign in")
        late, nobodys = at.link("ann"), at.link("zoe")
        clock.forward(seconds=901)
        for wrong in (late, nobodys, f"{at.url}/approvals/link/AAAA"):
            for tried in (another.get, another.post):
                assert title(await tried(wrong)) == (403, "This link does not sign in")


async def test_a_session_is_short_and_can_be_ended(tmp_path: Path, clock: Clock) -> None:
    async with place(tmp_path, clock=clock) as at, visitor() as browser:
        page = await entered(browser, at.link("ann"))
        clock.forward(seconds=1801)
        assert title(await browser.get(f"{at.url}/approvals")) == (200, "Sign in to answer")
        page = await entered(browser, at.link("ann"))
        [leave] = re.findall(r'name="token" value="([^"]+)"', page.text)
        assert title(await browser.post(f"{at.url}/approvals/leave", data={"token": "x"})) == (403, "Not accepted")
        assert title(await browser.post(f"{at.url}/approvals/leave", data={"token": leave})) == (200, "Signed out")
        assert title(await browser.get(f"{at.url}/approvals")) == (200, "Sign in to answer")


async def test_who_lost_their_token_is_signed_in_no_more(tmp_path: Path) -> None:
    async with place(tmp_path) as at, visitor() as browser:
        await entered(browser, at.link("ben"))
        fewer = App(at.app.settings, "embedded", site=at.app.site)
        asgi = mcp_app(fewer, Listen(public_url=at.url, tokens=held(ANN)))
        async with serving(asgi, lifespan="on") as url:
            shown = await browser.get(f"{url}/approvals", headers={"Host": urlsplit(at.url).netloc})
        assert title(shown) == (200, "Sign in to answer")


async def test_cookie_and_headers_are_those_of_a_page_that_nobody_else_may_use(tmp_path: Path) -> None:
    """Under https, as a proxy before the server has it."""
    here = "https://voice.example.com"
    app = App(settings(tmp_path), "embedded", site=Site(here, reached=True))
    asgi = mcp_app(app, Listen(public_url=here, tokens=held(ANN)))
    async with serving(asgi, lifespan="on") as url, visitor(Host="voice.example.com") as browser:
        link = sign_in_link(here, "ann", app.state_key, app.clock()).replace(here, url)
        done = await browser.post(link, headers={"Origin": here})
    assert title(done) == (200, "Signed in")
    cookie = re.sub("=[^;]{50,}", "=SEALED", done.headers["set-cookie"])
    assert cookie == snapshot("__Host-callwright=SEALED; HttpOnly; Max-Age=1800; Path=/; SameSite=strict; Secure")
    shown = {name: done.headers[name] for name in done.headers if name not in ("date", "content-length", "set-cookie")}
    shown["content-security-policy"] = re.sub(r"nonce-[\w-]+", "nonce-N", shown["content-security-policy"])
    assert shown == snapshot(
        {
            "server": "uvicorn",
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "content-security-policy": "default-src 'none'; style-src 'nonce-N'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "content-type": "text/html; charset=utf-8",
        }
    )


# --- what nobody's browser sends

FORGED: dict[str, dict[str, Any]] = {
    "another site's form": {"headers": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}},
    "a form that says not whose it is": {"headers": {"Origin": ""}},
    "another port's": {"headers": {"Sec-Fetch-Site": "same-site"}},
    "a script's": {"headers": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}},
    "no session": {"headers": {"Cookie": ""}},
    "a made up session": {"headers": {"Cookie": "callwright_session=AAAA"}},
    "another token": {"data": {"decision": "approve", "token": "x"}},
    "no token": {"data": {"decision": "approve"}},
    "JSON": {"headers": {"Content-Type": "application/json"}},
}


async def test_only_the_page_itself_can_answer(tmp_path: Path) -> None:
    async with place(tmp_path) as at, at.client(token("ann")) as ann, visitor() as browser:
        await ann.call_tool("create_secret", SECRET)
        [(address, given)] = questions(await entered(browser, at.link("ann"))).values()
        for way, forged in FORGED.items():
            sent: dict[str, Any] = {"data": {"decision": "approve", "token": given}, **forged}
            assert (await browser.post(f"{at.url}{address}", **sent)).status_code in (401, 403), way
        assert refusal_facts(await ann.call_tool("create_secret", SECRET))["needs_approval"] == "person"
        assert await answer(at.url, browser, (address, given), "approve") == (200, "Approved")


async def test_programs_and_other_names_are_shown_nothing(tmp_path: Path) -> None:
    async with place(tmp_path, http_rate=60) as at, visitor() as browser, httpx2.AsyncClient() as program:
        with_token = {"Authorization": f"Bearer {http_token(at.app)}"}
        assert title(await program.get(f"{at.url}/approvals", headers=with_token)) == (403, "Not for programs")
        assert title(await program.post(at.link("ann"))) == (403, "Not for programs")
        assert (await browser.get(f"{at.url}/approvals", headers={"Host": "evil.example"})).status_code == 421
        for _ in range(60):
            await browser.get(f"{at.url}/approvals")
        assert title(await browser.get(f"{at.url}/approvals")) == (429, "Too many requests")


# --- clients that show addresses, and servers whose address nobody told


async def test_a_client_that_shows_addresses_shows_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp.client.session.types.FormElicitationCapability", lambda: None)
    async with place(tmp_path, reached=False) as at, visitor() as browser:
        shown: list[str] = []

        async def show(_: Any, params: Any) -> ElicitResult:
            shown.append(params.url)
            [form] = questions(await entered(browser, at.link("ann"))).values()
            assert await answer(at.url, browser, form, "approve") == (200, "Approved")
            return ElicitResult(action="accept")

        async with entering(at.url, token("ann"), elicitation_callback=show) as ann:
            assert facts(await ann.call_tool("create_secret", SECRET))["name"] == "crm"
        assert shown == [f"{at.url}/approvals"]


async def test_without_a_public_url_the_text_says_what_the_operator_sets(tmp_path: Path) -> None:
    async with place(tmp_path, reached=False) as at, at.client(token("ann")) as ann:
        refused = await ann.call_tool("create_secret", SECRET)
    assert "(or set CALLWRIGHT_PUBLIC_URL, with which each user answers at /approvals)" in text(refused)
    assert "approve_at" not in refusal_facts(refused)


async def test_no_page_where_the_operator_wants_none(tmp_path: Path) -> None:
    async with place(tmp_path, approval_page=False) as at, at.client(token("ann")) as ann, visitor() as browser:
        assert (await browser.get(f"{at.url}/approvals")).status_code == 401  # as every address that is not there
        assert "approve_at" not in refusal_facts(await ann.call_tool("create_secret", SECRET))


async def test_a_client_id_needs_its_issuer(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^CALLWRIGHT_OAUTH_CLIENT_ID needs CALLWRIGHT_OAUTH_ISSUER"):
        mcp_app(App(settings(tmp_path, oauth_client_id="app"), "embedded"), Listen())
