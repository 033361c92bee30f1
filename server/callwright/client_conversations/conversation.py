"""One text conversation that stays open between an assistant's tool calls; the assistant speaks as the user."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import anyio
from pydantic_core import from_json, to_json

from ..api.client import ApiClient
from ..clock import NowMs, Sleep
from ..contract.errors import LONGEST_MESSAGE, ApiError, BadRequest, Unavailable, Unreachable
from ..contract.merge import Json
from ..contract.talking import SendMessage, StartConversation
from ..net.sockets import LOST, Broken, Socket
from ..tasks.task import Owner

BEGIN_SECONDS = 20.0
QUIET_SECONDS = 2.0
"""Silence after an answer before it counts as complete, for platforms that do not report the end of a turn."""
SEEN = (
    "agent_response",
    "agent_response_correction",
    "agent_chat_response_part",
    "agent_tool_request",
    "agent_tool_response",
    "client_tool_call",
    "mcp_tool_call",
    "agent_typing",
    "ping",
)
"""Events to subscribe to."""
CONNECTION_LOST = "The connection was lost."
REFUSED = 1008
"""Close code: the platform refused the client or its initiation data."""
NOT_APPROVED = "it waits for a person's approval, which cannot be given here; the server's approval policy can allow it"

_CONTENT = {
    "agent_chat_response_part": "text_response_part",
    **{
        kind: f"{kind}_event"
        for kind in (
            "conversation_initiation_metadata", "agent_response", "agent_response_correction", "agent_typing", "ping",
            "error",
        )
    },
}  # fmt: skip
"""The key of a frame's content, if it is not the frame's type."""

log = logging.getLogger(__name__)


@dataclass
class ConversationEvent:
    """An event of the conversation: text of the agent, or an action."""

    who: str
    text: str
    event_id: int | None = None


@dataclass
class PendingToolCall:
    """A call of a client tool that waits for its result."""

    tool: str
    parameters: Json


class ClientConversation:
    """One conversation. `run` holds the connection; tool calls use the other methods."""

    def __init__(self, op: StartConversation, owner: Owner, clock: NowMs, sleep: Sleep, *, idle_seconds: float) -> None:
        """`idle_seconds`: time after the last tool call until the conversation is ended."""
        self.owner, self._idle_seconds = owner, idle_seconds
        self.id = ""
        self.news: list[ConversationEvent] = []
        """Events not reported yet."""
        self.asked: dict[str, PendingToolCall] = {}
        """Pending tool calls by id."""
        self.ended: str | None = None
        """The reason for the end, once the conversation has ended."""
        self.used_ms = clock()
        self._op, self._clock, self._sleep = op, clock, sleep
        self._socket: Socket | None = None
        self._busy, self._owed, self._saying, self._tells_when_through = True, False, False, False
        self._asks = False
        """Whether the agent has called a client tool since the last message to it."""
        self._running: set[str] = set()
        self._heard = anyio.Event()
        self._failure: ApiError | None = None
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()

    @property
    def through(self) -> bool:
        """Whether the agent has certainly finished its turn."""
        return self.ended is not None or (self._asks and bool(self.asked)) or not self._busy

    async def run(self, client: ApiClient) -> None:
        """Hold the connection until either side ends it, or until it was idle for too long."""
        try:
            with self._scope:
                async with client.converse(self._op) as self._socket, anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch)
                    while (text := await self._socket.receive()) is not None:
                        await self._take(text)
                    self._over(self._socket)
                    tasks.cancel_scope.cancel()
        except ApiError as exc:
            self._failure = exc
        except anyio.get_cancelled_exc_class():
            self.ended = self.ended or "The server was stopped."
            raise
        except Exception as exc:
            log.warning("A conversation broke off: %s", type(exc).__name__)
        finally:
            self.ended = self.ended or CONNECTION_LOST
            self._done.set()
            self._tell()

    async def begun(self) -> None:
        """Wait until the platform has started the conversation. Raises ApiError if it refused."""
        with anyio.move_on_after(BEGIN_SECONDS):
            while not (self.id or self.ended):
                await self._next()
        if self.id:
            return
        self._scope.cancel()
        raise self._failure or Unavailable(self.ended or f"No conversation began within {BEGIN_SECONDS:g} s.")

    async def say(self, op: SendMessage) -> None:
        """Send a message and tool results. Raises BadRequest for an unexpected result, before anything is sent."""
        if unknown := sorted(op.tool_results.keys() - self.asked.keys()):
            known = ", ".join(self.asked) or "none"
            raise BadRequest(f"tool_results.{unknown[0]}: no tool waits under this id. Waiting: {known}.")
        if self._socket is None or self.ended:
            raise BadRequest(f"The conversation is over: {self.ended}")
        if op.text is not None or op.tool_results:
            self._busy, self._asks = True, False
            # A platform that reports the end of a turn also reports its start: an earlier end is of the last turn.
            self._owed = op.text is not None or not self._tells_when_through
        for id, result in op.tool_results.items():
            del self.asked[id]
            await self._send(type="client_tool_result", tool_call_id=id, result=result, is_error=False)
        if op.text is not None:
            await self._send(type="user_message", text=op.text)

    async def hear(self, seconds: float, told: Callable[[str], Awaitable[None]]) -> list[ConversationEvent]:
        """The new events, once the agent's turn is complete or after `seconds`. `told` gets each as it arrives."""
        self.used_ms = self._clock()
        reported = 0
        with anyio.move_on_after(seconds):
            while True:
                while reported < len(self.news):  # more may arrive during the callback
                    each, reported = self.news[reported], reported + 1
                    await told(f"{each.who}: {each.text[:200]}")
                if self.through:
                    break
                if not self._may_be_through():
                    await self._next()
                elif not await self._more_comes():
                    self._busy = False
        self.used_ms = self._clock()
        return self.take()

    def take(self) -> list[ConversationEvent]:
        """Remove and return the new events so far."""
        news, self.news = self.news, []
        return news

    def stop(self) -> None:
        """Stop the conversation without waiting for its end."""
        self._scope.cancel()

    async def end(self, why: str) -> None:
        """Stop the conversation and wait for the close. A hosted platform records the end a moment later."""
        self.ended = self.ended or why
        self._scope.cancel()
        await self._done.wait()

    def _may_be_through(self) -> bool:
        return not (self._owed or self._tells_when_through or self._saying or self._running)

    async def _more_comes(self) -> bool:
        """Whether another frame arrives before the agent counts as silent."""
        heard = False
        async with anyio.create_task_group() as tasks:

            async def wait() -> None:
                await self._sleep(QUIET_SECONDS)
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait)
            await self._next()
            heard = True
            tasks.cancel_scope.cancel()
        return heard

    async def _next(self) -> None:
        heard = self._heard
        await heard.wait()

    def _tell(self) -> None:
        self._heard.set()
        self._heard = anyio.Event()

    async def _watch(self) -> None:
        while (left := self.used_ms / 1000 + self._idle_seconds - self._clock() / 1000) > 0:
            await self._sleep(left)
        self.ended = f"Nothing was said for {self._idle_seconds // 60:g} minutes."
        self._scope.cancel()

    async def _send(self, **frame: Any) -> None:
        if self._socket is None:
            return
        try:
            await self._socket.send(to_json(frame).decode())
        except Broken:
            self._scope.cancel()
            self.ended = self.ended or CONNECTION_LOST
            failure = Unreachable(f"{CONNECTION_LOST} Whether the agent heard it is not known: see get_conversation.")
        else:
            return
        raise failure

    async def _take(self, text: str) -> None:
        """Handle a frame. Audio and frame types of newer platforms are ignored."""
        try:
            found: Any = from_json(text)
        except ValueError:
            return
        frame = cast(Json, found) if isinstance(found, dict) else {}
        kind = str(frame.get("type"))
        content: Any = frame.get(_CONTENT.get(kind, kind))
        event = cast(Json, content) if isinstance(content, dict) else {}
        match kind:
            case "ping":
                await self._send(type="pong", event_id=event.get("event_id"))
            case "mcp_tool_call" if event.get("state") == "awaiting_approval":
                self.news.append(ConversationEvent("tool", f"{event.get('tool_name')} was refused: {NOT_APPROVED}"))
                id = event.get("tool_call_id")
                await self._send(type="mcp_tool_approval_result", tool_call_id=id, is_approved=False)
            case _:
                self._note(kind, event)
        self._tell()

    def _note(self, kind: str, event: Json) -> None:
        match kind:
            case "conversation_initiation_metadata":
                self.id = str(event.get("conversation_id") or "")
            case "agent_typing":
                self._types(is_typing=bool(event.get("is_typing")))
            case "agent_chat_response_part":
                self._saying = event.get("type") != "stop"
            case "agent_response":
                self._saying, self._owed = False, self._owed and self._tells_when_through
                if said := event.get("agent_response"):
                    self.news.append(ConversationEvent("agent", str(said), event.get("event_id")))
            case "agent_response_correction":
                self._correct(event)
            case "agent_tool_request":
                self._running.add(str(event.get("tool_call_id")))
            case "agent_tool_response":
                self._owed = self._owed and self._tells_when_through
                self._running.discard(str(event.get("tool_call_id")))
                self.asked.pop(str(event.get("tool_call_id")), None)  # the agent no longer waits for it
                how = "failed" if event.get("is_error") else "done"
                self.news.append(ConversationEvent("tool", f"{event.get('tool_name')}: {how}"))
            case "client_tool_call":
                self._ask(event)
            case "error":
                self.ended = _short(str(event.get("message") or event.get("reason") or "The platform broke it off."))
                self._failure = _failure(event.get("code"), self.ended)
            case _:
                pass

    def _types(self, *, is_typing: bool) -> None:
        self._tells_when_through = True
        self._owed = self._owed and not is_typing
        self._busy = is_typing or self._owed

    def _correct(self, event: Json) -> None:
        said, id = str(event.get("corrected_agent_response") or ""), event.get("event_id")
        for each in self.news:
            if each.who == "agent" and each.event_id == id is not None:
                each.text = said
                return
        self.news.append(ConversationEvent("agent, interrupted", said, id))

    def _ask(self, event: Json) -> None:
        given: Any = event.get("parameters")
        asked = PendingToolCall(str(event.get("tool_name")), cast(Json, given) if isinstance(given, dict) else {})
        if event.get("expects_response", True) is False:
            self.news.append(
                ConversationEvent("tool", f"{asked.tool} was called with {to_json(asked.parameters).decode()}")
            )
        else:
            self.asked[str(event.get("tool_call_id"))] = asked
            self._asks = True

    def _over(self, socket: Socket) -> None:
        """Record that the platform has closed the connection."""
        if self.ended is None:
            self.ended = _short(socket.reason) or _WITHOUT_REASON.get(socket.code, "The platform ended it.")
            self._failure = _failure(socket.code, self.ended)


_WITHOUT_REASON = {LOST: CONNECTION_LOST}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def _failure(code: object, said: str) -> ApiError:
    return BadRequest(said) if code == REFUSED else Unavailable(said)
