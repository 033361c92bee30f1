"""How often a tool asks the platform: each fact is read once in a call, and again before what was approved is done.

The platform is elsewhere, behind HTTP, and notes every request. A request that is added to one of these calls is a
decision: each costs its caller a round trip, and counts against the platform's limits.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from inline_snapshot import snapshot
from mcp import Client
from mcp.types import CallToolResult

from callwright.app import App
from tests.hosted.hosted_server import Hosted, Tenant
from tests.transports import ERAS, Says, facts, numbered, reach, refusal_facts, settings

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


class Platform:
    """One platform, and what it was asked since it was last looked at."""

    def __init__(self, hosted: Hosted, tenants: dict[str, Tenant], home: Path) -> None:
        self._tenants = tenants
        self.app: App = hosted.app(settings(home, toolsets=("all",)), ids=numbered())

    def asked(self) -> list[str]:
        """Names of the operations, in their order."""
        [tenant] = self._tenants.values()
        names = [op.__name__ for _, op in tenant.seen]
        tenant.seen.clear()
        return names

    @asynccontextmanager
    async def client(self, era: str = "2026-07-28", says: Says | None = None) -> AsyncGenerator[Client]:
        async with reach(self.app, era, says) as (client, _):
            yield client


@pytest.fixture
def platform(tmp_path: Path, elsewhere: tuple[BlockingPortal, str, dict[str, Tenant]]) -> Generator[Platform]:
    hosted = Hosted(*elsewhere)
    yield Platform(hosted, elsewhere[2], tmp_path / "home")
    assert hosted.close() == []


async def ada(client: Client, **more: Any) -> Json:
    made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", **more}))
    return {"agent_id": made["agent_id"]}


async def test_reading_asks_once(platform: Platform) -> None:
    async with platform.client() as client:
        agent = await ada(client)
        asked: dict[str, list[str]] = {"create_agent": platform.asked()}
        for tool, given in (("get_agent", agent), ("list_agents", {}), ("list_conversations", {})):
            facts(await client.call_tool(tool, given))
            asked[tool] = platform.asked()
    assert asked == snapshot(
        {
            "create_agent": ["CreateAgent", "GetAgent"],
            "get_agent": ["GetAgent"],
            "list_agents": ["ListAgents"],
            "list_conversations": ["ListConversations"],
        }
    )


async def test_an_update_reads_what_it_replaces_once(platform: Platform) -> None:
    async with platform.client() as client:
        agent = await ada(client)
        platform.asked()
        facts(await client.call_tool("update_agent", {**agent, "name": "Bea"}))
        assert platform.asked() == snapshot(["GetAgent", "UpdateAgent"])


@pytest.mark.parametrize("era", ERAS)
async def test_an_approved_delete_reads_for_the_question_and_again_before_the_act(platform: Platform, era: str) -> None:
    async with platform.client(era, "yes") as client:
        agent = await ada(client)
        platform.asked()
        facts(await client.call_tool("delete_agent", agent))
        assert platform.asked() == snapshot(["GetAgent", "GetAgent", "DeleteAgent"])


async def test_a_delete_by_token_reads_in_each_of_its_two_calls(platform: Platform) -> None:
    async with platform.client() as client:
        agent = await ada(client)
        platform.asked()
        token = refusal_facts(await client.call_tool("delete_agent", agent))["approval_token"]
        assert platform.asked() == snapshot(["GetAgent"])
        facts(await client.call_tool("delete_agent", {**agent, "approval_token": token}))
        assert platform.asked() == snapshot(["GetAgent", "DeleteAgent"])


async def test_knowledge_is_added_and_deleted(platform: Platform) -> None:
    async with platform.client(says="yes") as client:
        made = facts(await client.call_tool("create_text_document", {"name": "Hours", "text": "Nine to five."}))
        document = {"document_id": made["document_id"]}
        added = platform.asked()
        await ada(client, document_ids=[made["document_id"]])
        platform.asked()
        facts(await client.call_tool("delete_document", {**document, "force": True}))
        assert (added, platform.asked()) == snapshot(
            (
                ["CreateTextDocument"],
                [
                    "GetDocument",
                    "ListDocumentDependents",
                    "GetDocument",
                    "ListDocumentDependents",
                    "GetDocumentContent",
                    "DeleteDocument",
                ],
            )
        )


async def test_a_secret_is_stored_and_a_rehearsal_held(platform: Platform) -> None:
    async with platform.client(says="yes") as client:
        agent = await ada(client)
        platform.asked()
        facts(await client.call_tool("create_secret", {"name": "crm", "value": "s3cret"}))
        stored = platform.asked()
        rehearsed: CallToolResult = await client.call_tool("simulate_conversation", {**agent, "caller": "Hello"})
        assert not rehearsed.is_error
        assert (stored, platform.asked()) == snapshot((["CreateSecret"], ["SimulateConversation"]))
