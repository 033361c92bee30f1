"""The widget as a web page gets it, with and without a key, and its picture."""

from collections.abc import AsyncGenerator

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import GetAgent
from callwright.contract.conversations import GetSignedUrl
from callwright.contract.errors import NotFound
from callwright.contract.operation import Blob
from callwright.contract.widget import GetAvatar, GetWidget, UploadAvatar

from .helpers import JSON, agent, change, dump, http, problems, read, refused

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
CONFIG: JSON = {
    "agent": {"first_message": "Hello {{name}}.", "language": "en"},
    "conversation": {"text_only": True},
    "language_presets": {
        "nl": {"overrides": {"agent": {"first_message": "Hoi."}}},
        "fi": {"overrides": {}, "first_message_translation": {"source_hash": "h", "text": "Hei."}},
    },
}
WIDGET: JSON = {
    "variant": "compact",
    "feedback_mode": "end",
    "language_selector": True,
    "custom_avatar_path": "internal/a.png",
    "action_text": "Ask us",
    "language_presets": {"nl": {"text_contents": {"start_call": "Bel"}}},
}


@pytest.fixture
async def keyless(app: App) -> AsyncGenerator[AsyncClient]:
    """A web page: it has no key, on an engine that demands one."""
    async with http(await app.engine("key")) as client:
        yield client


async def shown(api: ApiClient, agent_id: str) -> JSON:
    return dump(await api.send(GetWidget(agent_id=agent_id)))["widget_config"]


async def test_the_widget_shows_what_the_agent_is_configured_to(api: ApiClient) -> None:
    ada = await agent(api, CONFIG, platform_settings={"widget": WIDGET})
    answer = dump(await api.send(GetWidget(agent_id=ada)))
    config = answer.pop("widget_config")
    assert answer == {"agent_id": ada}
    kept = (await read(api, ada))["platform_settings"]["widget"]
    computed = {name: value for name, value in config.items() if kept.get(name) != value}
    assert computed == snapshot(
        {
            "language": "en",
            "supported_language_overrides": ["en", "fi", "nl"],
            "language_presets": {
                "fi": {"first_message": "Hei.", "text_contents": None},
                "nl": {"first_message": "Hoi.", "text_contents": {"start_call": "Bel"}},
            },
            "text_only": True,
            "first_message": "Hello {{name}}.",
            "end_feedback": {"type": "rating"},
            "use_rtc": False,
        }
    )
    assert kept.keys() - config.keys() == {"language_selector", "custom_avatar_path"}
    assert (config["variant"], config["action_text"]) == ("compact", "Ask us")


async def test_a_language_can_be_chosen_only_where_the_agent_allows_it(api: ApiClient) -> None:
    ada = await agent(api, CONFIG)
    assert (await shown(api, ada))["supported_language_overrides"] is None
    opened = {"overrides": {"conversation_config_override": {"agent": {"language": True}}}}
    await change(api, ada, platform_settings=opened)
    assert (await shown(api, ada))["supported_language_overrides"] == ["en", "fi", "nl"]


async def test_a_page_sees_the_widget_of_an_open_agent_without_a_key(api: ApiClient, keyless: AsyncClient) -> None:
    ada = await agent(api)
    answer = await keyless.get(f"/v1/convai/agents/{ada}/widget")
    assert (answer.status_code, answer.json()["agent_id"]) == (200, ada)
    assert (await keyless.get(f"/v1/convai/agents/{ada}")).status_code == 401
    assert (await keyless.get("/v1/convai/agents/none/widget")).status_code == 404


async def test_a_page_needs_a_signature_where_the_agent_demands_authentication(
    api: ApiClient, keyless: AsyncClient
) -> None:
    ada, bob = [await agent(api, platform_settings={"auth": {"enable_auth": True}}) for _ in range(2)]
    url = (await api.send(GetSignedUrl(agent_id=ada, include_conversation_id=True))).signed_url
    signature = url.partition("conversation_signature=")[2].partition("&")[0]

    async def status(agent_id: str, **query: str) -> int:
        return (await keyless.get(f"/v1/convai/agents/{agent_id}/widget", params=query)).status_code

    assert await status(ada) == 401
    assert await status(ada, conversation_signature="made-up") == 403
    assert await status(bob, conversation_signature=signature) == 403
    # Looking at the widget does not spend what starts one conversation.
    assert [await status(ada, conversation_signature=signature) for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://example.com", 200),
        ("https://EXAMPLE.com:443", 200),
        ("http://localhost:3000", 200),
        ("https://Shop.example", 200),
        ("http://shop.example", 403),
        ("http://[::1]:8080", 200),
        ("http://[::1]", 403),
        ("http://localhost", 403),
        ("https://app.example.com", 403),
        ("https://example.com:8443", 403),
        ("https://example.com.evil.example", 403),
        ("https://example.com:port", 403),
        ("null", 403),
        (None, 403),
    ],
)
async def test_only_the_pages_that_the_agent_names_see_it(
    api: ApiClient, keyless: AsyncClient, origin: str | None, status: int
) -> None:
    hosts = [{"hostname": name} for name in ("example.com", "localhost:3000", "shop.example:443", "[::1]:8080")]
    ada = await agent(api, platform_settings={"auth": {"allowlist": hosts}})
    headers = {"origin": origin} if origin else {}
    assert (await keyless.get(f"/v1/convai/agents/{ada}/widget", headers=headers)).status_code == status


