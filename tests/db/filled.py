"""A database with one of each resource, made through the public surface, and what is answered from it.

`python -m tests.db.filled NAME` writes `released/NAME.sql` and `released/NAME.json` with the code at hand: run it once
for each released layout of the database, before that layout changes, and never again. The keys are made up.
"""

import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
from httpx2 import AsyncClient

from callwright.app import App
from tests.engine.helpers import JSON, http
from tests.transports import Clock, facts, numbered, reach, settings

RELEASED = Path(__file__).with_name("released")
VAULT_KEY, STATE_KEY = b"made-up vault key for old tables", b"made-up state key for old tables"
LOGIN: JSON = {
    "auth_type": "oauth2_client_credentials", "provider": "own", "client_id": "desk", "client_secret": "made-up-client",
    "token_url": "https://login.example.com/token",
}  # fmt: skip
TRUNK: JSON = {"address": "sip.example.com", "credentials": {"username": "desk", "password": "made-up-password"}}
HISTORY = ["user: Which days are you open?"]
RECIPIENTS: list[JSON] = [{"phone_number": "+15550000001"}, {"id": "bo", "phone_number": "+15550000002"}]
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def app_on(home: Path, **chosen: Any) -> App:
    """The embedded platform with the keys that every kept database was made with."""
    where = settings(home, toolsets=("all",), vault_key=VAULT_KEY, state_key=STATE_KEY, **chosen)
    return App(where, "embedded", clock=Clock(), ids=numbered())


async def fill(app: App) -> None:
    """One of each resource, by the tools where a tool makes it; the rest by the platform's own requests."""
    async with reach(app, says="yes") as (client, _):

        async def call(tool: str, **arguments: Any) -> JSON:
            return facts(await client.call_tool(tool, arguments))

        document = await call("create_text_document", name="Opening hours", text="We open at nine. Sundays are closed.")
        await call("create_rag_index", document_id=document["document_id"])
        secret = await call("create_secret", name="CRM", value="made-up-secret")
        header: JSON = {"authorization": {"secret_id": secret["secret_id"]}}
        tool = await call(
            "create_tool",
            name="look_up",
            description="Finds a booking.",
            url="https://crm.example.com/b",
            headers=header,
        )
        words = await call("add_pronunciation_dictionary", name="Names", aliases={"UN": "United Nations"})
        test = await call("create_agent_test", name="Tells the days", history=HISTORY, condition="Names the days.")
        desk = await call(
            "create_agent",
            name="Desk",
            prompt="You answer for a shop.",
            first_message="Hello, who is there?",
            document_ids=[document["document_id"]],
            tool_ids=[tool["tool_id"]],
            test_ids=[test["test_id"]],
            tags=["front"],
            config={"conversation_config": {"tts": {"pronunciation_dictionary_locators": [
                {"pronunciation_dictionary_id": words["dictionary_id"], "version_id": words["version_id"]}
            ]}}},
        )  # fmt: skip
        night = await call("duplicate_agent", agent_id=desk["agent_id"], name="Night desk")
        await call("update_agent", agent_id=night["agent_id"], prompt="You answer at night.")
        gone = await call("create_agent", name="Gone", prompt="Nothing.")
        await call("delete_agent", agent_id=gone["agent_id"])
        number = await call("import_phone_number", phone_number="+442071838751", label="London", sip_outbound=TRUNK)
        await call("update_phone_number", phone_number_id=number["phone_number_id"], agent_id=desk["agent_id"])
        await call(
            "create_mcp_server", name="Calendar", url="https://mcp.example.com/mcp", token_secret_id=secret["secret_id"]
        )
        talk = await call(
            "simulate_conversation", agent_id=desk["agent_id"], caller="When do you open?", criteria=["Names an hour"]
        )
        await call("send_feedback", conversation_id=talk["conversation_id"], feedback="like")
        await call("update_workspace_settings", config={"rag_retention_period_days": 5})
    async with http(await app.engine()) as wire:
        agent = {"agent_id": desk["agent_id"]}
        await _post(wire, "/v1/workspace/auth-connections", LOGIN | {"name": "Orders"})
        await _post(wire, f"/v1/convai/agents/{agent['agent_id']}/run-tests", {"tests": [{"test_id": test["test_id"]}]})
        batch: JSON = {"call_name": "Reminders", "agent_phone_number_id": number["phone_number_id"], **agent}
        await _post(wire, "/v1/convai/batch-calling/submit", batch | {"recipients": RECIPIENTS})
        files = {"avatar_file": ("face.png", PICTURE, "image/png")}
        assert (await wire.post(f"/v1/convai/agents/{agent['agent_id']}/avatar", files=files)).status_code == 200
        assert (await wire.get("/v1/convai/conversation/get-signed-url", params=agent)).status_code == 200


