"""Lists are read page by page, whatever happens between two pages."""

import base64
import json
import random

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import insert

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import DeleteAgent, ListAgents
from callwright.contract.knowledge_base import ListDocuments
from callwright.engine.schema.tables import document
from tests.transports import Clock

from .helpers import agent, dump, problems, text

pytestmark = pytest.mark.anyio

ROWS = 500


async def test_agents_are_listed_page_by_page_in_every_order(api: ApiClient, clock: Clock) -> None:
    made: dict[str, str] = {}
    for place in range(7):
        clock.forward(seconds=place // 2)
        name = f"agent {9 - place // 3}"
        made[await agent(api, name=name)] = name
    oldest = list(made)
    by_name = sorted(oldest, key=lambda id: (made[id], id))
    orders = {("created_at", "asc"): oldest, ("created_at", "desc"): oldest[::-1], ("name", "asc"): by_name, ("name", "desc"): by_name[::-1]}  # fmt: skip
    for (by, direction), expected in orders.items():
        found: list[str] = []
        op = ListAgents.model_validate({"page_size": 2, "sort_by": by, "sort_direction": direction})
        while True:
            page = await api.send(op)
            found += [row.agent_id for row in page.agents]
            assert page.has_more == (page.next_cursor is not None)
            if not page.has_more:
                break
            op = op.model_copy(update={"cursor": page.next_cursor})
            op.model_fields_set.add("cursor")
        assert found == expected, (by, direction)


async def fill(app: App) -> list[str]:
    """Documents whose names, times and sizes all repeat."""
    ids = [f"doc_{n:04}" for n in range(ROWS)]
    rows = [
        {
            "workspace": "default", "id": id, "name": f"Name {n % 7}", "name_key": f"name {n % 7}", "type": "text",
            "created_ms": 1000 * (n % 11), "updated_ms": 1000 * (n % 3), "size_bytes": n % 5, "content": "",
        }
        for n, id in enumerate(ids)
    ]  # fmt: skip
    await (await app.database()).write(lambda db: db.execute(insert(document), rows))
    return ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("by", ["name", "created_at", "updated_at", "size"])
async def test_nothing_is_lost_or_shown_twice_while_rows_come_and_go(
    app: App, api: ApiClient, wire: AsyncClient, by: str, direction: str
) -> None:
    stays = set(await fill(app))
    seen: list[str] = []
    query: dict[str, str | int] = {"page_size": 37, "sort_by": by, "sort_direction": direction}
    chance = random.Random(f"{by} {direction}")
    while True:
        page = (await wire.get("/v1/convai/knowledge-base", params=query)).json()
        seen += [row["id"] for row in page["documents"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
        await text(api, f"Name {chance.randrange(7)}", "x" * chance.randrange(5))
        gone = {chance.choice(sorted(stays)), page["documents"][-1]["id"]}  # the one that the cursor names, too
        for id in gone:
            await wire.request("DELETE", f"/v1/convai/knowledge-base/{id}")
            stays.discard(id)
    assert len(seen) == len(set(seen))
    assert stays <= set(seen)


async def test_a_very_long_name_has_a_cursor_too(api: ApiClient) -> None:
    made = {await agent(api, name="🚲" * 2000 + str(n)) for n in range(3)}
    first = await api.send(ListAgents(page_size=2, sort_by="name"))
    rest = await api.send(ListAgents(page_size=2, sort_by="name", cursor=first.next_cursor))
    assert {row.agent_id for row in (*first.agents, *rest.agents)} == made


@pytest.mark.parametrize("size", [0, -1, 101, "many", "1.5", ""])
async def test_a_page_has_one_to_a_hundred_items(wire: AsyncClient, size: object) -> None:
    [problem] = problems(await wire.get("/v1/convai/agents", params={"page_size": str(size)}))
    assert problem.startswith("query.page_size: ")


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "%00", "é", "!!!!", "e30", forged(), forged("agent.created_ms.desc", 1), forged("agent.name_key.asc", "a", "b"),
        forged("document.created_ms.desc", 1, "b"), forged("agent.created_ms.desc", "text", "b"),
        forged("agent.created_ms.desc", True, "b"), forged("agent.created_ms.desc", 10**30, "b"),
        forged("agent.created_ms.desc", 1.5, "b"), forged("agent.created_ms.desc", 1, "\0"),
        forged("agent.created_ms.desc", 1, "\ud800"), forged("agent.created_ms.desc", None, None), "W1" * 500,
    ],
)  # fmt: skip
async def test_a_cursor_of_another_list_or_made_up_is_refused(wire: AsyncClient, cursor: str) -> None:
    answer = await wire.get("/v1/convai/agents", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["detail"]) == snapshot(
        (
            400,
            {
                "status": "bad_request",
                "message": "This cursor belongs to another list. Leave it out to begin with the first page.",
            },
        )
    )


async def test_an_endless_cursor_is_refused_at_its_place(wire: AsyncClient) -> None:
    [problem] = problems(await wire.get("/v1/convai/agents", params={"cursor": "a" * 1025}))
    assert problem.startswith("query.cursor: ")


async def test_a_cursor_survives_that_everything_is_deleted(api: ApiClient) -> None:
    for n in range(3):
        await agent(api, name=str(n))
    first = await api.send(ListAgents(page_size=2))
    for row in (await api.send(ListAgents())).agents:
        await api.send(DeleteAgent(agent_id=row.agent_id))
    rest = await api.send(ListAgents(cursor=first.next_cursor))
    assert dump(rest) == {"agents": [], "has_more": False, "next_cursor": None}
    assert dump(await api.send(ListDocuments()))["documents"] == []
