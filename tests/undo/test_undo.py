"""Taking changes back: what is put back, what is refused and why; on either platform."""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from callwright.undo.undo import inverse

from ..peers import serving
from ..transports import facts, reach, refusal_facts, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


async def last_change(client: Client, tool: str) -> dict[str, Any]:
    changes = facts(await client.call_tool("list_changes", {}))["changes"]
    return next(change for change in changes if change["tool"] == tool)


async def undo(client: Client, change_id: str) -> dict[str, Any]:
    return facts(await client.call_tool("undo_change", {"change_id": change_id}))


async def refusal(client: Client, change_id: str) -> str:
    refused = await client.call_tool("undo_change", {"change_id": change_id})
    assert refused.is_error
    return text(refused)


async def make_agent(client: Client, **more: Any) -> str:
    asked = {"name": "Ada", "prompt": "Help.", "tags": ["a", "b"], **more}
    return facts(await client.call_tool("create_agent", asked))["agent_id"]


async def part(client: Client, agent_id: str, path: str) -> Any:
    return facts(await client.call_tool("get_agent", {"agent_id": agent_id, "parts": [path]}))["parts"][path]


COLLECT = {"name": {"type": "string", "description": "Who calls."}}
UPDATES: dict[str, dict[str, Any]] = {
    "a name": {"name": "Bob"},
    "a prompt": {"prompt": "Be brief."},
    "a list": {"tags": ["c"]},
    "an emptied list": {"tags": []},
    "a number deep inside": {"config": {"conversation_config": {"tts": {"speed": 1.1}}}},
    "several": {"name": "Bob", "language": "de", "config": {"conversation_config": {"turn": {"turn_timeout": 9}}}},
    "a key of a map that was added": {"config": {"platform_settings": {"data_collection": COLLECT}}},
    "a section that was not there": {"config": {"workflow": {"nodes": {"s": {"type": "start"}}, "edges": {}}}},
    "a value taken back to its default": {"config": {"conversation_config": {"tts": {"stability": None}}}},
    "a custom model": {"config": {"conversation_config": {"agent": {"prompt": {"custom_llm": {"url": "https://llm.example/v1"}}}}}},
    "criteria": {
        "config": {"platform_settings": {"evaluation": {"criteria": ["states the deadline"]}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("what", UPDATES)
async def test_an_update_is_put_back(app: App, what: str) -> None:
    async with reach(app, says="yes") as (client, _):
        agent_id = await make_agent(client, config={"conversation_config": {"tts": {"stability": 0.3}}})
        api = await app.api()
        from callwright.contract.agents import GetAgent

        async def state() -> dict[str, Any]:
            agent = await api.send(GetAgent(agent_id=agent_id))
            return agent.model_dump(mode="json", exclude={"metadata"})

        before = await state()
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, **UPDATES[what]}))
        assert await state() != before
        change = await last_change(client, "update_agent")
        assert change["undoable"]
        undone = await undo(client, change["change_id"])
        assert await state() == before
        assert undone | {"changed": []} == {
            "undone": change["change_id"],
            "change_id": undone["change_id"],
            "target": agent_id,
            "changed": [],
        }
        noted = await last_change(client, "update_agent")
        assert (noted["undone_by"], noted["undoable"]) == (undone["change_id"], False)


async def test_what_was_changed_beside_it_stays(client: Client) -> None:
    agent_id = await make_agent(client)
    facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
    change = await last_change(client, "update_agent")
    facts(await client.call_tool("update_agent", {"agent_id": agent_id, "prompt": "Be brief."}))
    await undo(client, change["change_id"])
    agent = facts(await client.call_tool("get_agent", {"agent_id": agent_id}))
    assert (agent["name"], agent["prompt"]) == ("Ada", "Be brief.")


async def test_what_was_changed_again_since_is_named(app: App) -> None:
    async with reach(app) as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, "prompt": "Be brief."}))
        change = await last_change(client, "update_agent")
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, "prompt": "Be kind."}))
        said = await refusal(client, change["change_id"])
        assert said == (
            "conversation_config.agent.prompt.prompt was changed again since. Undo the later change first, or set it by"
            " hand."
        )
        assert facts(await client.call_tool("get_agent", {"agent_id": agent_id}))["prompt"] == "Be kind."


async def test_a_deleted_agent_comes_back_under_a_new_id(app: App) -> None:
    async with reach(app, says="yes") as (client, asked):
        agent_id = await make_agent(client, first_message="Hello there!", temperature=0.7)
        before = facts(await client.call_tool("get_agent", {"agent_id": agent_id}))
        facts(await client.call_tool("delete_agent", {"agent_id": agent_id}))
        undone = await undo(client, (await last_change(client, "delete_agent"))["change_id"])
        assert undone["target"] != agent_id
        after = facts(await client.call_tool("get_agent", {"agent_id": undone["target"]}))
    assert {**after, "agent_id": agent_id} == before
    assert asked[1].startswith("Create the deleted agent 'Ada' again, as it was, under a new id. It sets ")


