"""A dry run says what would happen, and leaves no trace; a change says what it replaced."""

import json
from importlib.resources import files
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from callwright.contract.agents import CreateAgent, GetAgent, UpdateAgent
from callwright.contract.phone_numbers import UpdatePhoneNumber
from callwright.contract.secrets import UpdateSecret
from callwright.surface import Entry
from callwright.undo.changes import LONGEST, MOST, differences

from ..transports import ERAS, facts, reach, server, settings, text, unknown

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

ENTRIES: list[Entry] = json.loads(files("callwright").joinpath("surface.json").read_text("utf-8"))


async def make_agent(client: Client, **more: Any) -> str:
    made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", **more}))
    return made["agent_id"]


async def tried(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a dry run answers; the client checks it against the output schema."""
    return facts(await client.call_tool(tool, {**arguments, "dry_run": True}))["dry_run"]


def test_every_tool_that_updates_or_deletes_can_be_tried_and_no_other() -> None:
    offering = {e["tool"]["name"] for e in ENTRIES if "dry_run" in e["tool"]["inputSchema"]["properties"]}
    replacing = {e["tool"]["name"] for e in ENTRIES if any(op.startswith(("PUT", "PATCH")) for op in e["operations"])}
    assert offering == replacing | {e["tool"]["name"] for e in ENTRIES if e["effect"] in ("update", "delete")}
    answering = {e["tool"]["name"] for e in ENTRIES if "dry_run" in e["tool"]["outputSchema"]["properties"]}
    assert answering == offering


def test_every_tool_that_updates_says_what_changed() -> None:
    saying = {e["tool"]["name"] for e in ENTRIES if "changed" in e["tool"]["outputSchema"]["properties"]}
    assert saying == {e["tool"]["name"] for e in ENTRIES if e["effect"] == "update"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_dry_run_of_an_update_shows_what_it_would_change(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        agent_id = await make_agent(client)
        config = {"conversation_config": {"tts": {"speed": 1.1}}}
        plan = await tried(client, "update_agent", agent_id=agent_id, name="Bob", prompt="Help.", config=config)
    assert plan == snapshot(
        {
            "would": "Change agent 'Ada' (agent_1): conversation_config.agent.prompt.prompt, conversation_config.tts.speed, name.",
            "method": "PATCH",
            "path": "/v1/convai/agents/agent_1",
            "changed": [
                {"path": "conversation_config.tts.speed", "before": "1.0", "after": "1.1"},
                {"path": "name", "before": "Ada", "after": "Bob"},
            ],
        }
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_dry_run_of_a_delete_says_what_would_go_and_asks_nobody(app: App, era: str) -> None:
    async with reach(app, era, says="yes") as (client, asked):
        plan = await tried(client, "delete_agent", agent_id=await make_agent(client))
    assert (plan, asked) == snapshot(
        (
            {
                "would": "Delete agent 'Ada' (agent_1) for good, with its configuration.",
                "method": "DELETE",
                "path": "/v1/convai/agents/agent_1",
                "needs_approval": "delete",
            },
            [],
        )
    )


async def test_a_dry_run_changes_nothing_and_records_nothing(app: App) -> None:
    async with reach(app) as (client, _):
        agent_id = await make_agent(client)
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
        agent = facts(await client.call_tool("get_agent", {"agent_id": agent_id}))
        changes = facts(await client.call_tool("list_changes", {}))
        await tried(client, "update_agent", agent_id=agent_id, name="Cy")
        await tried(client, "delete_agent", agent_id=agent_id)
        newest = next(c["change_id"] for c in changes["changes"] if c["undoable"])
        undoing = await tried(client, "undo_change", change_id=newest)
        assert facts(await client.call_tool("get_agent", {"agent_id": agent_id})) == agent
        assert facts(await client.call_tool("list_changes", {})) == changes
    assert undoing["changed"] == [{"path": "name", "before": "Bob", "after": "Ada"}]


async def test_a_dry_run_says_who_would_be_asked_and_what_is_refused(app: App) -> None:
    opened = {"platform_settings": {"auth": {"enable_auth": True}}}
    hook = {"conversation_config": {"agent": {"prompt": {"custom_llm": {"url": "https://llm.example/v1"}}}}}
    bounded = server(settings(app.settings.home, no_outbound=True))
    async with reach(app) as (client, _):
        agent_id = await make_agent(client)
        asks = await tried(client, "update_agent", agent_id=agent_id, config=opened)
    async with reach(bounded) as (client, _):
        refused = await tried(client, "update_agent", agent_id=agent_id, config=hook)
    assert [{k: v for k, v in plan.items() if k != "changed"} for plan in (asks, refused)] == snapshot(
        [
            {
                "would": "Change agent 'Ada' (agent_1): platform_settings.auth.enable_auth. It sets platform_settings.auth = {enable_auth: True}.",
                "method": "PATCH",
                "path": "/v1/convai/agents/agent_1",
                "needs_approval": "it sets platform_settings.auth",
            },
            {
                "would": "Change agent 'Ada' (agent_1): conversation_config.agent.prompt.custom_llm.url. It sets conversation_config.agent.prompt.custom_llm = {url: 'https://llm.example/v1'}; conversation_config.agent.prompt.custom_llm.url = 'https://llm.example/v1'.",
                "method": "PATCH",
                "path": "/v1/convai/agents/agent_1",
                "needs_approval": "it sets conversation_config.agent.prompt.custom_llm, conversation_config.agent.prompt.custom_llm.url",
                "refused": "This server sets no outside address (no-outbound), and this carries conversation_config.agent.prompt.custom_llm, conversation_config.agent.prompt.custom_llm.url.",
            },
        ]
    )


async def test_where_every_read_is_asked_about_a_dry_run_shows_nothing_of_what_is_there(app: App) -> None:
    strict = server(settings(app.settings.home, approval="always-ask"))
    async with reach(app) as (client, _):
        agent_id = await make_agent(client)
    async with reach(strict) as (client, _):
        plan = await tried(client, "update_agent", agent_id=agent_id, prompt="Be kind.")
    assert plan == snapshot(
        {
            "would": "The policy asks before every read, so a dry run does not tell what is stored.",
            "method": "PATCH",
            "path": "/v1/convai/agents/agent_1",
            "needs_approval": "every call asks",
        }
    )


async def test_a_wrong_argument_is_refused_in_a_dry_run_too(client: Client, either_platform: str) -> None:
    agent_id = await make_agent(client)
    misspelt = await client.call_tool("update_agent", {"agent_id": agent_id, "nam": "Bob", "dry_run": True})
    nowhere = await client.call_tool("delete_agent", {"agent_id": "agent_nowhere", "dry_run": True})
    neither = await client.call_tool("get_agent", {"agent_id": agent_id, "dry_run": True})
    assert [text(said) for said in (misspelt, nowhere, neither)] == [
        "Unknown argument 'nam'; did you mean 'name'?",
        unknown(either_platform, "agent", "agent_nowhere"),
        "Unknown argument 'dry_run'; known: agent_id, parts.",
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_an_update_says_what_it_changed(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        agent_id = await make_agent(client, tags=["a"])
        config = {"conversation_config": {"tts": {"speed": 1.1, "stability": 0.5}}}
        answer = await client.call_tool(
            "update_agent", {"agent_id": agent_id, "name": "Bob", "tags": ["a", "b"], "config": config}
        )
        same = await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"})
    assert facts(answer)["changed"] == snapshot(
        [
            {"path": "conversation_config.tts.speed", "before": "1.0", "after": "1.1"},
            {"path": "name", "before": "Ada", "after": "Bob"},
            {"path": "tags", "before": '["a"]', "after": '["a", "b"]'},
        ]
    )
    assert text(answer).partition("changed:\n")[2] == snapshot("""\
- path: conversation_config.tts.speed | before: 1.0 | after: 1.1
- path: name | before: Ada | after: Bob
- path: tags | before: ["a"] | after: ["a", "b"]\
""")
    assert "changed" not in facts(same)


@pytest.mark.parametrize("era", ERAS)
async def test_what_null_clears_and_what_is_emptied_is_shown_as_gone(app: App, era: str) -> None:
    config = {"conversation_config": {"turn": {"turn_timeout": 12}}}
    cleared = {"conversation_config": {"turn": {"turn_timeout": None}}}
    async with reach(app, era) as (client, _):
        agent_id = await make_agent(client, first_message="Hi!", config=config)
        asked = {"agent_id": agent_id, "first_message": "", "config": cleared}
        plan = await tried(client, "update_agent", **asked)
        done = facts(await client.call_tool("update_agent", asked))
    assert done["changed"] == snapshot(
        [
            {"path": "conversation_config.turn.turn_timeout", "before": "12.0", "after": "(cleared)"},
            {"path": "conversation_config.agent.first_message", "before": "Hi!", "after": "(empty)"},
        ]
    )
    assert plan["changed"] == done["changed"]


async def test_what_a_whole_replacement_leaves_out_is_shown_as_gone(app: App) -> None:
    async with reach(server(settings(app.settings.home, toolsets=("all",))), says="yes") as (client, asked):
        made = {"name": "crm", "description": "d", "url": "https://a.example/x", "headers": {"a": "1", "b": "2"}}
        tool_id = facts(await client.call_tool("create_tool", made))["tool_id"]
        fewer = {"tool_id": tool_id, "headers": {"b": "2"}}
        plan = await tried(client, "update_tool", **fewer)
        done = facts(await client.call_tool("update_tool", fewer))
    gone = [
        {"path": "tool_config.api_schema.request_headers.a", "before": "(hidden)", "after": "(cleared)"},
    ]
    assert (plan["changed"], done["changed"]) == (gone, gone)
    assert "api_schema.request_headers.a." in asked[-1]


async def test_a_number_that_changes_hands_says_who_answered_it_before(app: App) -> None:
    number = {"phone_number": "+15551234567", "label": "Desk", "sip_outbound": {"address": "sip.example.com"}}
    async with reach(app, says="yes") as (client, _):
        ada, bob = await make_agent(client), await make_agent(client)
        made = facts(await client.call_tool("import_phone_number", number))["phone_number_id"]
        facts(await client.call_tool("update_phone_number", {"phone_number_id": made, "agent_id": ada}))
        plan = await tried(client, "update_phone_number", phone_number_id=made, agent_id=bob)
        done = facts(await client.call_tool("update_phone_number", {"phone_number_id": made, "unassign": True}))
    assert plan["changed"] == [{"path": "agent_id", "before": ada, "after": bob}]
    assert done["changed"] == [{"path": "agent_id", "before": ada, "after": "(cleared)"}]


async def test_what_is_made_again_replaced_nothing(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        facts(await client.call_tool("delete_agent", {"agent_id": await make_agent(client)}))
        changes = facts(await client.call_tool("list_changes", {}))["changes"]
        [deleted] = [change for change in changes if change["tool"] == "delete_agent"]
        undone = facts(await client.call_tool("undo_change", {"change_id": deleted["change_id"]}))
    assert "changed" not in undone


async def test_an_undone_change_says_so_too(client: Client) -> None:
    agent_id = await make_agent(client)
    facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
    changes = facts(await client.call_tool("list_changes", {}))["changes"]
    [change] = [change for change in changes if change["undoable"]]
    undone = facts(await client.call_tool("undo_change", {"change_id": change["change_id"]}))
    assert undone["changed"] == [{"path": "name", "before": "Bob", "after": "Ada"}]


def prompt(**fields: Any) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": fields}}}


async def test_no_secret_is_shown_before_or_after(app: App) -> None:
    api = await app.api()
    tool = {"type": "webhook", "name": "crm", "description": "d"}
    call = {"url": "https://a.example/x", "request_headers": {"x-team": "hunter2"}}
    made = await api.send(CreateAgent.model_validate(prompt(tools=[{**tool, "api_schema": call}])))
    stood = (await api.send(GetAgent(agent_id=made.agent_id))).model_dump(mode="json", exclude_unset=True)
    moved = {"url": "https://b.example/x", "request_headers": {"x-team": "hunter3"}}
    update = UpdateAgent.model_validate(
        {"agent_id": made.agent_id, **prompt(tools=[{**tool, "api_schema": moved}, tool | {"type": "client"}])}
    )
    trunk = {"address": "sip.example", "credentials": {"username": "desk", "password": "hunter4"}}
    number = UpdatePhoneNumber.model_validate({"phone_number_id": "p", "outbound_trunk_config": trunk})
    secret = UpdateSecret.model_validate({"secret_id": "s", "type": "update", "name": "n", "value": "hunter5"})
    shown = [*differences(update, stood), *differences(number, {}), *differences(secret, {"name": "n"})]
    assert "hunter" not in str(shown)
    assert "https://b.example/x" in str(shown)
    assert [change.after for change in shown].count("(hidden)") == 2


def test_long_values_are_shown_where_they_differ() -> None:
    before, after = "a" * 5_000 + "old" + "z" * 5_000, "a" * 5_000 + "new" + "z" * 5_000
    [change] = differences(UpdateAgent.model_validate({"agent_id": "a", "name": after}), {"name": before})
    assert change.before is not None
    assert change.after is not None
    assert "aold" in change.before
    assert "anew" in change.after
    assert max(len(change.before), len(change.after)) <= LONGEST + 2


def test_many_changes_are_counted_beyond_a_bound() -> None:
    extra = {"voices": {str(number): number for number in range(100)}}
    found = differences(UpdateAgent.model_validate({"agent_id": "a", **extra}), {})
    assert [change.path for change in found[-2:]] == [f'voices["{MOST - 1}"]', "… 60 more"]
    assert len(found) == MOST + 1
