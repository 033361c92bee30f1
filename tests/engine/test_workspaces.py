"""Two workspaces on one engine: nothing of the one is seen or touched through the other."""

from collections.abc import AsyncGenerator

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from starlette.requests import HTTPConnection

from callwright.app import App
from callwright.engine.http.app import build_app
from callwright.engine.models.routing import Models
from callwright.engine.runtime import Engine
from callwright.engine.store.vault import Vault
from tests.laws.test_answers import IMPLEMENTED, ask, furnished
from tests.samples import SAMPLES
from tests.transports import Clock, numbered

from .helpers import http

pytestmark = pytest.mark.anyio

NAMED_INSIDE = ("CallByTwilio", "CallBySip", "SubmitBatchCall", "GetSignedUrl", "GetSessionToken")
"""They say in the request or the query, not in the path, whose agent they want."""
LISTS = {row.op.path + row.query: row.lists for row in SAMPLES if row.lists is not None}
"""By the path: the field of the answer that has the rows; empty where the answer itself is the list."""


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


async def everything(wire: AsyncClient, **headers: str) -> dict[str, object]:
    return {path: (await wire.get(path, headers=headers)).json() for path in LISTS}


async def test_no_operation_reaches_what_another_workspace_has(mine: AsyncClient) -> None:
    theirs = await furnished(mine, workspace="theirs")
    before = await everything(mine, workspace="theirs")
    reaching = [op for op in IMPLEMENTED if "{" in op.path or op.__name__ in NAMED_INSIDE]
    for op in reaching:
        answer = await ask(mine, op, theirs)
        assert (answer.status_code, answer.json()["detail"]["status"]) == (404, "not_found"), (op, answer.text)
    assert len(reaching) == snapshot(71)
    assert await everything(mine, workspace="theirs") == before


async def test_lists_show_one_workspace(mine: AsyncClient) -> None:
    await furnished(mine, workspace="theirs")
    for path, rows in (await everything(mine)).items():
        assert (rows[LISTS[path]] if LISTS[path] else rows) == [], path  # pyright: ignore[reportIndexIssue]
    ours = await furnished(mine)
    [agent] = (await mine.get("/v1/convai/agents")).json()["agents"]
    assert agent["agent_id"] == ours["agent_id"]
    [document] = (await mine.get("/v1/convai/knowledge-base")).json()["documents"]
    assert [user["id"] for user in document["dependent_agents"]] == [ours["agent_id"]]


async def test_nothing_can_refer_to_what_another_workspace_has(mine: AsyncClient) -> None:
    theirs = await furnished(mine, workspace="theirs")
    ours = await furnished(mine)
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
    theirs, ours = await furnished(mine, workspace="theirs"), await furnished(mine)
    before = await everything(mine, workspace="theirs")
    for path, name in (
        ("agents", "agent_id"), ("knowledge-base", "documentation_id"), ("tools", "tool_id"),
        ("mcp-servers", "mcp_server_id"), ("secrets", "secret_id"),
    ):  # fmt: skip
        answer = await mine.request("DELETE", f"/v1/convai/{path}/{ours[name]}")
        assert answer.status_code in (200, 204), answer.text
    assert await everything(mine, workspace="theirs") == before
    assert (await mine.get(f"/v1/convai/agents/{theirs['agent_id']}")).status_code == 404