async def test_a_deleted_text_comes_back_under_a_new_id(app: App) -> None:
    words = 'Rentals: 12 £ a day.\n\n"Late" means <after noon> & later. 🚲'
    async with reach(app, says="yes") as (client, _):
        made = facts(await client.call_tool("create_text_document", {"text": words, "name": "Handbook"}))
        facts(await client.call_tool("delete_document", {"document_id": made["document_id"]}))
        undone = await undo(client, (await last_change(client, "delete_document"))["change_id"])
        found = facts(await client.call_tool("get_document_content", {"document_id": undone["target"]}))
    assert found["text"] == words


async def test_a_renamed_document_gets_its_name_back(client: Client) -> None:
    made = facts(await client.call_tool("create_text_document", {"text": "x", "name": "Handbook"}))
    facts(await client.call_tool("update_document", {"document_id": made["document_id"], "name": "Other"}))
    await undo(client, (await last_change(client, "update_document"))["change_id"])
    found = facts(await client.call_tool("get_document", {"document_id": made["document_id"]}))
    assert found["name"] == "Handbook"


@pytest.mark.parametrize("first", [None, "Ada"])
async def test_a_number_goes_back_to_who_answered_it(app: App, first: str | None) -> None:
    async with reach(app, says="yes") as (client, asked):
        ada, bob = await make_agent(client), await make_agent(client, name="Bob")
        trunk = {"phone_number": "+15551234567", "label": "Desk", "sip_inbound": {"allowed_addresses": ["192.0.2.1"]}}
        number = {"phone_number_id": facts(await client.call_tool("import_phone_number", trunk))["phone_number_id"]}
        if first:
            facts(await client.call_tool("update_phone_number", {**number, "agent_id": ada}))
        facts(await client.call_tool("update_phone_number", {**number, "agent_id": bob}))
        changes = facts(await client.call_tool("list_changes", {"target": number["phone_number_id"]}))["changes"]
        asked.clear()
        done = 0
        for change in changes:  # the clock stands still: only the change to Bob fits what is there now
            if change["tool"] == "update_phone_number":
                done += not (await client.call_tool("undo_change", {"change_id": change["change_id"]})).is_error
        found = facts(await client.call_tool("get_phone_number", number))
    assert done >= 1
    assert found.get("answered_by") in (None, f"Ada ({ada})")
    answers = f"'Ada' ({ada})" if first else "nobody"
    assert asked[0].startswith(f"Let {answers} answer phone number +15551234567 again. It sets agent_id = ")


async def test_what_cannot_be_undone_says_why(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("create_secret", {"name": "crm", "value": "abc"}))
        trunk = {"phone_number": "+15551234567", "label": "Desk", "sip_outbound": {"address": "sip.example"}}
        number = facts(await client.call_tool("import_phone_number", trunk))["phone_number_id"]
        moved = {"phone_number_id": number, "sip_outbound": {"address": "sip2.example"}}
        facts(await client.call_tool("update_phone_number", moved))
        facts(await client.call_tool("delete_phone_number", {"phone_number_id": number}))
        said: dict[str, str] = {}
        changes = facts(await client.call_tool("list_changes", {}))["changes"]
        for change in changes:
            assert change["undoable"] is False
            said[change["tool"]] = await refusal(client, change["change_id"])
        assert facts(await client.call_tool("get_agent", {"agent_id": agent_id}))["name"] == "Ada"
        unknown = await refusal(client, "chg_nowhere")
    why = (
        " cannot be undone: no previous value was kept, because there was none, it holds what the platform never"
        " gives back, or CALLWRIGHT_STATE_KEY was another one then. What was created can be deleted with its delete tool."
    )
    assert said == {
        "create_agent": f"A CreateAgent{why}",
        "create_secret": f"A CreateSecret{why}",
        "import_phone_number": f"A CreatePhoneNumber{why}",
        "update_phone_number": f"A UpdatePhoneNumber{why}",
        "delete_phone_number": f"A DeletePhoneNumber{why}",
    }
    assert unknown == "No change 'chg_nowhere'. list_changes shows them."


async def test_a_declined_change_has_nothing_to_undo(app: App) -> None:
    async with reach(app, says="no") as (client, _):
        agent_id = await make_agent(client)
        await client.call_tool("delete_agent", {"agent_id": agent_id})
        change = await last_change(client, "delete_agent")
        assert change["undoable"] is False
        said = await refusal(client, change["change_id"])
    assert said == "That change was not made (declined): there is nothing to undo."


async def test_a_change_is_undone_once(client: Client) -> None:
    agent_id = await make_agent(client)
    facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
    change = (await last_change(client, "update_agent"))["change_id"]
    by = (await undo(client, change))["change_id"]
    assert await refusal(client, change) == f"That change was undone already, by {by}."
    again = await undo(client, by)
    agent = facts(await client.call_tool("get_agent", {"agent_id": agent_id}))
    assert agent["name"] == "Bob", again


