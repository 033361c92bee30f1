"""The chat page as it is served: to whom, with which headers, and in which words it is refused."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from tests.dialogue.llm_peer import JSON
from tests.engine.live.talking import KEY, Stage, echo, judged, stage

pytestmark = pytest.mark.anyio

CLOSED: JSON = {"auth": {"enable_auth": True}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


async def opened(at: Stage, agent_id: str, query: dict[str, str] | None = None, **kwargs: Any) -> httpx2.Response:
    """As a browser does: without the key."""
    async with httpx2.AsyncClient(base_url=at.url) as anybody:
        return await anybody.request(kwargs.pop("method", "GET"), f"/agents/{agent_id}/chat", params=query, **kwargs)


async def link(at: Stage, agent_id: str) -> str:
    answer = await at.http.get(f"/v1/convai/agents/{agent_id}/link")
    return answer.json()["token"]["conversation_token"]


async def words_of_the_socket(at: Stage, agent_id: str, token: str = "") -> str:
    url = f"{at.url.replace('http', 'ws', 1)}/v1/convai/conversation?agent_id={agent_id}&token={token}"
    async with at.connected(url=url, key=None, origin=at.url) as caller:
        return (await caller.refusal())[0]["message"]


def heading(answer: httpx2.Response) -> str:
    return re.findall("<h1>(.*?)</h1>", answer.text)[0]


async def test_anybody_sees_the_page_of_a_public_agent(at: Stage) -> None:
    answer = await opened(at, await at.agent(name="Ada & Bo <x>"))
    assert (answer.status_code, heading(answer)) == (200, "Ada &amp; Bo &lt;x&gt;")
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("date", "server", "content-length")
    }
    policy = re.sub(r"nonce-[\w-]{22}", "nonce-N", headers.pop("content-security-policy"))
    assert (headers, policy) == snapshot(
        (
            {
                "cache-control": "no-store",
                "cross-origin-opener-policy": "same-origin",
                "referrer-policy": "no-referrer",
                "x-content-type-options": "nosniff",
                "x-frame-options": "DENY",
                "content-type": "text/html; charset=utf-8",
            },
            "default-src 'none'; script-src 'nonce-N'; style-src 'nonce-N'; connect-src 'self'; img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        )
    )


async def test_who_may_not_talk_reads_the_words_of_the_websocket_and_no_more(at: Stage) -> None:
    secret: JSON = {"name": "Ada of the secret project"}
    closed = await at.agent(platform_settings=CLOSED, **secret)
    expired = await link(at, closed)
    at.clock.forward(seconds=31 * 24 * 3600)
    cases = {
        "unknown": ("agent_no", ""),
        "closed": (closed, ""),
        "wrong token": (closed, "x"),
        "expired": (closed, expired),
        "another's": (closed, await link(at, await at.agent(platform_settings=CLOSED))),
        "pages": (await at.agent(platform_settings={"auth": {"allowlist": [{"hostname": "a.example"}]}}, **secret), ""),
        "archived": (await at.agent(platform_settings={"archived": True}, name="Bo"), ""),
    }
    seen: dict[str, tuple[int, str]] = {}
    for case, (agent_id, token) in cases.items():
        answer = await opened(at, agent_id, {"token": token})
        seen[case] = answer.status_code, heading(answer)
        [told] = re.findall("<p class=detail>(.*?)</p>", answer.text)
        assert told.replace("&#x27;", "'") == await words_of_the_socket(at, agent_id, token)
        assert "secret project" not in answer.text
        assert "<script" not in answer.text
    assert seen == snapshot(
        {
            "unknown": (404, "There is no such agent"),
            "closed": (401, "This agent is open by link only"),
            "wrong token": (403, "You cannot talk with this agent from here"),
            "expired": (403, "You cannot talk with this agent from here"),
            "another's": (403, "You cannot talk with this agent from here"),
            "pages": (403, "You cannot talk with this agent from here"),
            "archived": (400, "This agent is not available"),
        }
    )


async def test_a_name_that_no_database_stores_is_answered_like_any_other_mistake(at: Stage) -> None:
    answer = await opened(at, "agent%00")
    assert (answer.status_code, heading(answer)) == (422, "The page cannot be shown")


async def test_the_key_of_the_engine_opens_no_page_and_stands_on_none(at: Stage) -> None:
    closed = await at.agent(platform_settings=CLOSED)
    assert (await opened(at, closed, headers={"xi-api-key": KEY})).status_code == 401
    shown = await opened(at, closed, {"token": await link(at, closed)}, headers={"xi-api-key": KEY})
    assert shown.status_code == 200
    assert KEY not in shown.text


async def test_an_agent_that_names_pages_is_open_to_this_one_if_it_is_among_them(at: Stage) -> None:
    host = at.url.removeprefix("http://")
    allowed = await at.agent(platform_settings={"auth": {"allowlist": [{"hostname": host}]}})
    assert (await opened(at, allowed)).status_code == 200
    # The name under which the page was asked for is what the browser will name as the page.
    assert (await opened(at, allowed, headers={"host": "evil.example"})).status_code == 403


async def test_opening_the_page_spends_no_token(at: Stage) -> None:
    closed = await at.agent(platform_settings=CLOSED)
    url = httpx2.URL(await at.signed(closed, include_conversation_id="true"))
    for _ in range(2):
        shown = await opened(at, closed, dict(url.params))
        assert shown.status_code == 200
        assert url.params["conversation_signature"] not in shown.text
    async with at.connected(url=str(url), key=None, origin=at.url) as caller:
        await caller.begun()


async def test_the_page_is_only_read(at: Stage) -> None:
    ada = await at.agent()
    head = await opened(at, ada, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await opened(at, ada, method=method)
        assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


async def test_its_files_are_kept_for_ever_under_an_address_that_changes_with_them(at: Stage) -> None:
    shown = await opened(at, await at.agent())
    addresses = re.findall(r'(?:src|href)="\.\./\.\.(/chat/[^"]+)"', shown.text)
    assert [address.rpartition("/")[2] for address in addresses] == ["icon.svg", "chat.css", "chat.js"]
    folder = addresses[0].rpartition("/")[0]
    async with httpx2.AsyncClient(base_url=at.url) as anybody:
        for address in addresses:
            answer = await anybody.get(address)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        for address in ("/chat/0123456789abcdef/chat.js", f"{folder}/page.html", f"{folder}/..%2Fpage.py"):
            assert (await anybody.get(address)).status_code == 404


async def test_the_page_says_what_the_owner_has_it_say(at: Stage) -> None:
    labels = {"accept_terms": "Akkoord", "end_call": "Ophangen", "input_placeholder_text_only": 'Typ "hier"'}
    widget = {"terms_text": "Wees **aardig**.", "shareable_page_text": "Vraag maar.", "text_contents": labels}
    ada = await at.agent({"agent": {"language": "nl"}}, platform_settings={"widget": widget})
    picture = {"avatar_file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    await at.http.post(f"/v1/convai/agents/{ada}/avatar", files=picture)
    shown = (await opened(at, ada)).text
    for expected in (
        "<p>Wees <strong>aardig</strong>.</p>", "<p>Vraag maar.</p>", ">Akkoord</button>", ">Ophangen</button>",
        'placeholder="Typ &quot;hier&quot;"', '<p class="text" lang="nl">',
        f'<img class="picture" src="../../v1/convai/avatars/{ada}?v=',
    ):  # fmt: skip
        assert expected in shown, expected


async def test_a_picture_from_elsewhere_is_not_fetched(at: Stage) -> None:
    widget = {"avatar": {"type": "image", "url": "https://elsewhere.example/a.png"}}
    shown = await opened(at, await at.agent(name="ada", platform_settings={"widget": widget}))
    assert "elsewhere" not in shown.text
    assert '<span class="picture" aria-hidden="true">A</span>' in shown.text
