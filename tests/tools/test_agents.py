"""Copying, sharing and rehearsing agents through the MCP client."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import GetAgent
from tests.engine.helpers import agent, knowing
from tests.engine.helpers import text as document
from tests.peers import serving
from tests.transports import ERAS, Clock, facts, numbered, reach, refusal_facts, server, settings, text, undigested

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


@pytest.mark.parametrize("era", ERAS)
async def test_a_copy_is_made_without_asking_and_can_be_read(tmp_path: Path, clock: Clock, era: str) -> None:
    app = offering(tmp_path, clock)
    async with reach(app, era, "yes") as (client, asked):
        ada = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", "tags": ["desk"]}))
        copy = facts(await client.call_tool("duplicate_agent", {"agent_id": ada["agent_id"]}))
        named = facts(await client.call_tool("duplicate_agent", {"agent_id": ada["agent_id"], "name": "Bea"}))
    assert asked == []
    assert [each["name"] for each in (ada, copy, named)] == ["Ada", "Ada (copy)", "Bea"]
    differing = {key for key in ada if copy.get(key) != ada[key]}
    assert differing == {"agent_id", "name"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_link_is_handed_out_only_when_a_person_agrees(tmp_path: Path, clock: Clock, era: str) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api(), name="Ada", platform_settings={"auth": {"enable_auth": True}})
    async with reach(app, era, "no") as (client, asked):
        declined = await client.call_tool("get_agent_link", {"agent_id": ada})
    assert refusal_facts(declined) == {"declined": True}
    assert [undigested(question) for question in asked] == [
        "Hand out a key: whoever has it can talk to agent 'Ada' (agent_1). A yes is for the agent as it is now (digest)."
    ]
    app = offering(tmp_path, clock)
    async with reach(app, era, "yes") as (client, _):
        link = facts(await client.call_tool("get_agent_link", {"agent_id": ada}))
    assert len(link.pop("token")) == 43
    assert link == snapshot(
        {
            "agent_id": "agent_1",
            "expires": "2027-02-14 08:00 UTC",
            "note": "Whoever has the token can talk to this agent.",
        }
    )


async def test_the_link_of_an_open_agent_says_that_it_needs_no_token(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api())
    async with reach(app, says="yes") as (client, _):
        link = facts(await client.call_tool("get_agent_link", {"agent_id": ada}))
    assert link == {"agent_id": ada, "note": "No token is needed: anybody may talk to this agent."}


async def test_knowledge_is_told_in_pages(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    api = await app.api()
    ada = await agent(api, knowing(await document(api, content="x" * 5_000)))
    async with reach(app) as (client, _):
        assert facts(await client.call_tool("get_agent_knowledge_size", {"agent_id": ada})) == {
            "agent_id": ada,
            "pages": 2.5,
        }


@pytest.mark.embedded_only("a hosted platform is asked for the whole, not for a stream")
@pytest.mark.parametrize("era", ERAS)
async def test_each_turn_of_a_rehearsal_is_reported_as_it_is_said(app: App, era: str) -> None:
    heard: list[tuple[float, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    ada = await agent(await app.api())
    async with reach(app, era) as (client, _):
        arguments = {"agent_id": ada, "caller": "- One?\n- Two?"}
        done = facts(await client.call_tool("simulate_conversation", arguments, progress_callback=on_progress))
        changes = facts(await client.call_tool("list_changes", {}))["changes"]
    assert heard == [(n, f"turn {n}: {'user' if n % 2 == 0 else 'agent'}") for n in range(1, 6)]
    assert done["turns"] == 5
    assert done["conversation_id"].startswith("conv_")
    assert done["ended_because"] == "The simulated user had nothing more to say."
    assert [(change["tool"], change["outcome"]) for change in changes] == [("simulate_conversation", "done")]


@pytest.mark.embedded_only("makes its hosted platform itself")
async def test_a_hosted_platform_is_asked_for_the_whole_rehearsal(app: App, tmp_path: Path) -> None:
    """The same engine behind real HTTP: what it is asked for tells."""
    engine, asked = await app.engine("key" * 8), list[str]()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"].rpartition("/")[2])
        await engine(scope, receive, send)

    ada = await agent(await app.api())
    async with serving(watched) as url:
        hosted = App(settings(tmp_path / "hosted", api_url=url, api_key="key" * 8), "hosted")
        async with reach(hosted) as (client, _):
            done = facts(await client.call_tool("simulate_conversation", {"agent_id": ada, "caller": "One?"}))
    assert asked == ["simulate-conversation"]
    assert done["turns"] == 3


async def test_a_rehearsal_that_cannot_begin_is_refused_in_words(app: App) -> None:
    ada = await agent(await app.api(), {"agent": {"first_message": "Hello {{name}}."}})
    async with reach(app) as (client, _):
        refused = await client.call_tool("simulate_conversation", {"agent_id": ada, "caller": "One?"})
        [change] = facts(await client.call_tool("list_changes", {}))["changes"]
    assert refused.is_error
    assert "name" in text(refused)
    assert change["outcome"] == "failed"


async def test_the_copy_stays_when_the_original_is_deleted(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    api: ApiClient = await app.api()
    ada = await agent(api, name="Ada")
    async with reach(app, says="yes") as (client, _):
        copy = facts(await client.call_tool("duplicate_agent", {"agent_id": ada}))["agent_id"]
        facts(await client.call_tool("delete_agent", {"agent_id": ada}))
    # The client's end closed the server's engine; another one on the same data still knows the copy.
    again = server(settings(tmp_path / "home"), clock=clock, ids=numbered())
    assert (await (await again.api()).send(GetAgent(agent_id=copy))).name == "Ada (copy)"
    await again.close()


@pytest.mark.parametrize("era", ERAS)
async def test_tools_and_tests_are_given_to_an_agent_by_their_ids(tmp_path: Path, clock: Clock, era: str) -> None:
    app = offering(tmp_path, clock)
    async with reach(app, era, "yes") as (client, asked):
        tool = facts(await client.call_tool("create_tool", {"name": "end_call", "kind": "system"}))["tool_id"]
        case = {"name": "Polite", "history": ["user: Hi"], "condition": "Greets."}
        test = facts(await client.call_tool("create_agent_test", case))["test_id"]
        given = {"tool_ids": [tool], "test_ids": [test, test]}
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", **given}))
        run = facts(await client.call_tool("run_agent_tests", {"agent_id": made["agent_id"]}))
        cleared: dict[str, Any] = {"agent_id": made["agent_id"], "tool_ids": [], "test_ids": []}
        empty = facts(await client.call_tool("update_agent", cleared))
        twice = await client.call_tool(
            "update_agent",
            {
                "agent_id": made["agent_id"],
                "test_ids": [test],
                "config": {"platform_settings": {"testing": {"attached_tests": []}}},
            },
        )
    assert (made["tools"], made["tests"]) == ([tool], [test])
    assert len(run["runs"]) == 1
    assert (empty["tools"], empty["tests"]) == ([], [])
    assert text(twice) == "test_ids is also set in config.platform_settings.testing.attached_tests: say it once."
    assert asked == snapshot(["Create agent 'Ada'. It sets conversation_config.agent.prompt.tool_ids = ['tool_1']."])


@pytest.mark.parametrize("era", ERAS)
async def test_what_was_spelt_otherwise_or_may_not_do_what_was_meant_is_noted(app: App, era: str) -> None:
    flow: dict[str, Any] = {
        "nodes": {
            "start": {"type": "start"},
            "desk": {"type": "override_agent", "label": "Desk"},
            "lost": {"type": "end"},
        },
        "edges": {"e": {"source": "start", "target": "desk", "forward_condition": {"type": "unconditional"}}},
    }
    config: dict[str, Any] = {
        "conversation_config": {
            "agent": {"prompt": {"first_message": "Hallo."}},
            "conversation": {"text_only": True, "client_events": ["audio", "agent_respons"]},
        },
        "platform_settings": {
            "widget": {
                "variant": "expanded",
                "placement": "middle",
                "language_presets": {"fr": {}, "de": {}},
            }
        },
        "workflow": flow,
    }
    done = {"type": "llm", "condition": "All is done."}
    async with reach(app, era, "yes") as (client, _):  # which events clients get is asked about
        made = facts(
            await client.call_tool(
                "create_agent", {"name": "Ada", "prompt": "Hilf.", "language": "de", "config": config}
            )
        )
        mended: dict[str, Any] = {
            "conversation_config": {"conversation": {"text_only": False}, "tts": {"model_id": "eleven_flash_v2_5"}},
            "platform_settings": {"widget": {"language_presets": {"fr": None}}},
            "workflow": {"edges": {"f": {"source": "desk", "target": "lost", "forward_condition": done}}},
        }
        again = facts(await client.call_tool("update_agent", {"agent_id": made["agent_id"], "config": mended}))
    assert made["first_message"] == "Hallo."
    assert made["notes"] == snapshot(
        [
            "agent.prompt.first_message is not read there; it became agent.first_message.",
            "conversation_config.conversation.client_events.1 is 'agent_respons', which is no known value. Did you mean 'agent_response'?",
            "platform_settings.widget.variant is 'expanded', which is no known value. Known: tiny, compact, full, expandable.",
            "platform_settings.widget.placement is 'middle', which is no known value. Known: top-left, top, top-right, bottom-left, bottom, bottom-right.",
            "eleven_flash_v2 speaks English only; de is spoken by eleven_flash_v2_5.",
            "A text conversation shows no answers: conversation.client_events lacks agent_response.",
            "The widget has labels in languages that the agent does not speak: fr.",
            "No conversation gets to these nodes of the workflow: lost.",
        ]
    )
    assert "notes" not in again


async def test_an_archived_agent_is_marked_in_the_list(app: App) -> None:
    async with reach(app) as (client, _):
        for name, archived in (("Ada", False), ("Bob", True)):
            config = {"platform_settings": {"archived": archived}}
            facts(await client.call_tool("create_agent", {"name": name, "prompt": "Help.", "config": config}))
        listed = facts(await client.call_tool("list_agents", {}))["agents"]
    assert [(line["name"], line.get("archived")) for line in listed] == [("Bob", True), ("Ada", None)]
