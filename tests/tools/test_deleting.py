"""Deleting what something uses, through the MCP client: refused before anybody is asked."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.transports import ERAS, Clock, facts, reach, text

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    return facts(await client.call_tool(tool, arguments))


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_is_asked_about_a_deletion_that_would_be_refused(tmp_path: Path, clock: Clock, era: str) -> None:
    async with reach(offering(tmp_path, clock), era, "yes") as (client, asked):
        secret = (await call(client, "create_secret", name="crm", value="abc"))["secret_id"]
        headers = {"authorization": {"secret_id": secret}}
        webhook = {"name": "crm", "description": "d", "url": "https://crm.example.com/x", "headers": headers}
        tool = (await call(client, "create_tool", **webhook))["tool_id"]
        document = (await call(client, "create_text_document", text="x", name="Handbook"))["document_id"]
        used = {"tool_ids": [tool], "document_ids": [document]}
        await call(client, "create_agent", name="Ada", prompt="p", **used)
        asked.clear()
        deleting: list[tuple[str, dict[str, Any]]] = [
            ("delete_secret", {"secret_id": secret}),
            ("delete_tool", {"tool_id": tool}),
            ("delete_document", {"document_id": document}),
        ]
        refused = [text(await client.call_tool(name, arguments)) for name, arguments in deleting]
        tried = [text(await client.call_tool(name, {**arguments, "dry_run": True})) for name, arguments in deleting]
        forced = await call(client, "delete_document", document_id=document, force=True, dry_run=True)
    assert refused == snapshot(
        [
            "Secret 'crm' is used by 'crm' (tool_2). Take it out there first.",
            "Tool 'crm' is used by 'Ada' (agent_4). Take it out there with tool_ids of update_agent.",
            "Document 'Handbook' is used by 'Ada' (agent_4). Take it out there with document_ids of update_agent, or give force.",
        ]
    )
    assert tried == refused
    assert forced["dry_run"]["would"] == snapshot(
        "Delete document 'Handbook' (doc_3, 1 bytes) for good. It is taken out of 'Ada' (agent_4)."
    )
    assert asked == []
