"""What a change replaces, and how to put it back. The twin of the contract's `update` and `delete` operations."""

from typing import Any, cast

from pydantic import BaseModel

from ..api.client import ApiClient
from ..contract.agent_tests import CreateAgentTest, DeleteAgentTest, GetAgentTest, UpdateAgentTest
from ..contract.agent_tools import CreateTool, DeleteTool, GetTool, UpdateTool
from ..contract.agents import CreateAgent, DeleteAgent, GetAgent, UpdateAgent
from ..contract.errors import BadRequest
from ..contract.knowledge_base import (
    CreateTextDocument,
    DeleteDocument,
    GetDocument,
    GetDocumentContent,
    UpdateDocument,
)
from ..contract.mcp_servers import GetMcpServer, UpdateMcpApprovalPolicy, UpdateMcpServer
from ..contract.merge import Json
from ..contract.operation import Operation
from ..contract.phone_numbers import GetPhoneNumber, UpdatePhoneNumber
from ..contract.pronunciation_dictionaries import GetDictionary, SetDictionaryRules
from ..contract.talking import EndConversation, SendMessage
from ..contract.workspace import (
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
)

RESTORES: tuple[type[Operation[Any]], ...] = (
    GetAgent,
    UpdateAgent,
    CreateAgent,
    GetDocument,
    UpdateDocument,
    CreateTextDocument,
    GetPhoneNumber,
    UpdatePhoneNumber,
    GetAgentTest,
    UpdateAgentTest,
    CreateAgentTest,
    GetTool,
    UpdateTool,
    CreateTool,
    GetMcpServer,
    UpdateMcpServer,
    GetDictionary,
    SetDictionaryRules,
    GetWorkspaceSettings,
    UpdateWorkspaceSettings,
    GetDashboardSettings,
    UpdateDashboardSettings,
)
"""Operations that `undo_change` may send."""

_ANSWER_ONLY = ("agent_id", "metadata", "access_info", "phone_numbers")


async def previous(client: ApiClient, op: Operation[Any]) -> Json | None:
    """What `op` is about to replace; None where it cannot be put back (or nothing is replaced)."""
    match op:
        case UpdateAgent() | DeleteAgent():
            return _dump(await client.send(GetAgent(agent_id=op.agent_id)))
        case UpdatePhoneNumber() if (op.body() or {}).keys() == {"agent_id"}:
            # A trunk is not kept: the platform never gives its credentials back.
            return _dump(await client.send(GetPhoneNumber(phone_number_id=op.phone_number_id)))
        case UpdateMcpServer() | UpdateMcpApprovalPolicy():
            found = _dump(await client.send(GetMcpServer(mcp_server_id=op.mcp_server_id)))["config"]
            return None if _has_plain_headers(found) or _has_plain_headers(op.body() or {}) else found
        case UpdateAgentTest() | DeleteAgentTest():
            return _dump(await client.send(GetAgentTest(test_id=op.test_id)))
        case UpdateTool() | DeleteTool():
            return {"tool_config": _dump(await client.send(GetTool(tool_id=op.tool_id)))["tool_config"]}
        case UpdateDocument():
            found = await client.send(GetDocument(documentation_id=op.documentation_id))
            return {"name": _dump(found).get("name")}
        case UpdateWorkspaceSettings():
            found = _dump(await client.send(GetWorkspaceSettings()))
            hooks = [each.get("conversation_initiation_client_data_webhook") for each in (found, op.body() or {})]
            return None if any(_has_plain_headers(hook or {}) for hook in hooks) else found
        case SetDictionaryRules():
            found = _dump(await client.send(GetDictionary(pronunciation_dictionary_id=op.pronunciation_dictionary_id)))
            return {"rules": found["rules"]} if found.get("rules") is not None else None  # older platforms tell none
        case UpdateDashboardSettings():
            return _dump(await client.send(GetDashboardSettings()))
        case DeleteDocument():
            found = _dump(await client.send(GetDocument(documentation_id=op.documentation_id)))
            if found.get("type") != "text":
                return None
            content = await client.send(GetDocumentContent(documentation_id=op.documentation_id))
            return {"name": found["name"], "text": content.data.decode(errors="replace")}
        case _:
            return None


def target_of(op: Operation[Any], result: object = None) -> str:
    """The id of what an operation is about; for a create, the id in its answer."""
    ids = [str(getattr(op, name)) for name, place in op.places().items() if place == "path"]
    if ids:
        return "/".join(ids)
    if isinstance(op, SendMessage | EndConversation):
        return op.conversation_id
    if isinstance(result, BaseModel):
        for name in ("agent_id", "phone_number_id", "secret_id", "conversation_id", "id"):
            if isinstance(found := getattr(result, name, None), str):
                return found
    return ""


async def restoring(client: Any, row: Json) -> Operation[Any]:
    """The operation that takes a recorded change back. Raises BadRequest where that cannot be done."""
    request, before = cast(Json | None, row["request"]), cast(Json | None, row["previous"])
    found = None
    if before is not None and row["outcome"] in ("done", "unknown"):
        found = _recreating(row["operation"], before)
        found = found or await _putting_back(client, row["operation"], row["target"], request or {}, before)
    if found is None:
        raise BadRequest(_why_not(row))
    return found


