"""Make the body of an agent test from a moment of a real conversation."""

from typing import Literal

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.conversation.transcript import Turn
from ..contract.conversations import Conversation
from ..contract.merge import Json
from ..replies.text import short

CONDITION = (
    "The reply answers what the user said last. It is right by the agent's instructions and by what was said and looked"
    " up before, and it invents nothing."
)
"""Default condition of a test, which holds for any good reply."""

_KEPT = {"role", "message", "multivoice_message", "tool_calls", "tool_results", "agent_metadata", "time_in_call_secs"}
"""Fields of a turn that a test keeps. The others are measurements, which the agent did not see."""
_PRIVATE = ("system__", "secret__")
"""Prefixes of variables that are not copied: the platform sets them anew, or they are secret."""


def cut_out(
    found: Conversation, number: int | None, name: str | None, condition: str | None, original: str | None
) -> Json:
    """The REST body: the turns before the agent's turn `number` (None: its last reply), and the reply itself.

    `original` (`good`, `bad` or None) makes the reply an example. Raises ToolError if there is no such turn.
    """
    turns = found.transcript
    at = _last_reply(turns) if number is None else number
    if at is None or not (0 < at < len(turns) and turns[at].role == "agent"):
        raise ToolError(f"{_wrong(turns, at)} Agent's turns with others before them: {_listed(turns)}.")
    reply = _reply_from(turns, at)
    words = " ".join(turn.message for turn in reply if turn.message)
    if original and not words:
        raise ToolError(f"Turn {at} says nothing that could be an example. Leave original out.")
    speaker, given = reply[0].agent_metadata, found.conversation_initiation_client_data.dynamic_variables or {}
    return {
        "name": name or short(f"{found.conversation_id}, turn {at}: {words or _tools(reply)}", 120),
        "type": "llm",
        "chat_history": [_kept(turn) for turn in turns[:at]],
        "success_condition": condition or CONDITION,
        "success_examples": _example(words, "success") if original == "good" else [],
        "failure_examples": _example(words, "failure") if original == "bad" else [],
        "dynamic_variables": {name: value for name, value in given.items() if not name.startswith(_PRIVATE)},
        "from_conversation_metadata": {
            "conversation_id": found.conversation_id,
            "agent_id": speaker.agent_id if speaker else found.agent_id,
            "workflow_node_id": speaker.workflow_node_id if speaker else None,
            "original_agent_reply": [_kept(turn) for turn in reply],
        },
    }


def _last_reply(turns: list[Turn]) -> int | None:
    """Index of the turn with which the agent's last reply begins; None if there is none."""
    starts = (at for at in range(len(turns) - 1, 0, -1) if turns[at].role == "agent" and turns[at - 1].role == "user")
    return next(starts, None)


def _reply_from(turns: list[Turn], at: int) -> list[Turn]:
    """The turns of one reply, which may be several: a tool call, its result, the words after it."""
    end = next((place for place in range(at, len(turns)) if turns[place].role != "agent"), len(turns))
    return turns[at:end]


def _kept(turn: Turn) -> Json:
    return turn.model_dump(mode="json", exclude_unset=True, include=_KEPT)


def _example(words: str, kind: Literal["success", "failure"]) -> list[Json]:
    return [{"response": words, "type": kind}]


def _tools(reply: list[Turn]) -> str:
    return ", ".join(call.tool_name for turn in reply for call in turn.tool_calls)


def _wrong(turns: list[Turn], at: int | None) -> str:
    if at is None:
        return "The agent answered nobody in this conversation."
    if not 0 <= at < len(turns):
        return f"There is no turn {at}."
    return f"Turn {at} is the user's." if turns[at].role == "user" else "Nothing was said before turn 0."


def _listed(turns: list[Turn]) -> str:
    numbers = [str(at) for at, turn in enumerate(turns) if at and turn.role == "agent"]
    return ", ".join(numbers[-20:]) or "none"
