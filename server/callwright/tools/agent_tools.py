"""Tools for the stored tools that agents call: webhooks, client tools and system tools."""

from typing import Annotated, Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..api.client import ApiClient
from ..contract.agent_tools import (
    CreateTool,
    DeleteTool,
    GetTool,
    ListToolDependents,
    ListTools,
    StoredTool,
    UpdateTool,
)
from ..contract.agents import GetAgent
from ..contract.common import AgentId, Cursor, PageSize, ToolId
from ..contract.destinations import Destinations as Approved
from ..contract.destinations import GetAgentDestinations, GetToolDestinations, SetAgentDestinations, SetToolDestinations
from ..replies.text import short
from ..replies.users import UsingAgents, named, refuse_while_used
from ..replies.views import Deleted, Page, View, paged
from ..requests.tool_config import Json, written
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.changes import differences
from ..undo.undo import Past, is_read_by, undoes

TOOLS = Toolset("tools", "Store the tools that agents call: webhooks, client tools, system tools.")

Id = Annotated[ToolId, Field(description="From list_tools.")]
Name = Annotated[str, Field(max_length=64, description="Letters, digits, _ and -.")]
Description = Annotated[str, Field(max_length=10_000, description="When to call it, for the model.")]
Kind = Annotated[str, Field(pattern="^(webhook|client|system)$", description="webhook, client or system.")]
Url = Annotated[str, Field(max_length=4_000, description="https; path parameters as {name}.")]
Method = Annotated[str, Field(pattern="^(GET|POST|PUT|PATCH|DELETE)$", description="GET, POST, PUT, PATCH or DELETE.")]
Headers = Annotated[Json, Field(description="Header to text or {secret_id: …}, all of them.")]
Parameters = Annotated[Json, Field(description="What the model fills in: JSON schema, whole.")]
Config = Annotated[Json, Field(description="Rest of tool_config, or an editor's JSON.")]
Changes = Annotated[Json, Field(description="Rest of tool_config, or an editor's JSON. Merged; null clears.")]


Destinations = Annotated[
    dict[str, list[str]],
    Field(description="Variable to origins (https://host), numbers (+4930 for all below), sip:user@host."),
]


class DestinationsView(View):
    destinations: list[str]


class ToolLine(View):
    tool_id: str
    name: str
    kind: str
    description: str


class StoredTools(Page):
    tools: list[ToolLine]


class ToolView(View):
    tool_id: str
    name: str
    kind: str
    description: str
    url: str | None = None
    method: str | None = None
    headers: list[str] = []
    parameters: list[str] = []
    timeout_secs: int | None = None
    notes: list[str] = []
    """What was written differently, left out, or cannot work yet."""

    @classmethod
    def of(cls, tool: StoredTool, notes: list[str] | None = None) -> "ToolView":
        config = _dumped(tool)
        api: Json = config.get("api_schema") or {}
        return cls(
            tool_id=tool.id,
            name=short(str(config.get("name", ""))),
            kind=str(config.get("type", "")),
            description=short(str(config.get("description") or ""), 2_000),
            url=api.get("url"),
            method=api.get("method"),
            headers=[
                f"{name}: {_header(value)}" for name, value in list(_map(api.get("request_headers")).items())[:40]
            ],
            parameters=_parameters(config)[:60],
            timeout_secs=config.get("response_timeout_secs"),
            notes=[short(note, 300) for note in (notes or [])[:20]],
        )


