"""Two workspaces on one engine: nothing of the one is seen or touched through the other."""

from collections.abc import AsyncGenerator

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from starlette.requests import HTTPConnection

from callwright.app import App
from callwright.engine.asgi import Engine, build_app
from callwright.engine.models import Models
from callwright.engine.vault import Vault
from tests.laws.test_answers import FILES, IMPLEMENTED, REQUESTS, ask
from tests.transports import Clock, numbered

from .helpers import JSON, http
from .test_agent_tests import SCENARIO
from .test_calls import TRUNK
from .test_phone_numbers import SIP, TWILIO

pytestmark = pytest.mark.anyio

USER: JSON = {"simulation_specification": {"simulated_user_config": {"prompt": {"prompt": "Hello"}}}}
NAMED_INSIDE = ("CallByTwilio", "CallBySip", "SubmitBatchCall", "GetSignedUrl", "GetSessionToken")
"""They say in the request or the query, not in the path, whose agent they want."""
LISTS = {
    "agents": "agents", "conversations?include_simulated=true": "conversations", "knowledge-base": "documents",
    "secrets": "secrets", "phone-numbers": "", "agent-testing": "tests", "mcp-servers": "mcp_servers",
    "tools": "tools", "batch-calling/workspace": "batch_calls",
    "../pronunciation-dictionaries": "pronunciation_dictionaries", "../workspace/auth-connections": "auth_connections",
}  # fmt: skip


@pytest.fixture
async def mine(app: App, clock: Clock) -> AsyncGenerator[AsyncClient]:
    engine = await an_engine(app, clock)
    async with http(two_workspaces(engine), workspace="mine") as client:
        yield client
    await engine.aclose()


async def an_engine(app: App, clock: Clock) -> Engine:
    return Engine(await app.database(), Vault(b"k" * 32), Models({}), clock=clock, ids=numbered())


def two_workspaces(engine: Engine) -> object:
    def admit(request: HTTPConnection) -> str | None:
        return request.headers.get("workspace")

    return build_app(engine, admit)