async def test_a_page_of_another_host_may_read_what_is_public_and_why_it_is_refused(
    api: ApiClient, keyless: AsyncClient
) -> None:
    """A browser hides every other answer from the page, and asks beforehand where the request has headers of its own."""
    hosts = [{"hostname": "shop.example"}]
    ada = await agent(api, platform_settings={"auth": {"allowlist": hosts}})
    widget = f"/v1/convai/agents/{ada}/widget"
    for origin, status in (("https://shop.example", 200), ("https://other.example", 403)):
        answer = await keyless.get(widget, headers={"origin": origin})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "content-type",
    }
    before = await keyless.options(widget, headers=asked)
    assert before.status_code == 200
    assert "content-type" in before.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in before.headers
    bare = await keyless.options(widget)
    assert (bare.status_code, bare.headers["allow"]) == (405, "GET")
    for path in (f"/v1/convai/agents/{ada}", f"/v1/convai/agents/{ada}/link"):
        closed = await keyless.get(path, headers=asked)
        assert "access-control-allow-origin" not in closed.headers
        assert (await keyless.options(path, headers=asked)).status_code == 405


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89arest", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 rest", "image/webp"),
    ],
    ids=["png", "jpeg", "gif", "webp"],
)
async def test_an_uploaded_picture_is_served_where_the_widget_names_it(
    api: ApiClient, keyless: AsyncClient, data: bytes, media_type: str
) -> None:
    ada = await agent(api)
    made = await api.send(UploadAvatar(agent_id=ada, avatar_file=Blob("text/plain", data, "liar.txt")))
    answer = await keyless.get(f"http://pages.example/v1/convai/agents/{ada}/widget")
    avatar = answer.json()["widget_config"]["avatar"]
    assert avatar == {"type": "image", "url": avatar["url"]}
    assert avatar["url"].startswith(f"http://pages.example/v1/convai/avatars/{ada}?v=")
    assert made.avatar_url == avatar["url"].replace("pages.example", "embedded")
    picture = await keyless.get(avatar["url"])
    assert (picture.content, picture.headers["content-type"]) == (data, media_type)
    assert await api.send(GetAvatar(agent_id=ada)) == Blob(media_type, data)


async def test_a_new_picture_replaces_the_one_before_under_a_new_address(api: ApiClient) -> None:
    ada = await agent(api)
    uploads = [UploadAvatar(agent_id=ada, avatar_file=Blob("image/png", data, "a.png")) for data in (PNG, PNG + b"2")]
    urls = [(await api.send(upload)).avatar_url for upload in uploads]
    assert len(set(urls)) == 2
    assert (await api.send(GetAvatar(agent_id=ada))).data == PNG + b"2"
    assert dump(await api.send(GetAgent(agent_id=ada)))["platform_settings"]["widget"]["avatar"]["type"] == "image"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<svg onload='x'/>", "body.avatar_file: The picture must be a PNG, JPEG, WebP or GIF."),
        (b"", "body.avatar_file: The picture must be a PNG, JPEG, WebP or GIF."),
        (b"    \0\0\0\0WEBP", "body.avatar_file: The picture must be a PNG, JPEG, WebP or GIF."),
        (
            PNG.ljust(2 * 1024 * 1024 + 1),
            "body.avatar_file: The picture has 2,097,153 bytes; at most 2,097,152 are taken.",
        ),
    ],
    ids=["svg", "nothing", "not quite webp", "too large"],
)
async def test_what_is_no_picture_is_refused_and_the_old_one_stays(
    wire: AsyncClient, api: ApiClient, data: bytes, said: str
) -> None:
    ada = await agent(api)
    await api.send(UploadAvatar(agent_id=ada, avatar_file=Blob("image/png", PNG, "a.png")))
    file = {"avatar_file": ("face.png", data, "image/png")}
    assert problems(await wire.post(f"/v1/convai/agents/{ada}/avatar", files=file)) == [said]
    assert (await api.send(GetAvatar(agent_id=ada))).data == PNG


async def test_an_agent_without_a_picture_has_none_to_serve(api: ApiClient) -> None:
    ada = await agent(api)
    assert str(await refused(api, GetAvatar(agent_id=ada))) == "Agent 'agent_1' has no uploaded picture."
    missing = UploadAvatar(agent_id="none", avatar_file=Blob("image/png", PNG, "a.png"))
    assert isinstance(await refused(api, missing), NotFound)