@TOOLS.tool(ListTools, title="List tools", words="webhooks available use werkzeuge", default=False)
async def list_tools(
    api: PlatformApi,
    search: Annotated[str | None, Field(max_length=200, description="Part of the name.")] = None,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> StoredTools:
    """List the stored tools that agents can be given. An agent's own inline tools are in get_agent."""
    # The platform returns all rows at once; this server makes the pages, and a cursor is the last id shown.
    found = [tool for tool in (await api.send(ListTools())).tools if (search or "").lower() in _name(tool).lower()]
    shown, more = paged(found, lambda tool: tool.id, cursor, page_size)
    return StoredTools(
        tools=[
            ToolLine(tool_id=tool.id, name=_name(tool), kind=_kind(tool), description=_described(tool))
            for tool in shown
        ],
        has_more=more is not None,
        next_cursor=more,
    )


@TOOLS.tool(GetTool, title="Get tool", default=False, parts=True)
async def get_tool(api: PlatformApi, tool_id: Id) -> ToolView:
    """Show a stored tool: where it calls, what the model fills in. For the agents that have it use list_tool_agents."""
    return ToolView.of(await api.send(GetTool(tool_id=tool_id)))


@TOOLS.tool(
    CreateTool,
    title="Create tool",
    words=(
        "webhook api books orders look lookup shop system calendar checks table integration connect "
        "bestellungen kalender"
    ),
)
async def create_tool(
    api: PlatformApi,
    name: Name | None = None,
    description: Description | None = None,
    kind: Kind | None = None,
    url: Url | None = None,
    method: Method | None = None,
    headers: Headers | None = None,
    parameters: Parameters | None = None,
    config: Config | None = None,
) -> ToolView:
    """Store a tool that agents call. Then give it to agents with tool_ids of update_agent."""
    tool, notes = written(
        {}, config, parameters, name=name, description=description, kind=kind, url=url, method=method, headers=headers
    )
    op = CreateTool.model_validate({"tool_config": tool})
    return ToolView.of(await api.send(op), notes=[*notes, *op.warnings])


@TOOLS.tool(
    UpdateTool, GetTool, title="Update tool", words="webhook address url method headers endpoint", default=False
)
async def update_tool(
    api: PlatformApi,
    tool_id: Id,
    name: Name | None = None,
    description: Description | None = None,
    kind: Kind | None = None,
    url: Url | None = None,
    method: Method | None = None,
    headers: Headers | None = None,
    parameters: Parameters | None = None,
    config: Changes | None = None,
) -> ToolView:
    """Change a tool, for every agent that has it; what is left out stays. undo_change takes it back."""
    stored = _dumped(await api.send(GetTool(tool_id=tool_id)))
    tool, notes = written(
        stored, config, parameters, name=name, description=description, kind=kind, url=url, method=method,
        headers=headers,
    )  # fmt: skip
    op = UpdateTool.model_validate({"tool_id": tool_id, "tool_config": tool})
    return ToolView.of(await api.send(op), notes=[*notes, *op.warnings])


@TOOLS.tool(SetAgentDestinations, SetToolDestinations, GetAgent, GetTool, title="Update destinations", default=False)
async def update_destinations(
    api: PlatformApi,
    destinations: Destinations,
    agent_id: Annotated[AgentId | None, Field(description="The agent whose own tools hold the variables.")] = None,
    tool_id: Annotated[ToolId | None, Field(description="Instead: the stored tool that holds them.")] = None,
) -> DestinationsView:
    """Say where variables in hosts and transfers may lead; a person approves. Replaces what was said before."""
    if (agent_id is None) is (tool_id is None):
        raise ToolError("Give either agent_id or tool_id.")
    if agent_id is not None:
        found = await api.send(SetAgentDestinations(agent_id=agent_id, destinations=destinations))
    else:
        found = await api.send(SetToolDestinations.model_validate({"tool_id": tool_id, "destinations": destinations}))
    return DestinationsView(destinations=_listed(found))


is_read_by(SetAgentDestinations, GetAgentDestinations)
is_read_by(SetToolDestinations, GetToolDestinations)


@TOOLS.preview(SetAgentDestinations)
async def _what_an_agent_would_follow(api: ApiClient, op: SetAgentDestinations) -> str:
    held = await api.send(GetAgent(agent_id=op.agent_id))
    before = await api.send(GetAgentDestinations(agent_id=op.agent_id))
    return _followed(f"agent {short(held.name)!r} ({op.agent_id})", before)


@TOOLS.preview(SetToolDestinations)
async def _what_a_tool_would_follow(api: ApiClient, op: SetToolDestinations) -> str:
    held = await api.send(GetTool(tool_id=op.tool_id))
    before = await api.send(GetToolDestinations(tool_id=op.tool_id))
    return _followed(f"tool {short(_name(held))!r} ({op.tool_id})", before)


def _followed(holder: str, before: Approved) -> str:
    said = "; ".join(_listed(before)) or "none"
    return (
        f"Let requests (with their secrets) and transfers of {holder} go where these variables lead, whoever gives"
        f" their values, within these destinations. Before: {said}."
    )


def _listed(approved: Approved) -> list[str]:
    return [f"{name}: {', '.join(each)}" for name, each in approved.destinations.items()]


@TOOLS.tool(DeleteTool, GetTool, title="Delete tool", default=False, words="webhook weather")
async def delete_tool(api: PlatformApi, tool_id: Id) -> Deleted:
    """Delete a stored tool for good. Refused while agents have it."""
    found = await api.send(GetTool(tool_id=tool_id))
    await api.send(DeleteTool(tool_id=tool_id))
    return Deleted(deleted=tool_id, name=_name(found))


@TOOLS.tool(ListToolDependents, title="List a tool's agents", default=False)
async def list_tool_agents(
    api: PlatformApi,
    tool_id: Id,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> UsingAgents:
    """List the agents that have a stored tool. Look here before you change or delete it."""
    asked = {"tool_id": tool_id, "page_size": page_size} | ({"cursor": cursor} if cursor else {})
    return UsingAgents.of(await api.send(ListToolDependents.model_validate(asked)))


@TOOLS.preview(CreateTool)
async def _what_would_be_made(_: ApiClient, op: CreateTool) -> str:
    config = cast(Any, op.tool_config)
    return f"Store the {config.type} tool {short(str(getattr(config, 'name', '')))!r} for agents to call."


@TOOLS.preview(UpdateTool)
async def _what_would_change(api: ApiClient, op: UpdateTool) -> str:
    found = await api.send(GetTool(tool_id=op.tool_id))
    changed = [change.path.removeprefix("tool_config.") for change in differences(op, {"tool_config": _dumped(found)})]
    users = UsingAgents.of(await api.send(ListToolDependents(tool_id=op.tool_id, page_size=20)))
    named = ", ".join(agent.name for agent in users.agents) + (" and more" if users.has_more else "")
    return (
        f"Change tool {_name(found)!r} ({op.tool_id}), which {named or 'no agent'} can call:"
        f" {', '.join(changed[:12]) or 'nothing'}."
    )


@TOOLS.preview(DeleteTool)
async def _what_would_go(api: ApiClient, op: DeleteTool) -> str:
    name = _name(await api.send(GetTool(tool_id=op.tool_id)))
    users = [named(agent) for agent in (await api.send(ListToolDependents(tool_id=op.tool_id, page_size=20))).agents]
    refuse_while_used(f"Tool {name!r}", users, "Take it out there with tool_ids of update_agent.")
    return f"Delete tool {name!r} ({op.tool_id}) for good."


def _dumped(tool: StoredTool) -> Json:
    return tool.tool_config.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _name(tool: StoredTool) -> str:
    return short(str(getattr(tool.tool_config, "name", "")))


def _kind(tool: StoredTool) -> str:
    return str(getattr(tool.tool_config, "type", ""))


def _described(tool: StoredTool) -> str:
    return short(str(getattr(tool.tool_config, "description", "") or ""), 120)


def _header(value: object) -> str:
    """The source of a header's text. The text itself is not shown, because it may be an API key."""
    found = _map(value)
    return next((f"{key} {short(str(found[key]))}" for key in ("secret_id", "variable_name") if key in found), "text")


def _parameters(config: Json) -> list[str]:
    """The parameters of a tool as `name (type, where, required): meaning`, those inside objects by their paths."""
    api = _map(config.get("api_schema"))
    in_path = _map(api.get("path_params_schema"))
    lines = _lines({"properties": in_path, "required": list(in_path)}, "path", "")
    lines += _lines(_map(api.get("query_params_schema")), "query", "")
    lines += _lines(_map(api.get("request_body_schema")), "body", "")
    return lines + _lines(_map(config.get("parameters")), "", "")


def _lines(schema: Json, where: str, at: str) -> list[str]:
    found: list[str] = []
    required: list[str] = schema.get("required") or []
    for name, given in _map(schema.get("properties")).items():
        value = _map(given)
        said = [str(value.get("type", "")), where, "required" if name in required else ""]
        source = next((f"{k} {value[k]}" for k in ("constant_value", "dynamic_variable") if value.get(k)), "")
        meaning = short(source or str(value.get("description") or ""), 160)
        found.append(f"{at}{name} ({', '.join(filter(None, said))}){': ' if meaning else ''}{meaning}")
        inside = _map(value.get("items")) if value.get("type") == "array" else value
        found += _lines(inside, where, f"{at}{name}{'[]' if inside is not value else ''}.")
    return found


def _map(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


async def _keep_config(_: ApiClient, __: UpdateTool | DeleteTool, found: Json) -> Json:
    return {"tool_config": found["tool_config"]}


@undoes(UpdateTool, reads=GetTool, sends=UpdateTool, keep=_keep_config)
def _called_as_before(past: Past) -> UpdateTool:
    past.inverse()  # refuses values that were changed again since; a tool is written whole
    return UpdateTool.model_validate({"tool_id": past.target, **past.before})


@undoes(DeleteTool, reads=GetTool, sends=CreateTool, keep=_keep_config)
def _made_again(past: Past) -> CreateTool:
    return CreateTool.model_validate(past.before)