def _recreating(operation: str, before: Json) -> Operation[Any] | None:
    """What makes a deleted thing again."""
    match operation:
        case "DeleteAgent":
            return CreateAgent.model_validate({k: v for k, v in before.items() if k not in _ANSWER_ONLY})
        case "DeleteAgentTest":
            return CreateAgentTest.model_validate({k: v for k, v in before.items() if k != "id"})
        case "DeleteTool":
            return CreateTool.model_validate(before)
        case "DeleteDocument":
            return CreateTextDocument(text=before["text"], name=before["name"])
        case _:
            return None


async def _putting_back(client: Any, operation: str, id: str, request: Json, before: Json) -> Operation[Any] | None:
    """What takes an update back."""
    match operation:
        case "UpdateAgent":
            now = _dump(await client.send(GetAgent(agent_id=id)))
            return UpdateAgent(agent_id=id, **inverse(request, before, now))
        case "UpdatePhoneNumber":
            now = _dump(await client.send(GetPhoneNumber(phone_number_id=id)))
            back = inverse(request, _answered_by(before), _answered_by(now))
            return UpdatePhoneNumber(phone_number_id=id, **back)
        case "UpdateTool":
            inverse(request, before, _dump(await client.send(GetTool(tool_id=id))))  # not changed again since
            return UpdateTool.model_validate({"tool_id": id, **before})
        case "UpdateMcpServer" | "UpdateMcpApprovalPolicy":
            now = _dump(await client.send(GetMcpServer(mcp_server_id=id)))["config"]
            return UpdateMcpServer.model_validate({"mcp_server_id": id} | inverse(request, before, now))
        case "UpdateDocument":
            now = _dump(await client.send(GetDocument(documentation_id=id)))
            return UpdateDocument(documentation_id=id, **inverse(request, before, now))
        case "UpdateAgentTest":
            now = _dump(await client.send(GetAgentTest(test_id=id)))
            inverse(request, before, now)  # refuses what was changed again since; a test is written whole
            return UpdateAgentTest.model_validate({k: v for k, v in before.items() if k != "id"} | {"test_id": id})
        case "UpdateWorkspaceSettings":
            now = _dump(await client.send(GetWorkspaceSettings()))
            return UpdateWorkspaceSettings.model_validate(inverse(request, before, now))
        case "SetDictionaryRules":
            now = _dump(await client.send(GetDictionary(pronunciation_dictionary_id=id)))
            back = inverse(request, before, now)
            return SetDictionaryRules.model_validate({"pronunciation_dictionary_id": id, **back})
        case "UpdateDashboardSettings":
            now = _dump(await client.send(GetDashboardSettings()))
            return UpdateDashboardSettings.model_validate(inverse(request, before, now))
        case _:
            return None


def inverse(request: Json, before: Json, now: Json, at: str = "") -> Json:
    """The merge patch that takes `request` back: it touches only what the request touched, and null takes out.

    Raises BadRequest where one of those values was changed again since.
    """
    patch: Json = {}
    for key, value in request.items():
        old: Any = before.get(key)
        current: Any = now.get(key)
        path = f"{at}.{key}".lstrip(".")
        if all(isinstance(each, dict) for each in (value, old, current)):
            patch[key] = inverse(value, old, current, path)
        elif value is None or current == old or holds(current, value):
            patch[key] = old  # what null became is the platform's default, so it cannot be compared
        else:
            raise BadRequest(f"{path} was changed again since. Undo the later change first, or set it by hand.")
    return patch


def holds(current: object, value: object) -> bool:
    """Whether `value` is still what was sent; a platform adds its defaults to what it is sent."""
    if isinstance(current, dict) and isinstance(value, dict):
        found = cast(Json, current)
        return all(holds(found.get(key), wanted) for key, wanted in cast(Json, value).items())
    if isinstance(current, list) and isinstance(value, list):
        pairs = list(zip(cast(list[Any], current), cast(list[Any], value), strict=False))
        return len(pairs) == len(cast(list[Any], current)) == len(cast(list[Any], value)) and all(
            holds(have, wanted) for have, wanted in pairs
        )
    return current == value


def _has_plain_headers(caller: Json) -> bool:
    """A header that is no reference to a secret may be one itself."""
    return any(isinstance(value, str) for value in cast(Json, caller.get("request_headers") or {}).values())


def _answered_by(number: Json) -> Json:
    agent = cast(Json, number.get("assigned_agent") or {})
    return {"agent_id": agent.get("agent_id")}


def _why_not(row: Json) -> str:
    if row["outcome"] not in ("done", "unknown"):
        return f"That change was not made ({row['outcome']}): there is nothing to undo."
    return (
        f"A {row['operation']} cannot be undone: no previous value was kept, because there was none, it holds what"
        " the platform never gives back, or CALLWRIGHT_STATE_KEY was another one then. What was"
        " created can be deleted with its delete tool."
    )


def _dump(model: BaseModel) -> Json:
    return model.model_dump(mode="json", exclude_unset=True)