async def _post(wire: AsyncClient, path: str, body: JSON) -> None:
    answer = await wire.post(path, json=body)
    assert answer.status_code == 200, answer.text


LISTS = {
    "convai/agents": ("agents", "agent_id"),
    "convai/conversations?include_simulated=true": ("conversations", "conversation_id"),
    "convai/knowledge-base": ("documents", "id"),
    "convai/phone-numbers": ("", "phone_number_id"),
    "convai/secrets": ("secrets", "secret_id"),
    "convai/tools": ("tools", "id"),
    "convai/mcp-servers": ("mcp_servers", "id"),
    "workspace/auth-connections": ("auth_connections", "id"),
    "convai/agent-testing": ("tests", "id"),
    "convai/batch-calling/workspace": ("batch_calls", "id"),
}
"""Each list of the platform: where its rows stand in the answer, and what a row's id is called."""
ONE = {
    "convai/batch-calling/workspace": "convai/batch-calling",
    "convai/conversations?include_simulated=true": "convai/conversations",
}
NOT_ONE = {"convai/secrets", "workspace/auth-connections"}
"""Lists whose rows have no address of their own."""


async def answers(app: App) -> JSON:
    """What the platform answers from this database, by path; and the log of changes, by the tool."""
    found: JSON = {}
    async with http(await app.engine()) as wire:

        async def get(path: str) -> Any:
            answer = await wire.get(f"/v1/{path}")
            assert answer.status_code == 200, f"{path}: {answer.text}"
            found[path] = answer.json()
            return found[path]

        for path, (rows, id) in LISTS.items():
            listed = await get(path)
            for row in listed[rows] if rows else listed:
                if path not in NOT_ONE:
                    await get(f"{ONE.get(path, path)}/{row[id]}")
        for row in found["convai/agents"]["agents"]:
            await get(f"convai/agents/{row['agent_id']}/widget")
            for run in (await get(f"convai/test-invocations?agent_id={row['agent_id']}"))["results"]:
                await get(f"convai/test-invocations/{run['id']}")
        for row in found["convai/knowledge-base"]["documents"]:
            await get(f"convai/knowledge-base/{row['id']}/rag-index")
        for row in (await get("pronunciation-dictionaries"))["pronunciation_dictionaries"]:
            await get(f"pronunciation-dictionaries/{row['id']}")
        await get("convai/settings")
    async with reach(app) as (client, _):
        found["list_changes"] = facts(await client.call_tool("list_changes", {"limit": 50}))
    return found


def keep(name: str, home: Path, found: JSON) -> None:
    """Writes the database of a data folder as the statements that make it, and what is answered from it."""
    with closing(sqlite3.connect(home / "callwright.db")) as db:
        (RELEASED / f"{name}.sql").write_text("".join(f"{line}\n" for line in db.iterdump()), "utf-8")
    (RELEASED / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


async def main(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = app_on(home)
        await fill(app)
        found = await answers(app)
        await app.close()
        keep(name, home, found)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
