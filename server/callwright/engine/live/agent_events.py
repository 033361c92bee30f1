"""Reports the agent's turns to the client as frames. All frames of one message carry the same event id."""

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.prices import context_of
from ..dialogue.record import NOTE, Turn
from .client_socket import ClientSocket


class AgentEvents:
    """Sends the agent's turns over one socket; each message has the next event id."""

    def __init__(self, socket: ClientSocket) -> None:
        self.event_id = 0
        """The id of the agent's last or current message."""
        self.places: dict[int, int] = {}
        """Event id to the index of its message in the transcript."""
        self._socket = socket
        self._open = False
        self._cut: tuple[str, str] | None = None

    async def text(self, piece: str) -> None:
        """Send the next piece of the current message."""
        if not self._open:
            self._open = True
            self.event_id += 1
            await self._part("", "start")
        await self._part(piece, "delta")

    async def turn(self, turn: Turn, place: int) -> None:
        """Send a stored turn of the agent. `place`: its index in the transcript."""
        for call in turn["tool_calls"]:
            if call["tool_name"] != NOTE and call["type"] != "workflow":
                await self._request(call)
        for result in turn["tool_results"]:
            if result["tool_name"] != NOTE and result["type"] != "workflow":
                await self._response(result)
        said, original = turn["message"], turn["original_message"]
        if turn["interrupted"] and original is not None:
            self._cut = original, said or ""
            await self._stop()
        elif said:
            if not self._open:
                await self.text(said)
            await self._stop()
            self.places[self.event_id] = place
            told = {"agent_response": said, "event_id": self.event_id}
            await self._socket.tell("agent_response", "agent_response_event", **told)
        await self._usage(turn)

    async def interruption(self) -> None:
        """Report that the user interrupted the agent, which has stopped."""
        id, cut, self._cut = self.event_id, self._cut, None
        await self._socket.tell("interruption", "interruption_event", event_id=id, reason="user_message")
        if cut and cut[1]:
            told = {"original_agent_response": cut[0], "corrected_agent_response": cut[1], "event_id": id}
            await self._socket.tell("agent_response_correction", "agent_response_correction_event", **told)

    async def _stop(self) -> None:
        if self._open:
            self._open = False
            await self._part("", "stop")

    async def _part(self, text: str, type_: str) -> None:
        told = {"text": text, "type": type_, "event_id": self.event_id}
        await self._socket.tell("agent_chat_response_part", "text_response_part", **told)

    async def _request(self, call: Json) -> None:
        await self._socket.tell("agent_tool_request", "agent_tool_request", **self._head(call))

    async def _response(self, result: Json) -> None:
        came = {"is_error": result["is_error"], "is_called": result["tool_has_been_called"]}
        told = self._head(result) | came
        await self._socket.tell("agent_tool_response", "agent_tool_response", **told)
        whole = {"full_tool_result": result["result_value"]}
        await self._socket.tell("agent_tool_response_full_payload", "agent_tool_response_full_payload", **told, **whole)

    async def _usage(self, turn: Turn) -> None:
        """Send how much of the model's context the answer used, if both numbers are known."""
        used: dict[str, dict[str, Json]] = at(turn, "llm_usage", "model_usage") or {}
        for model, counts in used.items():
            if (limit := context_of(model)) is not None:
                tokens = sum(count["tokens"] for count in counts.values())
                told: Json = {"event_id": self.event_id, "model": model}
                told |= {"context_tokens": tokens, "context_limit_tokens": limit}
                await self._socket.tell("context_usage", "context_usage_event", **told)

    def _head(self, record: Json) -> Json:
        head = {"tool_name": record["tool_name"], "tool_call_id": record["request_id"], "tool_type": record["type"]}
        return head | {"event_id": self.event_id}
