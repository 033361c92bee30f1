"""Rehearsals through the platform's API: what is played, what is kept of it, and what happens when it breaks off."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agent_tools import CreateTool
from callwright.contract.agents import SimulateConversation
from callwright.contract.conversations import GetConversation, ListConversations
from callwright.contract.errors import NotFound
from callwright.settings import SettingError
from tests.contract.facts import assert_answer
from tests.dialogue.llm_peer import Call, Fault, Peer, Say, peer
from tests.peers import serving
from tests.transports import Clock, numbered, settings

from .helpers import JSON, agent, dump, http, knowing, problems, refused, text

pytestmark = pytest.mark.anyio

USER: JSON = {"prompt": {"prompt": "- When are bicycles repaired?\n- Thank you."}}
CRITERION: JSON = {"id": "calm", "name": "Calm", "type": "prompt", "conversation_goal_prompt": "Was calm."}


def rehearse(agent_id: str, user: JSON = USER, **rest: object) -> SimulateConversation:
    spec = {"simulated_user_config": user, **{k: rest.pop(k) for k in ("partial_conversation_history", "dynamic_variables", "tool_mock_config") if k in rest}}  # fmt: skip
    return SimulateConversation.model_validate({"agent_id": agent_id, "simulation_specification": spec, **rest})


def said(transcript: list[JSON]) -> list[str]:
    return [f"{turn['role']}: {turn['message']}" for turn in transcript if turn["message"]]


async def everything(api: ApiClient) -> list[JSON]:
    return dump(await api.send(ListConversations(include_simulated=True)))["conversations"]


async def test_a_rehearsal_reads_back_as_a_conversation(api: ApiClient) -> None:
    document = await text(api, content="Bicycles are repaired on Mondays.")
    ada = await agent(api, knowing(document), platform_settings={"evaluation": {"criteria": [CRITERION]}})
    answer = dump(await api.send(rehearse(ada, extra_evaluation_criteria=["Says goodbye"])))
    kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
    assert kept["transcript"] == answer["simulated_conversation"]
    assert kept["analysis"] == answer["analysis"]
    assert said(kept["transcript"]) == snapshot(
        [
            "agent: Hello! How can I help you today?",
            "user: When are bicycles repaired?",
            "agent: [offline responder] The document “Handbook” says: “Bicycles are repaired on Mondays.”",
            "user: Thank you.",
            'agent: [offline responder] I can only quote documents, and I found nothing about that in "Handbook".',
        ]
    )
    results = kept["analysis"]["evaluation_criteria_results"]
    assert {id: found["result"] for id, found in results.items()} == {"calm": "unknown", "says_goodbye": "unknown"}
    assert {k: v for k, v in kept.items() if k not in ("transcript", "analysis")} == snapshot(
        {
            "agent_id": "agent_2",
            "conversation_id": "conv_3",
            "status": "done",
            "user_id": None,
            "metadata": {
                "start_time_unix_secs": 1800000000,
                "accepted_time_unix_secs": 1800000000,
                "call_duration_secs": 0,
                "cost": 0,
                "cost_fiat": None,
                "deletion_settings": {},
                "feedback": {"overall_score": None, "likes": 0, "dislikes": 0},
                "charging": {
                    "dev_discount": False,
                    "is_burst": False,
                    "llm_usage": {
                        "irreversible_generation": {"model_usage": {}},
                        "initiated_generation": {"model_usage": {}},
                    },
                    "llm_price": 0.0,
                },
                "termination_reason": "The simulated user had nothing more to say.",
                "error": None,
                "main_language": "en",
                "text_only": True,
                "features_usage": {
                    "language_detection": {"enabled": False, "used": False},
                    "transfer_to_agent": {"enabled": False, "used": False},
                    "transfer_to_number": {"enabled": False, "used": False},
                    "multivoice": {"enabled": False, "used": False},
                    "dtmf_tones": {"enabled": False, "used": False},
                    "external_mcp_servers": {"enabled": False, "used": False},
                    "tool_dynamic_variable_updates": {"enabled": False, "used": False},
                    "voicemail_detection": {"enabled": False, "used": False},
                    "workflow": {
                        "enabled": False,
                        "tool_node": {"enabled": False, "used": False},
                        "standalone_agent_node": {"enabled": False, "used": False},
                        "phone_number_node": {"enabled": False, "used": False},
                        "end_node": {"enabled": False, "used": False},
                    },
                },
            },
            "conversation_initiation_client_data": {"dynamic_variables": {}},
            "has_audio": False,
            "has_user_audio": False,
            "has_response_audio": False,
            "has_auxiliary_audio": False,
            "simulated": True,
        }
    )
    assert_answer(GetConversation, 200, kept)


async def test_a_rehearsal_is_listed_only_when_asked_for(api: ApiClient, wire: AsyncClient) -> None:
    ada = await agent(api, name="Ada")
    made = dump(await api.send(rehearse(ada)))["conversation_id"]
    assert dump(await api.send(ListConversations()))["conversations"] == []
    assert await everything(api) == snapshot(
        [
            {
                "agent_id": "agent_1",
                "agent_name": "Ada",
                "conversation_id": "conv_2",
                "start_time_unix_secs": 1800000000,
                "call_duration_secs": 0,
                "message_count": 5,
                "status": "done",
                "call_successful": "unknown",
                "call_summary_title": "Offline rehearsal",
                "direction": None,
                "simulated": True,
            }
        ]
    )
    for asked, found in {"true": [made], "1": [made], "false": [], "0": []}.items():
        answer = await wire.get("/v1/convai/conversations", params={"include_simulated": asked})
        assert [row["conversation_id"] for row in answer.json()["conversations"]] == found


async def test_an_agent_that_does_not_exist_is_not_rehearsed(api: ApiClient) -> None:
    assert isinstance(await refused(api, rehearse("agent_no")), NotFound)
    assert await everything(api) == []


async def test_a_conversation_goes_on_from_a_partial_history(api: ApiClient) -> None:
    ada = await agent(api, {"agent": {"first_message": "Hello {{name}}."}})
    history = [{"role": "agent", "message": "Hi Bo.", "time_in_call_secs": 0}, {"role": "user", "message": "Hm.", "time_in_call_secs": 2}]  # fmt: skip
    answer = dump(await api.send(rehearse(ada, partial_conversation_history=history, dynamic_variables={"name": "Bo"})))
    assert said(answer["simulated_conversation"])[:2] == ["agent: Hi Bo.", "user: Hm."]


async def test_variables_that_nobody_gave_are_all_named(api: ApiClient, wire: AsyncClient) -> None:
    ada = await agent(api, {"agent": {"first_message": "Hello {{name}} of {{town}}."}})
    answer = await wire.post(f"/v1/convai/agents/{ada}/simulate-conversation", json=rehearse(ada).body())
    assert problems(answer) == snapshot(
        [
            "body.simulation_specification.dynamic_variables.name: The agent's texts use it, and it has no value.",
            "body.simulation_specification.dynamic_variables.town: The agent's texts use it, and it has no value.",
        ]
    )
    assert await everything(api) == []


@pytest.mark.parametrize(("limit", "turns"), [(1, 2), (100, 5)])
async def test_the_limit_of_new_turns_is_kept(api: ApiClient, limit: int, turns: int) -> None:
    ada = await agent(api)
    answer = dump(await api.send(rehearse(ada, new_turns_limit=limit)))
    assert len(answer["simulated_conversation"]) == turns


@pytest.mark.parametrize("limit", [0, -1, 101, "many", None])
async def test_a_limit_out_of_bounds_is_refused_at_its_place(api: ApiClient, wire: AsyncClient, limit: object) -> None:
    ada = await agent(api)
    body = (rehearse(ada).body() or {}) | {"new_turns_limit": limit}
    [problem] = problems(await wire.post(f"/v1/convai/agents/{ada}/simulate-conversation", json=body))
    assert problem.startswith("body.new_turns_limit: ")
    assert await everything(api) == []


async def test_with_zero_retention_nothing_is_kept(app: App, api: ApiClient) -> None:
    ada = await agent(api, platform_settings={"privacy": {"zero_retention_mode": True}})
    answer = dump(await api.send(rehearse(ada, {"prompt": {"prompt": "canary-4711"}})))
    assert "user: canary-4711" in said(answer["simulated_conversation"])
    assert "conversation_id" not in answer
    assert await everything(api) == []
    assert not any(b"canary-4711" in file.read_bytes() for file in app.settings.home.rglob("*") if file.is_file())


@asynccontextmanager
async def with_model(home: Path, clock: Clock, at: Peer, **chosen: object) -> AsyncGenerator[App]:
    """The server with a model at a loopback endpoint."""
    app = App(
        settings(home, llm_base_url=at.base_url, llm_model="m", **chosen), "embedded", clock=clock, ids=numbered()
    )
    yield app
    await app.close()


def plays(request: JSON) -> Say:
    """The endpoint plays the agent, the user and the judge."""
    system = request["messages"][0]["content"]
    if "review conversations" in system:
        task = request["messages"][1]["content"]
        if "sum the conversation up" in task:
            return Say('{"summary": "Asked for the hours.", "title": "Hours"}')
        return Say('{"result": "success", "rationale": "It was."}')
    if "You play the person" in system:
        return Say("When are bicycles repaired?")
    if any(message["role"] == "tool" for message in request["messages"]):
        return Say(calls=(Call("end_call", '{"reason": "done", "message": "At nine. Bye!"}'),))
    return Say("Let me see.", (Call("hours", "{}"),))


TOOLS: JSON = {
    "agent": {
        "prompt": {
            "tools": [{"type": "client", "name": "hours", "description": "Tells the hours."}],
            "built_in_tools": {"end_call": {}},
        }
    }
}


async def test_a_model_plays_all_parts_and_judges(tmp_path: Path, clock: Clock) -> None:
    async with peer(plays) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        ada = await agent(api, TOOLS, platform_settings={"evaluation": {"criteria": [CRITERION]}})
        mocks = {"hours": {"default_return_value": "nine"}}
        answer = dump(await api.send(rehearse(ada, tool_mock_config=mocks)))
        [row] = await everything(api)
    assert said(answer["simulated_conversation"]) == snapshot(
        [
            "agent: Hello! How can I help you today?",
            "user: When are bicycles repaired?",
            "agent: Let me see.",
            "agent: At nine. Bye!",
        ]
    )
    assert answer["analysis"]["evaluation_criteria_results"]["calm"]["result"] == "success"
    assert (row["call_successful"], row["status"], row["call_summary_title"]) == ("success", "done", "Hours")


async def test_a_model_that_fails_leaves_a_failed_conversation_with_the_reason(tmp_path: Path, clock: Clock) -> None:
    async with peer(lambda _: Fault(400)) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        ada = await agent(api)
        answer = dump(await api.send(rehearse(ada, extra_evaluation_criteria=[CRITERION])))
        kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
        [row] = await everything(api)
    assert (row["status"], kept["status"], row["call_successful"]) == ("failed", "failed", "unknown")
    assert "400" in kept["metadata"]["error"]["reason"]
    assert kept["metadata"]["termination_reason"] == kept["metadata"]["error"]["reason"]
    assert kept["analysis"]["evaluation_criteria_results"]["calm"]["result"] == "unknown"


@pytest.mark.parametrize("over", ["memory", "socket"])
async def test_a_caller_who_goes_away_stops_the_model_and_nothing_is_kept(
    tmp_path: Path, clock: Clock, over: str
) -> None:
    async with peer(lambda _: Say("Well", stalls=True)) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        ada = await agent(api)
        reached = http(await app.engine()) if over == "memory" else by_socket(app)
        async with reached as wire, anyio.create_task_group() as tasks:
            path = f"/v1/convai/agents/{ada}/simulate-conversation"
            tasks.start_soon(lambda: wire.post(path, json=rehearse(ada).body()))
            await at.stalled.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(60):
            await at.hung_up.wait()
        assert await everything(api) == []
        assert await agent(api)


@asynccontextmanager
async def by_socket(app: App) -> AsyncGenerator[AsyncClient]:
    async with serving(await app.engine()) as url, AsyncClient(base_url=url) as client:
        yield client


@pytest.mark.parametrize("file", ["", "[]", '{"a": {}}', '{"a": {"base_url": "ftp://x"}}', '{"a": {"base_url": "http://x", "b": 1}}'])  # fmt: skip
async def test_a_routes_file_that_is_wrong_is_refused_with_what_it_must_be(tmp_path: Path, file: str) -> None:
    routes = tmp_path / "routes.json"
    routes.write_text(file)
    app = App(settings(tmp_path / "home", llm_routes=routes), "embedded")
    with pytest.raises(SettingError, match="CALLWRIGHT_LLM_ROUTES must hold"):
        await app.api()
    await app.close()


async def test_models_are_routed_by_name(tmp_path: Path, clock: Clock) -> None:
    async with peer(lambda _: Say("A")) as a, peer(lambda _: Say("B")) as b:
        routes = tmp_path / "routes.json"
        routes.write_text(
            json.dumps({"gpt-*": {"base_url": a.base_url}, "gpt-4o": {"base_url": b.base_url, "model": "upstream"}})
        )
        app = App(settings(tmp_path / "home", llm_routes=routes), "embedded", clock=clock, ids=numbered())
        api = await app.api()
        heard: list[str] = []
        for llm in ("gpt-4o", "gpt-5", "claude-sonnet-4"):
            ada = await agent(api, {"agent": {"first_message": "", "prompt": {"llm": llm}}})
            answer = dump(await api.send(rehearse(ada, new_turns_limit=2)))
            heard += said(answer["simulated_conversation"])
        await app.close()
    assert {request["model"] for request in a.requests} == {"gpt-5"}
    assert {request["model"] for request in b.requests} == {"upstream"}
    assert heard[0] == "user: B"
    assert heard[2] == "user: A"
    assert heard[4] == "user: B"  # a backup of the one that has no route


async def test_a_rehearsal_offers_stored_tools_and_answers_them_from_mocks(tmp_path: Path, clock: Clock) -> None:
    stored: JSON = {
        "type": "webhook",
        "name": "find_slot",
        "description": "Finds a free slot.",
        "api_schema": {
            "url": "https://crm.example.com/slots",
            "query_params_schema": {"properties": {"day": {"type": "string", "description": "Day."}}},
        },
    }
    inline: JSON = {"type": "client", "name": "show_map", "description": "Shows the map."}

    def reply(request: JSON) -> Say:
        if "tools" in request and not any(message["role"] == "tool" for message in request["messages"]):
            return Say("", calls=(Call("find_slot", '{"day": "Monday"}'),))
        return plays(request)

    async with peer(reply) as at, with_model(tmp_path / "home", clock, at) as app:
        api = await app.api()
        made = await api.send(CreateTool.model_validate({"tool_config": stored}))
        ada = await agent(api, {"agent": {"prompt": {"tool_ids": [made.id], "tools": [inline]}}})
        mocks = {"find_slot": {"default_return_value": "nine"}}
        answer = dump(await api.send(rehearse(ada, tool_mock_config=mocks, new_turns_limit=4)))
    offered = next(request["tools"] for request in at.requests if "tools" in request)
    assert [tool["function"]["name"] for tool in offered] == ["show_map", "find_slot"]
    assert list(offered[1]["function"]["parameters"]["properties"]) == ["day"]
    results = [result for turn in answer["simulated_conversation"] for result in turn.get("tool_results") or ()]
    assert [(result["tool_name"], result["result_value"]) for result in results][:1] == [("find_slot", "nine")]
