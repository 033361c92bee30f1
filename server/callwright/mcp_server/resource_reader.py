"""Read the content of each resource: one operation, with its whole answer and masked secrets."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from ..api.client import ApiClient
from ..contract.agent_tests import GetInvocation
from ..contract.agents import GetAgent, ListAgents
from ..contract.conversation.transcript import Turn
from ..contract.conversations import GetConversation
from ..contract.knowledge_base import GetDocumentContent
from ..contract.operation import Operation
from ..contract.workspace import GetWorkspaceSettings
from ..ledger.ledger import Ledger
from ..replies.masking import masked
from ..replies.rehearsal import UNTRUSTED
from ..replies.text import cleaned, visible

CHANGES_SHOWN = 100
_TELLING = ("id", "at_ms", "who", "tool", "target", "outcome", "approved_by", "platform", "undone_by")

Ids = Mapping[str, str]
Read = Callable[[ApiClient, Ids], Awaitable[str]]


async def agents(api: ApiClient, _: Ids) -> str:
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await api.send(ListAgents(page_size=100, cursor=cursor))
        rows += [{"agent_id": a.agent_id, "name": a.name, "tags": a.tags} for a in page.agents]
        cursor = page.next_cursor if page.has_more else None
        if cursor is None:
            return _json(rows)


async def agent(api: ApiClient, ids: Ids) -> str:
    return await _whole(api, GetAgent(agent_id=ids["agent_id"]))


async def prompt(api: ApiClient, ids: Ids) -> str:
    found = await api.send(GetAgent(agent_id=ids["agent_id"]))
    return visible(found.conversation_config.agent.prompt.prompt or "")


async def conversation(api: ApiClient, ids: Ids) -> str:
    return await _whole(api, GetConversation(conversation_id=ids["conversation_id"]), without=("transcript",))


async def transcript(api: ApiClient, ids: Ids) -> str:
    found = await api.send(GetConversation(conversation_id=ids["conversation_id"]))
    return visible("\n".join([UNTRUSTED, "", *(line for turn in found.transcript for line in _said(turn))]))


async def document(api: ApiClient, ids: Ids) -> str:
    found = await api.send(GetDocumentContent(documentation_id=ids["document_id"]))
    return visible(found.data.decode(errors="replace"))


async def test_run(api: ApiClient, ids: Ids) -> str:
    return await _whole(api, GetInvocation(test_invocation_id=ids["invocation_id"]))


async def workspace(api: ApiClient, _: Ids) -> str:
    return await _whole(api, GetWorkspaceSettings())


async def changes(ledger: Ledger) -> str:
    rows = await ledger.changes(limit=CHANGES_SHOWN, before=None, target=None)
    return _json([{name: row[name] for name in _TELLING} for row in rows])


READERS: dict[str, Read] = {
    "agents": agents,
    "agent": agent,
    "agent_prompt": prompt,
    "conversation": conversation,
    "conversation_transcript": transcript,
    "document": document,
    "test_run": test_run,
    "workspace": workspace,
}
"""Name of the place -> its reader; `changes` is read from the server's own log instead."""


async def _whole(api: ApiClient, op: Operation[Any], without: tuple[str, ...] = ()) -> str:
    found = await api.send(op)
    answer = op.result().dump_python(found, mode="json", by_alias=True, exclude_unset=True)
    return _json(masked([], {name: value for name, value in answer.items() if name not in without}))


def _json(value: object) -> str:
    return json.dumps(cleaned(value), ensure_ascii=False, indent=1)


def _said(turn: Turn) -> Iterator[str]:
    """The lines of a turn: `[12 s] user: …`, and one for each tool call and its result."""
    if turn.message:
        yield f"[{turn.time_in_call_secs} s] {turn.role}: {turn.message}"
    for call in turn.tool_calls:
        yield f"[{turn.time_in_call_secs} s] {turn.role} calls {call.tool_name} {call.params_as_json}"
    for result in turn.tool_results:
        told: Any = result
        failed = " failed" if getattr(told, "is_error", False) else ""
        yield f"[{turn.time_in_call_secs} s] {told.tool_name}{failed}: {getattr(told, 'result_value', '')}"
