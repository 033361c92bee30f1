"""Lists that the platform gives whole are paged here, and lists that it sorts can be turned round."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from callwright.contract.agents import CreateAgent
from callwright.contract.mcp_servers import CreateMcpServer
from callwright.contract.operation import Operation
from callwright.contract.phone_numbers import CreatePhoneNumber
from callwright.contract.secrets import CreateSecret
from callwright.replies.views import LINES
from tests.transports import Clock, facts, reach, text

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

MAKING: dict[str, Callable[[int], Operation[Any]]] = {
    "list_secrets": lambda n: CreateSecret.model_validate({"type": "new", "name": f"s{n:03}", "value": "abc"}),
    "list_phone_numbers": lambda n: CreatePhoneNumber.model_validate(
        {"phone_number": f"+1555000{n:04}", "label": "Desk", "provider": "twilio", "sid": "AC1", "token": "hush"}
    ),
    "list_mcp_servers": lambda n: CreateMcpServer.model_validate(
        {"config": {"name": f"m{n}", "url": "https://mcp.example.com/mcp"}}
    ),
}


@pytest.mark.parametrize("tool", MAKING)
async def test_a_list_that_comes_whole_is_read_to_its_end(tmp_path: Path, clock: Clock, tool: str) -> None:
    app = offering(tmp_path, clock)
    api = await app.api()
    for number in range(LINES + 3):
        await api.send(MAKING[tool](number))
    rows: list[dict[str, Any]] = []
    sizes: list[int] = []
    cursor: str | None = None
    async with reach(app) as (client, _):
        while cursor or not sizes:
            page = facts(await client.call_tool(tool, {"cursor": cursor} if cursor else {}))
            cursor = page.get("next_cursor")
            assert page["has_more"] is (cursor is not None)
            [found] = [cast(list[dict[str, Any]], value) for value in page.values() if isinstance(value, list)]
            sizes.append(len(found))
            rows += found
        lost = await client.call_tool(tool, {"cursor": "of_what_was_deleted"})
    assert sizes == [LINES, 3]
    assert len({str(row) for row in rows}) == LINES + 3
    assert text(lost) == "What this cursor names is gone. Begin again without cursor."


@pytest.mark.parametrize(
    ("by", "names"), [("name", "ABC"), ("-name", "CBA"), ("created_at", "ACB"), ("-created_at", "BCA")]
)
async def test_agents_and_documents_are_sorted_both_ways(tmp_path: Path, clock: Clock, by: str, names: str) -> None:
    app = offering(tmp_path, clock)
    async with reach(app) as (client, _):
        for name in "BCA":
            await (await app.api()).send(CreateAgent.model_validate({"name": name, "conversation_config": {}}))
            facts(await client.call_tool("create_text_document", {"name": name, "text": "x"}))
            clock.forward(seconds=1)
        agents = facts(await client.call_tool("list_agents", {"sort_by": by}))["agents"]
        documents = facts(await client.call_tool("list_documents", {"sort_by": by, "own_only": True}))["documents"]
    assert "".join(row["name"] for row in agents) == names
    assert "".join(row["name"] for row in documents) == names
