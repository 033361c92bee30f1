"""Conversations of the API layer, with a platform that answers as badly as one can."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from callwright.api.client import ApiClient
from callwright.bounds import Bounds
from callwright.client_conversations.conversation import ClientConversation, ConversationEvent
from callwright.client_conversations.open_conversations import OpenConversations
from callwright.clock import now_ms
from callwright.contract.errors import ApiError
from callwright.contract.talking import SendMessage, StartConversation
from tests.peers import serving

pytestmark = pytest.mark.anyio

KEY = "a-key-that-nobody-may-see"
OWNER = ("local", "hosted")
START = StartConversation(agent_id="agent_1")
Script = Callable[[WebSocket], Awaitable[None]]


class Platform:
    """Gives a signed URL, and plays the script on whatever connects with it."""

    def __init__(self, script: Script, signed_url: str = "") -> None:
        self.script, self.signed_url = script, signed_url
        self.url = ""
        self.frames: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.app = Starlette(
            routes=[
                Route("/v1/convai/conversation/get-signed-url", self._sign),
                WebSocketRoute("/v1/convai/conversation", self._talk),
            ]
        )

    async def _sign(self, request: Request) -> Response:
        own = f"{self.url.replace('http', 'ws', 1)}/v1/convai/conversation?agent_id=agent_1&token=t"
        return JSONResponse({"signed_url": self.signed_url or own})

    async def _talk(self, socket: WebSocket) -> None:
        self.keys.append(socket.headers.get("xi-api-key"))
        await self.script(socket)


@asynccontextmanager
async def reached(platform: Platform, **chosen: Any) -> AsyncGenerator[tuple[ApiClient, OpenConversations]]:
    talks = OpenConversations(now_ms, anyio.sleep)
    async with (
        serving(platform.app, ws="wsproto") as platform.url,
        ApiClient(platform.url, key=SecretStr(KEY), **chosen) as client,
        talks.running(),
    ):
        yield client, talks


async def begun(socket: WebSocket) -> None:
    await socket.accept("convai")
    assert (await socket.receive_json())["type"] == "conversation_initiation_client_data"
    event = {"conversation_id": "conv_1"}
    await tell(socket, "conversation_initiation_metadata", conversation_initiation_metadata_event=event)


async def tell(socket: WebSocket, type_: str, **content: Any) -> None:
    await socket.send_json({"type": type_, **content})


async def typed(socket: WebSocket, *, types: bool) -> None:
    await tell(socket, "agent_typing", agent_typing_event={"is_typing": types})


async def heard(talk: ClientConversation) -> list[tuple[str, str]]:
    async def told(_: str) -> None:
        pass

    return [(news.who, news.text) for news in await talk.hear(10, told)]


async def refused(platform: Platform, **chosen: Any) -> ApiError:
    async with reached(platform, **chosen) as (client, talks):
        with pytest.raises(ApiError) as refusal:
            await talks.begin(client, START, OWNER)
    assert KEY not in str(refusal.value)
    return refusal.value


async def nobody(_: WebSocket) -> None:
    raise AssertionError("nobody may connect")


@pytest.mark.parametrize(
    "signed_url",
    [
        "ws://elsewhere.example/v1/convai/conversation?token=t",
        "ws://127.0.0.1:1/v1/convai/conversation?token=t",
        "https://127.0.0.1/v1/convai/conversation",
        "not a url",
    ],
)
async def test_a_conversation_goes_to_the_platforms_own_host_only(signed_url: str) -> None:
    error = await refused(Platform(nobody, signed_url))
    assert (type(error).__name__, str(error)) == snapshot(
        ("Refused", "The platform's WebSocket is on another host, where this server does not go.")
    )


async def test_a_socket_that_the_platform_refuses_tells_its_status() -> None:
    error = await refused(Platform(lambda socket: socket.close()))
    assert (type(error).__name__, str(error)) == snapshot(
        ("Forbidden", "The platform refused the WebSocket (403): check the key, and whether the agent is open to it.")
    )


async def test_a_read_only_server_begins_none() -> None:
    error = await refused(Platform(nobody), bounds=Bounds(read_only=True))
    assert (type(error).__name__, str(error)) == snapshot(
        ("Refused", "This server is read-only, and this would create something.")
    )


async def test_a_platform_that_breaks_off_before_it_begins_is_unavailable() -> None:
    async def script(socket: WebSocket) -> None:
        await socket.accept()
        await tell(socket, "error", error_event={"code": 1011, "message": "The brain is off."})
        await socket.close(1011)

    error = await refused(Platform(script))
    assert (type(error).__name__, str(error)) == snapshot(("Unavailable", "The brain is off."))


async def test_whatever_a_platform_sends_is_read_or_left_aside() -> None:
    over = anyio.Event()

    async def script(socket: WebSocket) -> None:
        await begun(socket)
        await typed(socket, types=True)
        for frame in ("no json", "[]", '"text"', "{}", '{"type": 1}', '{"type": "agent_response"}', '{"type": "news"}'):
            await socket.send_text(frame)
        await socket.send_bytes(b"\0" * 100_000)
        await tell(socket, "audio", audio_event={"audio_base_64": "A" * 2_000_000, "event_id": 1})
        await tell(socket, "agent_response", agent_response_event={"agent_response": "Hello there", "event_id": 1})
        corrected = {"original_agent_response": "Hello there", "corrected_agent_response": "Hello", "event_id": 1}
        await tell(socket, "agent_response_correction", agent_response_correction_event=corrected)
        corrected = {"corrected_agent_response": "Long ago", "event_id": 0}
        await tell(socket, "agent_response_correction", agent_response_correction_event=corrected)
        called = {"tool_name": "beep", "tool_call_id": "c", "parameters": {"times": 2}, "expects_response": False}
        await tell(socket, "client_tool_call", client_tool_call=called)
        await tell(socket, "ping", ping_event={"event_id": 7, "ping_ms": None})
        assert await socket.receive_json() == {"type": "pong", "event_id": 7}
        await typed(socket, types=False)
        await over.wait()

    platform = Platform(script)
    async with reached(platform) as (client, talks):
        talk = await talks.begin(client, START, OWNER)
        found = await heard(talk)
        over.set()
    assert platform.keys == [KEY]
    assert found == snapshot(
        [("agent", "Hello"), ("agent, interrupted", "Long ago"), ("tool", 'beep was called with {"times":2}')]
    )


async def test_a_tool_that_needs_a_persons_approval_is_refused_and_the_assistant_hears_of_it() -> None:
    async def script(socket: WebSocket) -> None:
        await begun(socket)
        call: dict[str, Any] = {"tool_name": "send_mail", "tool_call_id": "c", "service_id": "s", "parameters": {}}
        await tell(socket, "mcp_tool_call", mcp_tool_call={**call, "state": "awaiting_approval"})
        answer = await socket.receive_json()
        assert answer == {"type": "mcp_tool_approval_result", "tool_call_id": "c", "is_approved": False}
        await typed(socket, types=False)
        await socket.receive()

    async with reached(Platform(script)) as (client, talks):
        assert await heard(await talks.begin(client, START, OWNER)) == snapshot(
            [
                (
                    "tool",
                    "send_mail was refused: it waits for a person's approval, which cannot be given here; the server's approval policy can allow it",
                )
            ]
        )


async def test_a_tool_that_the_agent_gave_up_takes_no_result_any_more() -> None:
    async def script(socket: WebSocket) -> None:
        await begun(socket)
        called: dict[str, Any] = {"tool_name": "where", "tool_call_id": "c", "parameters": {}, "event_id": 1}
        await tell(socket, "client_tool_call", client_tool_call=called)
        assert (await socket.receive_json())["type"] == "user_message"
        gone = {"tool_name": "where", "tool_call_id": "c", "tool_type": "client", "is_error": True}
        await tell(socket, "agent_tool_response", agent_tool_response=gone)
        await typed(socket, types=False)
        await socket.receive()

    async with reached(Platform(script)) as (client, talks):
        talk = await talks.begin(client, START, OWNER)
        assert await heard(talk) == []
        assert list(talk.asked) == ["c"]
        await talk.say(SendMessage(conversation_id="conv_1", text="Never mind"))
        assert await heard(talk) == [("tool", "where: failed")]
        with pytest.raises(ApiError, match="no tool waits under this id"):
            await talk.say(SendMessage(conversation_id="conv_1", tool_results={"c": 1}))


async def test_a_connection_that_is_lost_ends_the_conversation() -> None:
    async def script(socket: WebSocket) -> None:
        await begun(socket)
        await typed(socket, types=False)
        await socket.receive()
        raise ConnectionError("the cable was pulled")

    async with reached(Platform(script)) as (client, talks):
        talk = await talks.begin(client, START, OWNER)
        assert await heard(talk) == []
        await talk.say(SendMessage(conversation_id="conv_1", text="Hello"))
        assert await heard(talk) == []
        with pytest.raises(ApiError) as refusal:
            await talk.say(SendMessage(conversation_id="conv_1", text="Hello?"))
    assert (talk.ended, str(refusal.value)) == snapshot(
        ("The connection was lost.", "The conversation is over: The connection was lost.")
    )


async def test_words_come_as_they_are_said() -> None:
    """Also those that come while one is told."""
    told: list[str] = []
    more = anyio.Event()

    async def script(socket: WebSocket) -> None:
        await begun(socket)
        await typed(socket, types=True)
        for number in range(3):
            said = {"agent_response": f"Part {number}", "event_id": number}
            await tell(socket, "agent_response", agent_response_event=said)
            if number == 0:
                await more.wait()
        await typed(socket, types=False)
        await socket.receive()

    async def tells(text: str) -> None:
        told.append(text)
        more.set()
        with anyio.fail_after(60):
            while True:
                if len(talk.news) == 3:
                    return
                await anyio.sleep(0.01)

    async with reached(Platform(script)) as (client, talks):
        talk = await talks.begin(client, START, OWNER)
        news = await talk.hear(10, tells)
    assert news == [ConversationEvent("agent", f"Part {number}", number) for number in range(3)]
    assert told == [f"agent: Part {number}" for number in range(3)]


async def test_whoever_stops_waiting_for_the_begin_leaves_nothing_open() -> None:
    left = anyio.Event()

    async def script(socket: WebSocket) -> None:
        await socket.accept()
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
        left.set()

    async with reached(Platform(script)) as (client, talks):
        with anyio.move_on_after(0.2):
            await talks.begin(client, START, OWNER)
        with anyio.fail_after(60):
            await left.wait()


async def test_a_word_that_it_is_through_counts_for_what_was_said_last() -> None:
    async def script(socket: WebSocket) -> None:
        await begun(socket)
        await typed(socket, types=True)
        await typed(socket, types=False)
        assert (await socket.receive_json())["text"] == "Hello"
        await typed(socket, types=False)  # sent before the message had come
        await typed(socket, types=True)
        await tell(socket, "agent_response", agent_response_event={"agent_response": "Hi", "event_id": 2})
        await typed(socket, types=False)
        await socket.receive()

    async with reached(Platform(script)) as (client, talks):
        talk = await talks.begin(client, START, OWNER)
        assert await heard(talk) == []
        await talk.say(SendMessage(conversation_id="conv_1", text="Hello"))
        assert await heard(talk) == [("agent", "Hi")]
