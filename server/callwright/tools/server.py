"""Tools about the server itself: its status, its approval rules, the log of changes, and undo."""

import base64
import json
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..accounts.scopes import scope_of_each
from ..api.client import ApiClient
from ..approval.explain import explained
from ..approval.question import changed_fields
from ..contract.agent_tests import CreateAgentTest, GetAgentTest, UpdateAgentTest
from ..contract.agent_tools import CreateTool, GetTool, UpdateTool
from ..contract.agents import CreateAgent, GetAgent, UpdateAgent
from ..contract.knowledge_base import CreateTextDocument, GetDocument, UpdateDocument
from ..contract.mcp_servers import GetMcpServer, UpdateMcpServer
from ..contract.operation import Operation
from ..contract.phone_numbers import GetPhoneNumber, UpdatePhoneNumber
from ..contract.pronunciation_dictionaries import GetDictionary, SetDictionaryRules
from ..contract.workspace import (
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
)
from ..replies.text import short
from ..replies.views import Page, View
from ..toolkit.toolset import PlatformApi, Toolset, services
from ..undo.undo import restoring, target_of
from .tasks import cancel_task, get_task

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
"""Operations that `undo_change` may send. A test compares them with the declarations by `undo.undoes`."""

_BEING_UNDONE = "That change is being undone right now by another call. list_changes shows how that ends."

TOOLS = Toolset("server", "See where the server works, and review or undo its changes.")


class Status(View):
    version: str
    platform: str
    host: str
    workspace: str
    approval: str
    unattended: str
    read_only: bool
    no_outbound: bool
    llm: str
    data_folder: str
    missing: list[str]


class ToolRule(View):
    tool: str
    policy: str
    why: str
    guarded: list[str] | None = None
    """Paths that ask although the tool does not."""
    if_nobody_can_be_asked: str | None = None


class Rules(View):
    mode: str
    requires_approval: list[str] | None = None
    asks_for_guarded: list[str] | None = None
    disabled: list[str] | None = None
    rule: ToolRule | None = None
    exempt: list[str] = []
    caps: list[str] = []


class Change(View):
    change_id: str
    at_unix_secs: int
    tool: str
    target: str
    outcome: str
    approved_by: str
    platform: str
    who: str
    undoable: bool
    undone_by: str | None = None


class Changes(Page):
    changes: list[Change]


class Undone(View):
    undone: str
    change_id: str
    target: str


@TOOLS.tool(title="Server status", words="set ready working platform version which bereit health")
async def get_status(ctx: Context[Any]) -> Status:
    """Show whether everything is set up: platform, approval mode, LLM, data folder, what is missing."""
    return Status(**await services(ctx).status())


@TOOLS.tool(title="Show approval policy", words="ask permission anybody need confirm", default=False)
async def show_approval_policy(
    ctx: Context[Any],
    tool: Annotated[str | None, Field(max_length=64, description="Left out: all that ask.")] = None,
) -> Rules:
    """Tell which tools ask a person first, or whether one does and which rule says so."""
    return Rules(**explained(services(ctx).policy, tool))


@TOOLS.tool(title="List changes", words="history log did today changed audit who")
async def list_changes(
    ctx: Context[Any],
    target: Annotated[str | None, Field(description="Only changes of this id.")] = None,
    limit: Annotated[int, Field(ge=1, le=50, description="1 to 50.")] = 20,
    cursor: Annotated[str | None, Field(max_length=200, description="From next_cursor.")] = None,
) -> Changes:
    """List what this server changed, refused or was declined, newest first, with who approved it."""
    ledger = await services(ctx).ledger()
    rows = await ledger.changes(limit=limit + 1, before=_read(cursor) if cursor else None, target=target)
    shown = rows[:limit]
    more = len(rows) > limit
    return Changes(
        changes=[_change(row) for row in shown],
        has_more=more,
        next_cursor=_write(shown[-1]["at_ms"], shown[-1]["id"]) if more else None,
    )


TOOLS.tool(title="Get task", words="finished done progress ready")(get_task)
TOOLS.tool(title="Cancel task", stops=True, words="stop abort")(cancel_task)


