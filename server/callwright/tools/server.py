"""The server itself: where it works, what it changed, and taking a change back."""

import base64
import json
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from .toolset import PlatformApi, Toolset, services
from .undo import RESTORES, restoring, target_of
from .views import Page, View

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
    undone_by: str | None


class Changes(Page):
    changes: list[Change]


class Undone(View):
    undone: str
    change_id: str
    target: str


@TOOLS.tool(title="Server status")
async def get_status(ctx: Context[Any]) -> Status:
    """Show platform, workspace, approval mode, LLM, data folder, and what is missing. Call it when something fails."""
    return Status(**await services(ctx).status())


@TOOLS.tool(title="List changes")
async def list_changes(
    ctx: Context[Any],
    target: Annotated[str | None, Field(description="Only changes of this id.")] = None,
    limit: Annotated[int, Field(ge=1, le=100, description="How many.")] = 20,
    cursor: Annotated[str | None, Field(max_length=200, description="`next_cursor` of the page before.")] = None,
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


@TOOLS.tool(*RESTORES, title="Undo change")
async def undo_change(
    api: PlatformApi,
    ctx: Context[Any],
    change_id: Annotated[str, Field(max_length=64, description="From `list_changes`.")],
) -> Undone:
    """Put back what an update replaced, or recreate a deleted agent or text document (it gets a new id)."""
    ledger = await services(ctx).ledger()
    row = await ledger.change(change_id)
    if row is None:
        raise ToolError(f"No change {change_id!r}. list_changes shows them.")
    if row["undone_by"]:
        raise ToolError(f"That change was undone already, by {row['undone_by']}.")
    if row["platform"] != services(ctx).platform:
        raise ToolError(f"That change was made on the {row['platform']} platform; this server works on the other one.")
    op = await restoring(api, row)
    result = await api.send(op)
    by = api.changes[-1]
    await ledger.undone(change_id, by)
    return Undone(undone=change_id, change_id=by, target=target_of(op, result))


def _change(row: dict[str, Any]) -> Change:
    return Change(
        change_id=row["id"],
        at_unix_secs=row["at_ms"] // 1000,
        undoable=bool(row["kept"]) and row["outcome"] in ("done", "unknown") and not row["undone_by"],
        **{name: row[name] for name in ("tool", "target", "outcome", "approved_by", "platform", "who", "undone_by")},
    )


def _write(at_ms: int, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at_ms, id]).encode()).decode()


def _read(cursor: str) -> tuple[int, str]:
    try:
        at_ms, id = json.loads(base64.urlsafe_b64decode(cursor))
        return int(at_ms), str(id)
    except (ValueError, TypeError):
        raise ToolError("This cursor belongs to another list. Leave it out to begin with the first page.") from None
