"""Everything that decides what an agent says and does, as one digest.

A question about a call, or about a key to an agent, holds it: the yes is for the agent as it was then. Whoever changes
a word of its prompt, a tool, a document or another agent to which it transfers, has to ask anew.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import anyio

from ..api.client import ApiClient
from ..contract.agent_tools import GetTool
from ..contract.agents import GetAgent
from ..contract.auth_connections import ListAuthConnections
from ..contract.calls import GetBatchCall, RetryBatchCall
from ..contract.errors import ApiError, Unavailable
from ..contract.knowledge_base import GetDocument
from ..contract.mcp_servers import GetMcpServer
from ..contract.merge import Json
from ..contract.operation import Operation
from ..contract.phone_numbers import GetPhoneNumber
from ..contract.pronunciation_dictionaries import GetDictionary
from ..contract.references import references_in
from ..contract.workspace import GetWorkspaceSettings

BOUND = ("dial", "grant")
"""Effects whose approval holds for the agent as it is."""

_Resource = tuple[str, str]
"""Kind and id."""


class _Reader(NamedTuple):
    request: type[Operation[Any]]
    field: str | None
    """The field of the request for the id; None if it reads all that there is."""
    parts: tuple[str, ...]
    """The fields of the answer that decide; the others are dates, owners and counts."""


_READERS: Mapping[str, _Reader] = {
    "agent": _Reader(GetAgent, "agent_id", ("name", "conversation_config", "platform_settings", "workflow")),
    "tool": _Reader(GetTool, "tool_id", ("tool_config",)),
    "document": _Reader(GetDocument, "documentation_id", ("name", "type", "url", "extracted_inner_html")),
    "mcp_server": _Reader(GetMcpServer, "mcp_server_id", ("config",)),
    "pronunciation_dictionary": _Reader(GetDictionary, "pronunciation_dictionary_id", ("latest_version_id", "rules")),
    "auth_connection": _Reader(ListAuthConnections, None, ("auth_connections",)),
    "phone_number": _Reader(
        GetPhoneNumber, "phone_number_id", ("phone_number", "provider", "provider_config", "outbound_trunk")
    ),
    "workspace": _Reader(GetWorkspaceSettings, None, ("conversation_initiation_client_data_webhook", "webhooks")),
}
_COUNTED = {"agent": "other agent", "tool": "tool", "document": "document", "mcp_server": "MCP server"}


async def bound_to(op: Operation[Any], api: ApiClient) -> str:
    """What an approval of `op` is bound to, in words with the digest; empty for an effect that binds it to nothing.

    Raises Unavailable if the platform cannot be asked now.
    """
    if op.effect not in BOUND:
        return ""
    found = await _read(api, [("workspace", "settings"), *await _acting(op, api)])
    text = json.dumps(sorted(found.items()), sort_keys=True)
    # The model may search for two configurations with one digest, so that it has all of 128 bits.
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    counts = Counter(kind for kind, _ in found)
    counts["agent"] -= 1
    parts = [f"{many} {word}{'s'[: many != 1]}" for kind, word in _COUNTED.items() if (many := counts[kind])]
    having = f" with {', '.join(parts)}," if parts else ""
    return f" A yes is for the agent{having} as it is now (digest {digest})."


async def _acting(op: Operation[Any], api: ApiClient) -> list[_Resource]:
    """The agent that would talk, the number that it would use, and what the request itself brings along."""
    given: Json = op.model_dump(mode="json", exclude_unset=True)
    if isinstance(op, RetryBatchCall):
        batch = await api.send(GetBatchCall(batch_id=op.batch_id))
        given = {"agent_id": batch.agent_id, "agent_phone_number_id": batch.phone_number_id}
    number: str | None = given.get("agent_phone_number_id")
    brought = [(each.kind, each.id) for each in references_in(given) if each.kind in _READERS]
    return [*brought, ("phone_number", number)] if number else brought


async def _read(api: ApiClient, start: list[_Resource]) -> dict[_Resource, Json]:
    """Everything that can be reached from `start`, by kind and id."""
    found: dict[_Resource, Json] = {}

    async def read(resource: _Resource) -> None:
        found[resource] = await _parts(api, resource)

    new = set(start)
    while new:
        async with anyio.create_task_group() as reading:
            for resource in new:
                reading.start_soon(read, resource)
        named = {(each.kind, each.id) for resource in new for each in references_in(found[resource])}
        new = {resource for resource in named if resource[0] in _READERS} - found.keys()
    return found


async def _parts(api: ApiClient, resource: _Resource) -> Json:
    kind, id = resource
    reader = _READERS[kind]
    request = reader.request.model_validate({reader.field: id} if reader.field else {})
    try:
        answer = await api.send(request)
    except Unavailable:
        raise
    except ApiError as exc:  # what is not there, or may not be read, decides as that
        return {"unreadable": type(exc).__name__}
    whole: Json = request.result().dump_python(answer, mode="json", by_alias=True)
    return {name: whole[name] for name in reader.parts if name in whole}