@TOOLS.tool(
    *RESTORES,
    title="Undo change",
    words="back undo revert take mistake restore ruckgangig annule annuler deshaz annulla rollback",
)
async def undo_change(
    api: PlatformApi,
    ctx: Context[Any],
    change_id: Annotated[str, Field(max_length=64, description="From list_changes.")],
) -> Undone:
    """Put back what an update replaced, or recreate a deleted agent, tool, test or text document (its id is new)."""
    ledger = await services(ctx).ledger()
    row = await ledger.change(change_id)
    if row is None:
        raise ToolError(f"No change {change_id!r}. list_changes shows them.")
    scope = scope_of_each().get(row["tool"])
    if scope and not services(ctx).may(scope):
        raise ToolError(f"{row['tool']} made that change: taking it back needs the scope {scope} too.")
    if row["undone_by"]:
        raise ToolError(f"That change was undone already, by {row['undone_by']}.")
    if row["being_undone"]:
        raise ToolError(_BEING_UNDONE)
    if row["platform"] != services(ctx).account:
        raise ToolError(f"That change was made on {row['platform']}; this server works on {services(ctx).account}.")
    op = await restoring(api, row)
    api.require(op)  # before the claim, which would block the repeated call after approval
    # Shielded: a cancelled call must not leave a claim behind, nor an undo that is not recorded.
    claim = None
    with anyio.CancelScope(shield=True):
        claim = await ledger.claim_undo(change_id)
    if claim is None:
        raise ToolError(_BEING_UNDONE)
    try:
        result = await api.send(op)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await ledger.release_undo(change_id, claim)
        raise
    by = api.changes[-1]
    with anyio.CancelScope(shield=True):
        await ledger.undone(change_id, by)
    return Undone(undone=change_id, change_id=by, target=target_of(op, result))


@TOOLS.preview(UpdateAgent)
async def _what_would_be_put_back(api: ApiClient, op: UpdateAgent) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    return f"Put back how agent {short(agent.name)!r} ({op.agent_id}) was: {changed_fields(op)}."


@TOOLS.preview(CreateAgent)
async def _what_would_be_recreated(_: ApiClient, op: CreateAgent) -> str:
    return f"Create the deleted agent {short(op.name or '')!r} again, as it was, under a new id."


@TOOLS.preview(UpdatePhoneNumber)
async def _who_would_answer_again(api: ApiClient, op: UpdatePhoneNumber) -> str:
    number: Any = await api.send(GetPhoneNumber(phone_number_id=op.phone_number_id))
    answers = "nobody"
    if op.agent_id:
        agent = await api.send(GetAgent(agent_id=op.agent_id))
        answers = f"{short(agent.name)!r} ({op.agent_id})"
    return f"Let {answers} answer phone number {short(number.phone_number)} again."


@TOOLS.preview(UpdateTool)
async def _which_tool_would_be_put_back(api: ApiClient, op: UpdateTool) -> str:
    tool: Any = (await api.send(GetTool(tool_id=op.tool_id))).tool_config
    return f"Put back how tool {short(str(tool.name))!r} ({op.tool_id}) was."


@TOOLS.preview(CreateTool)
async def _which_tool_would_be_recreated(_: ApiClient, op: CreateTool) -> str:
    tool: Any = op.tool_config
    return f"Create the deleted tool {short(str(tool.name))!r} again, as it was, under a new id."


@TOOLS.preview(UpdateMcpServer)
async def _how_it_would_be_called_again(api: ApiClient, op: UpdateMcpServer) -> str:
    server = await api.send(GetMcpServer(mcp_server_id=op.mcp_server_id))
    return f"Put back how MCP server {short(server.config.name)!r} ({op.mcp_server_id}) was: {changed_fields(op)}."


@TOOLS.preview(UpdateWorkspaceSettings)
async def _what_would_hold_again(_: ApiClient, op: UpdateWorkspaceSettings) -> str:
    return f"Put back settings of the workspace: {changed_fields(op)}."


@TOOLS.preview(UpdateDocument)
async def _what_it_would_be_called_again(_: ApiClient, op: UpdateDocument) -> str:
    return f"Call document {op.documentation_id} {short(op.name)!r} again."


@TOOLS.preview(CreateTextDocument)
async def _what_would_be_added_again(_: ApiClient, op: CreateTextDocument) -> str:
    return f"Add the deleted document {short(op.name or '')!r} again ({len(op.text):,} characters), under a new id."


def _change(row: dict[str, Any]) -> Change:
    return Change(
        change_id=row["id"],
        at_unix_secs=row["at_ms"] // 1000,
        undoable=row["kept"]
        and row["outcome"] in ("done", "unknown")
        and not (row["undone_by"] or row["being_undone"]),
        undone_by=row["undone_by"] or ("in progress" if row["being_undone"] else None),
        **{name: row[name] for name in ("tool", "target", "outcome", "approved_by", "platform", "who")},
    )


def _write(at_ms: int, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at_ms, id]).encode()).decode()


def _read(cursor: str) -> tuple[int, str]:
    try:
        found: Any = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, RecursionError):
        found = None
    match found:
        case [int(at_ms), str(id)] if 0 <= at_ms < 2**53:
            return at_ms, id
        case _:
            raise ToolError("This cursor belongs to another list. Leave it out to begin with the first page.")