async def furnish(wire: AsyncClient, **headers: str) -> dict[str, str]:
    """One of each; their ids by the name of the parameter that takes them."""

    async def made(path: str, body: JSON) -> JSON:
        answer = await wire.post(f"/v1/convai/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    document = (await made("knowledge-base/text", {"text": "Open.", "name": "Hours"}))["id"]
    locator = {"type": "text", "name": "Hours", "id": document}
    config = {"agent": {"prompt": {"knowledge_base": [locator]}}}
    agent = (await made("agents/create", {"conversation_config": config, "name": "Ada"}))["agent_id"]
    number = (await made("phone-numbers", SIP))["phone_number_id"]
    secret = (await made("secrets", {"type": "new", "name": "CRM", "value": "v"}))["secret_id"]
    login = (await made("../workspace/auth-connections", REQUESTS["CreateAuthConnection"]))["id"]
    conversation = (await made(f"agents/{agent}/simulate-conversation", USER))["conversation_id"]
    test = (await made("agent-testing/create", SCENARIO))["id"]
    invocation = await made(f"agents/{agent}/run-tests", {"tests": [{"test_id": test}]})
    server = (await made("mcp-servers", {"config": {"name": "Calendar", "url": "https://mcp.invalid/mcp"}}))["id"]
    await made(f"mcp-servers/{server}/tool-configs", REQUESTS["CreateMcpToolConfig"])
    await made(f"mcp-servers/{server}/tool-approvals", REQUESTS["CreateMcpToolApproval"])
    tool = (await made("tools", {"tool_config": {"type": "client", "name": "show_map", "description": "Shows it."}}))[
        "id"
    ]
    index = await made(f"knowledge-base/{document}/rag-index", REQUESTS["ComputeRagIndex"])
    twilio, trunk = [(await made("phone-numbers", body))["phone_number_id"] for body in (TWILIO, TRUNK)]
    people = [{"phone_number": "+15550000001"}]
    calls = {"call_name": "Reminders", "agent_id": agent, "agent_phone_number_id": twilio, "recipients": people}
    batch = (await made("batch-calling/submit", calls))["id"]
    dictionary = await made("../pronunciation-dictionaries/add-from-rules", REQUESTS["CreateDictionaryFromRules"])
    picture = await wire.post(f"/v1/convai/agents/{agent}/avatar", files=FILES["UploadAvatar"], headers=headers)
    assert picture.status_code == 200, picture.text
    return {
        "tool_id": tool, "rag_index_id": index["id"], "chunk_id": index["chunk_ids"][0], "batch_id": batch,
        "twilio_id": twilio, "trunk_id": trunk, "test_run_id": invocation["test_runs"][0]["test_run_id"],
        "test_id": test, "test_invocation_id": invocation["id"], "mcp_server_id": server, "tool_name": "book",
        "agent_id": agent, "documentation_id": document, "phone_number_id": number, "secret_id": secret,
        "auth_connection_id": login,
        "conversation_id": conversation, "pronunciation_dictionary_id": dictionary["id"],
        "dictionary_id": dictionary["id"], "version_id": dictionary["version_id"],
    }  # fmt: skip


async def everything(wire: AsyncClient, **headers: str) -> dict[str, object]:
    return {path: (await wire.get(f"/v1/convai/{path}", headers=headers)).json() for path in LISTS}


async def test_no_operation_reaches_what_another_workspace_has(mine: AsyncClient) -> None:
    theirs = await furnish(mine, workspace="theirs")
    before = await everything(mine, workspace="theirs")
    reaching = [op for op in IMPLEMENTED if "{" in op.path or op.__name__ in NAMED_INSIDE]
    for op in reaching:
        answer = await ask(mine, op, theirs)
        assert (answer.status_code, answer.json()["detail"]["status"]) == (404, "not_found"), (op, answer.text)
    assert len(reaching) == snapshot(67)
    assert await everything(mine, workspace="theirs") == before


async def test_lists_show_one_workspace(mine: AsyncClient) -> None:
    await furnish(mine, workspace="theirs")
    for path, rows in (await everything(mine)).items():
        assert (rows[LISTS[path]] if LISTS[path] else rows) == [], path  # pyright: ignore[reportIndexIssue]
    ours = await furnish(mine)
    [agent] = (await mine.get("/v1/convai/agents")).json()["agents"]
    assert agent["agent_id"] == ours["agent_id"]
    [document] = (await mine.get("/v1/convai/knowledge-base")).json()["documents"]
    assert [user["id"] for user in document["dependent_agents"]] == [ours["agent_id"]]


async def test_nothing_can_refer_to_what_another_workspace_has(mine: AsyncClient) -> None:
    theirs = await furnish(mine, workspace="theirs")
    ours = await furnish(mine)
    locator = {"type": "text", "name": "n", "id": theirs["documentation_id"]}
    custom = {"url": "https://a.example", "api_key": {"secret_id": theirs["secret_id"]}}
    spoken = {"pronunciation_dictionary_id": theirs["dictionary_id"], "version_id": theirs["version_id"]}
    for config in (
        {"agent": {"prompt": {"knowledge_base": [locator]}}},
        {"agent": {"prompt": {"custom_llm": custom}}},
        {"tts": {"pronunciation_dictionary_locators": [spoken]}},
        {
            "tts": {
                "pronunciation_dictionary_locators": [spoken | {"pronunciation_dictionary_id": ours["dictionary_id"]}]
            }
        },
    ):
        answer = await mine.patch(f"/v1/convai/agents/{ours['agent_id']}", json={"conversation_config": config})
        assert [problem["type"] for problem in answer.json()["detail"]] == ["unknown_reference"]
    login = {"auth_connection_id": theirs["auth_connection_id"]}
    hook = {"url": "https://a.example", "auth_connection": login}
    calling = {"tool_config": {"type": "webhook", "name": "crm", "description": "d", "api_schema": hook}}
    answer = await mine.post("/v1/convai/tools", json=calling)
    assert [problem["type"] for problem in answer.json()["detail"]] == ["unknown_reference"]
    number = f"/v1/convai/phone-numbers/{ours['phone_number_id']}"
    assert (await mine.patch(number, json={"agent_id": theirs["agent_id"]})).status_code == 400


async def test_a_request_without_a_workspace_is_not_admitted(app: App, clock: Clock) -> None:
    async with http(two_workspaces(await an_engine(app, clock))) as wire:
        assert (await wire.get("/v1/convai/agents")).status_code == 401


async def test_a_delete_in_one_workspace_leaves_the_other_as_it_was(mine: AsyncClient) -> None:
    theirs, ours = await furnish(mine, workspace="theirs"), await furnish(mine)
    before = await everything(mine, workspace="theirs")
    for path, name in (("agents", "agent_id"), ("knowledge-base", "documentation_id"), ("secrets", "secret_id")):
        answer = await mine.request("DELETE", f"/v1/convai/{path}/{ours[name]}")
        assert answer.status_code in (200, 204), answer.text
    assert await everything(mine, workspace="theirs") == before
    assert (await mine.get(f"/v1/convai/agents/{theirs['agent_id']}")).status_code == 404