async def test_of_ten_at_once_one_recreates(app: App) -> None:
    async with reach(server(settings(app.settings.home, approval="none"))) as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("delete_agent", {"agent_id": agent_id}))
        change = (await last_change(client, "delete_agent"))["change_id"]
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(client.call_tool, "undo_change", {"change_id": change})
        agents = facts(await client.call_tool("list_agents", {}))["agents"]
    assert [agent["name"] for agent in agents] == ["Ada"]


async def test_an_undo_that_fails_may_be_tried_again(app: App) -> None:
    async with reach(server(settings(app.settings.home, approval="none"))) as (client, _):
        document = facts(await client.call_tool("create_text_document", {"text": "x", "name": "Handbook"}))
        agent_id = await make_agent(client, document_ids=[document["document_id"]])
        facts(await client.call_tool("delete_agent", {"agent_id": agent_id}))
        facts(await client.call_tool("delete_document", {"document_id": document["document_id"]}))
        change = (await last_change(client, "delete_agent"))["change_id"]
        first, second = await refusal(client, change), await refusal(client, change)
    assert first == second
    assert f"There is no document '{document['document_id']}'." in first


@pytest.mark.embedded_only("over a network no two runs would be cancelled at the same step")
async def test_an_undo_that_was_cancelled_may_be_tried_again(app: App) -> None:
    async with reach(server(settings(app.settings.home, approval="none"))) as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
        change = (await last_change(client, "update_agent"))["change_id"]
        for turns in (1, 20, 100, 200, 400):  # wherever the cancel meets the call
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "undo_change", {"change_id": change})
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        again = await client.call_tool("undo_change", {"change_id": change})
        assert not again.is_error or "undone already, by chg_" in text(again), text(again)
        assert (await last_change(client, "update_agent"))["undone_by"].startswith("chg_")


async def test_a_change_that_is_being_undone_says_so(app: App) -> None:
    async with reach(app) as (client, _):
        facts(await client.call_tool("update_agent", {"agent_id": await make_agent(client), "name": "Bob"}))
        change = (await last_change(client, "update_agent"))["change_id"]
        assert await (await app.ledger()).claim_undo(change)
        assert "being undone right now" in await refusal(client, change)
        listed = await last_change(client, "update_agent")
    assert (listed["undone_by"], listed["undoable"]) == ("in progress", False)


async def test_what_is_guarded_asks_on_the_way_back_too(app: App) -> None:
    opened = {"config": {"platform_settings": {"auth": {"enable_auth": True}}}}
    async with reach(app, says="yes") as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, **opened}))
        change = (await last_change(client, "update_agent"))["change_id"]
    async with reach(app) as (client, _):
        refused = await client.call_tool("undo_change", {"change_id": change})
        step = refusal_facts(refused)
        assert step["needs_approval"] == "person"
        assert step["would"] == snapshot(
            "Put back how agent 'Ada' (agent_1) was: platform_settings.auth.enable_auth. It sets platform_settings.auth = {enable_auth: False}."
        )
        assert await part(client, agent_id, "platform_settings.auth.enable_auth") is True
    async with reach(app, says="yes") as (client, asked):
        await undo(client, change)
        assert asked == [step["would"]]
        assert await part(client, agent_id, "platform_settings.auth.enable_auth") is False


@pytest.mark.embedded_only("goes from one platform to the other itself")
async def test_a_change_made_on_the_other_platform_is_left_alone(app: App, tmp_path: Path) -> None:
    async with reach(app) as (client, _):
        facts(await client.call_tool("update_agent", {"agent_id": await make_agent(client), "name": "Bob"}))
        change = (await last_change(client, "update_agent"))["change_id"]
    async with serving(await app.engine("k" * 20)) as url:
        hosted = App(settings(app.settings.home, api_url=url, api_key="k" * 20), "hosted")
        async with reach(hosted) as (client, _):
            said = await refusal(client, change)
    assert said.startswith("That change was made on embedded; this server works on hosted 127.0.0.1:")


@pytest.mark.parametrize(
    ("request_", "before", "now", "patch"),
    [
        ({"a": 1}, {"a": 0}, {"a": 1}, {"a": 0}),
        ({"a": 1}, {}, {"a": 1}, {"a": None}),
        ({"a": None}, {"a": 0}, {}, {"a": 0}),
        ({"a": {"b": 1}}, {"a": {"b": 0, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"b": 0}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1, "c": 3}}, {"a": None}),
        ({"a": [{"b": 1}]}, {"a": []}, {"a": [{"b": 1, "default": 2}]}, {"a": []}),
        ({"a": 1}, {"a": 1}, {"a": 1}, {"a": 1}),
    ],
)
def test_the_inverse_touches_what_the_request_touched(request_: Any, before: Any, now: Any, patch: Any) -> None:
    assert inverse(request_, before, now) == patch
