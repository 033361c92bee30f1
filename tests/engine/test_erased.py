"""What was deleted is in no file of the home when the deletion has been answered."""

import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from httpx2 import AsyncClient
from mcp import Client
from sqlalchemy import Table

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.knowledge_base import UpdateDocument
from callwright.engine.http.routes import all_handlers
from callwright.engine.schema import access, live, tables
from callwright.ledger import tables as ledger_tables
from tests.engine.helpers import agent, secret, text
from tests.transports import Clock, facts, settings

pytestmark = pytest.mark.anyio

CANARY = "kanarie-Qx41-tjilp"
JSON = dict[str, Any]


def home_of(app: App) -> Path:
    return app.settings.home


def holding(home: Path) -> list[str]:
    """The files with the canary in them."""
    return sorted(file.name for file in home.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes())


async def made(wire: AsyncClient, path: str, body: JSON, key: str) -> str:
    answer = await wire.post(f"/v1/{path}", json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()[key]


async def an_agent(wire: AsyncClient, api: ApiClient) -> str:
    return f"convai/agents/{await agent(api, {'agent': {'prompt': {'prompt': CANARY}}}, name=CANARY)}"


async def a_document(wire: AsyncClient, api: ApiClient) -> str:
    return f"convai/knowledge-base/{await text(api, CANARY, f'{CANARY} ' * 3000)}"


async def a_phone_number(wire: AsyncClient, api: ApiClient) -> str:
    body = {"phone_number": "+15551234567", "label": CANARY, "sid": "AC1", "token": CANARY, "provider": "twilio"}
    return f"convai/phone-numbers/{await made(wire, 'convai/phone-numbers', body, 'phone_number_id')}"


async def a_secret(wire: AsyncClient, api: ApiClient) -> str:
    return f"convai/secrets/{await secret(api, CANARY, CANARY)}"


async def an_auth_connection(wire: AsyncClient, api: ApiClient) -> str:
    body = {"auth_type": "bearer_auth", "name": CANARY, "provider": "x", "token": CANARY}
    return f"workspace/auth-connections/{await made(wire, 'workspace/auth-connections', body, 'id')}"


async def a_test(wire: AsyncClient, api: ApiClient) -> str:
    body = {
        "name": CANARY,
        "chat_history": [{"role": "user", "message": CANARY, "time_in_call_secs": 0}],
        "success_condition": CANARY,
        "success_examples": [{"response": "a", "type": "success"}],
        "failure_examples": [{"response": "b", "type": "failure"}],
    }
    return f"convai/agent-testing/{await made(wire, 'convai/agent-testing/create', body, 'id')}"


async def an_mcp_server(wire: AsyncClient, api: ApiClient) -> str:
    config = {"name": CANARY, "url": "https://mcp.example/sse", "description": CANARY}
    return f"convai/mcp-servers/{await made(wire, 'convai/mcp-servers', {'config': config}, 'id')}"


async def a_tool_approval(wire: AsyncClient, api: ApiClient) -> str:
    config = {"name": "CRM", "url": "https://mcp.example/sse"}
    server = f"convai/mcp-servers/{await made(wire, 'convai/mcp-servers', {'config': config}, 'id')}"
    body: JSON = {"tool_name": CANARY, "tool_description": "Looks.", "approval_policy": "auto_approved"}
    await made(wire, f"{server}/tool-approvals", body, "id")
    return f"{server}/tool-approvals/{CANARY}"


async def a_tool_config(wire: AsyncClient, api: ApiClient) -> str:
    config = {"name": "CRM", "url": "https://mcp.example/sse"}
    server = f"convai/mcp-servers/{await made(wire, 'convai/mcp-servers', {'config': config}, 'id')}"
    overrides = {"to": {"source": "constant", "constant_value": CANARY}}
    await made(wire, f"{server}/tool-configs", {"tool_name": "look", "input_overrides": overrides}, "id")
    return f"{server}/tool-configs/look"


async def a_tool(wire: AsyncClient, api: ApiClient) -> str:
    body = {"tool_config": {"type": "client", "name": "where", "description": CANARY}}
    return f"convai/tools/{await made(wire, 'convai/tools', body, 'id')}"


Make = Callable[[AsyncClient, ApiClient], Awaitable[str]]
DELETED: dict[str, Make] = {
    "DeleteAgent": an_agent,
    "DeleteAgentTest": a_test,
    "DeleteAuthConnection": an_auth_connection,
    "DeleteDocument": a_document,
    "DeleteMcpServer": an_mcp_server,
    "DeleteMcpToolApproval": a_tool_approval,
    "DeleteMcpToolConfig": a_tool_config,
    "DeletePhoneNumber": a_phone_number,
    "DeleteSecret": a_secret,
    "DeleteTool": a_tool,
}
"""Operation -> what makes a thing with the canary in it, and gives its path."""
ELSEWHERE = {
    "DeleteConversation": "test_a_deleted_conversation_is_gone_with_all_that_was_said",
    "DeleteRagIndex": "test_a_deleted_index_is_gone_with_its_passages_and_the_document_stays",
}


def test_every_deletion_is_tried_here() -> None:
    ops = [op.__name__ for group in all_handlers() for op in group.by_operation if op.method == "DELETE"]
    assert sorted(ops) == sorted([*DELETED, *ELSEWHERE])


@pytest.mark.parametrize("operation", DELETED)
async def test_what_was_deleted_is_in_no_file(app: App, wire: AsyncClient, api: ApiClient, operation: str) -> None:
    path = await DELETED[operation](wire, api)
    assert holding(home_of(app)) != []
    answer = await wire.delete(f"/v1/{path}")
    assert answer.status_code < 300, answer.text
    assert holding(home_of(app)) == []


async def test_a_deleted_conversation_is_gone_with_all_that_was_said(app: App, client: Client) -> None:
    made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
    begun = facts(await client.call_tool("start_conversation", {"agent_id": made["agent_id"]}))
    id = {"conversation_id": begun["conversation_id"]}
    await client.call_tool("send_message", {**id, "text": f"I am {CANARY}."})
    await client.call_tool("end_conversation", id)
    assert holding(home_of(app)) != []
    assert facts(await client.call_tool("delete_conversation", id))["deleted"]
    assert holding(home_of(app)) == []


async def test_a_deleted_index_is_gone_with_its_passages_and_the_document_stays(
    app: App, wire: AsyncClient, api: ApiClient
) -> None:
    document = await a_document(wire, api)
    index = await made(wire, f"{document}/rag-index", {"model": "multilingual_e5_large_instruct"}, "id")
    assert (await wire.delete(f"/v1/{document}/rag-index/{index}")).status_code == 200
    assert holding(home_of(app)) == ["callwright.db"]
    assert (await wire.delete(f"/v1/{document}")).status_code < 300
    assert holding(home_of(app)) == []


async def test_the_undo_history_is_gone_after_its_time(app: App, client: Client, clock: Clock) -> None:
    made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
    await client.call_tool("update_agent", {"agent_id": made["agent_id"], "prompt": "Help briefly."})
    file = home_of(app) / "callwright.db"
    with closing(sqlite3.connect(file)) as db:
        (sealed,) = db.execute("SELECT previous FROM ledger_change WHERE previous IS NOT NULL").fetchone()
    clock.forward(seconds=31 * 86_400)
    await client.call_tool("create_agent", {"name": "Bob", "prompt": "Help."})
    files = [each for each in home_of(app).iterdir() if each.is_file()]
    assert [each.name for each in files if sealed in each.read_bytes()] == []


def tables_of(module: Any) -> Iterator[Table]:
    yield from (each for each in cast(JSON, vars(module)).values() if isinstance(each, Table))


def test_only_rows_without_a_text_of_their_own_may_linger() -> None:
    modules = [tables, access, live, ledger_tables]
    lingering = {t.name: t.info.get("erases") for m in modules for t in tables_of(m) if t.info.get("erases")}
    assert lingering == {
        "access_token": "nothing",
        "ledger_pending": "log",
        "ledger_rung": "nothing",
        "ledger_spent": "nothing",
        "live_conversation": "nothing",
        "live_holder": "nothing",
        "live_turn": "nothing",
        "uses": "nothing",
    }


READER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM agent").fetchone()
print("reads", flush=True)
sys.stdin.readline()
"""


@contextmanager
def another_process_reads(home: Path) -> Generator[None]:
    command = [sys.executable, "-c", READER, str(home / "callwright.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        assert reader.stdin
        assert reader.stdout.readline() == b"reads\n"
        try:
            yield
        finally:
            reader.stdin.close()


async def test_a_reader_in_the_way_delays_it_and_does_not_prevent_it(
    app: App, wire: AsyncClient, api: ApiClient
) -> None:
    path = await a_document(wire, api)
    with another_process_reads(home_of(app)):
        answer = await wire.delete(f"/v1/{path}")
        assert answer.status_code < 300, answer.text
        assert holding(home_of(app)) != []
    with anyio.fail_after(60):
        while holding(home_of(app)):
            await anyio.lowlevel.checkpoint()


WRITER = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in ("wal_autocheckpoint=0", "secure_delete=ON"):
    db.execute(f"PRAGMA {pragma}")
db.execute("INSERT INTO ledger_spent (id, expires_ms) VALUES (?, 0)", [sys.argv[2] * 1000])
db.execute("DELETE FROM ledger_spent")
os._exit(0)
"""


async def test_what_a_process_did_not_erase_before_it_died_the_next_one_does(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "home")
    await anyio.run_process([sys.executable, "-c", WRITER, str(chosen.home / "callwright.db"), CANARY])
    assert holding(chosen.home) == ["callwright.db-wal"]
    next_one = App(chosen, "embedded")
    await next_one.database()
    assert holding(chosen.home) == []
    await next_one.close()


async def test_a_copy_from_before_a_migration_goes_with_the_first_deletion(
    app: App, wire: AsyncClient, api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    path = await a_document(wire, api)
    copy = home_of(app) / "callwright.db.before-0.0.9"
    copy.write_bytes(CANARY.encode())
    await api.send(UpdateDocument(documentation_id=path.rpartition("/")[2], name="Another"))
    assert copy.exists()
    await wire.delete(f"/v1/{path}")
    assert not copy.exists()
    assert "copies from before a migration still held. Removed: callwright.db.before-0.0.9." in caplog.text
