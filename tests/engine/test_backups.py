"""Which models stand in for one that fails, and what a conversation says and costs when one did."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.conversations import GetConversation
from callwright.engine.models.routing import models_of
from callwright.settings import SettingError
from tests.contract.facts import assert_answer
from tests.dialogue.llm_peer import JSON, Call, Fault, Peer, Reply, Say, peer
from tests.transports import Clock, numbered, settings

from .helpers import agent, dump
from .test_simulations import rehearse, said

pytestmark = pytest.mark.anyio

ORDER = [
    "gemini-2.5-flash",
    "gemini-2.0-flash",
    "gemini-2.0-flash-lite",
    "claude-3-7-sonnet",
    "claude-3-5-sonnet",
    "claude-3-5-sonnet-v1",
    "gpt-4o",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
]
ZERO: JSON = {"privacy": {"zero_retention_mode": True}}


@asynccontextmanager
async def routed(home: Path, at: Peer, *names: str, **chosen: object) -> AsyncGenerator[ApiClient]:
    """A server whose routes lead each of these names to `at`, where a model has the name that it has here."""
    routes = home / "routes.json"
    routes.write_text(json.dumps({name: {"base_url": at.base_url} for name in names}))
    app = App(settings(home / "home", llm_routes=routes, **chosen), "embedded", clock=Clock(), ids=numbered())
    yield await app.api()
    await app.close()


def failing(request: JSON) -> Reply:
    return Fault(400)


async def order(api: ApiClient, at: Peer, llm: str, platform: JSON | None = None) -> list[str]:
    """Which models are asked for one answer when all of them refuse."""
    ada = await agent(api, {"agent": {"first_message": "", "prompt": {"llm": llm}}}, platform_settings=platform or {})
    await api.send(rehearse(ada, {"first_message": "Hello", "prompt": {"prompt": ""}}))
    return [request["model"] for request in at.requests]


async def test_backups_come_in_the_platforms_order_after_the_agents_own(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "g*", "claude*", llm_attempts=20) as api:
        assert await order(api, at, "gpt-4.1") == ["gpt-4.1", *ORDER]


async def test_the_agents_own_model_is_no_backup_of_itself(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "g*", "claude*", llm_attempts=20) as api:
        assert await order(api, at, "gemini-2.0-flash") == [
            "gemini-2.0-flash",
            *[n for n in ORDER if n != "gemini-2.0-flash"],
        ]


async def test_three_are_asked_unless_the_operator_wants_more(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "g*", "claude*") as api:
        assert await order(api, at, "gpt-4.1") == ["gpt-4.1", *ORDER[:2]]


async def test_a_preferred_model_without_a_route_is_passed_over_for_those_that_have_one(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "gemini-2.5-flash", "gpt-4o") as api:
        assert await order(api, at, "claude-sonnet-4") == ["gemini-2.5-flash", "gpt-4o"]


async def test_where_no_model_has_a_route_the_agent_is_offline(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "gpt-5") as api:
        assert await order(api, at, "claude-sonnet-4") == []


async def test_only_what_has_a_route_of_its_own_stands_in(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "*", "claude-3-7*", "gpt-4o", llm_attempts=20) as api:
        assert await order(api, at, "gemini-2.5-flash") == ["gemini-2.5-flash", "claude-3-7-sonnet", "gpt-4o"]


async def test_one_model_under_many_names_is_one_model(tmp_path: Path) -> None:
    routes = tmp_path / "routes.json"
    async with peer(failing) as at:
        named = {"gpt*": f"{at.base_url}/", "gemini*": at.base_url, "claude*": f"{at.base_url}/chat/completions"}
        routes.write_text(json.dumps({name: {"base_url": url, "model": "one"} for name, url in named.items()}))
        app = App(settings(tmp_path / "home", llm_routes=routes), "embedded", ids=numbered())
        assert await order(await app.api(), at, "gpt-4o") == ["one"]
        await app.close()


@pytest.mark.parametrize(
    ("own", "platform", "asked"),
    [("gpt-4o", {}, "gpt-4o"), (None, {}, "gemini-2.5-flash"), ("gpt-4o", ZERO, "gemini-2.5-flash")],
    ids=["its own", "none", "one that keeps"],
)
async def test_the_simulated_user_is_played_by_the_model_that_its_configuration_names(
    tmp_path: Path, own: str | None, platform: JSON, asked: str
) -> None:
    def reply(request: JSON) -> Reply:
        return Say("Hello [[CONVERSATION-OVER]]" if "You play the person" in str(request["messages"][0]) else "Yes.")

    async with peer(reply) as at, routed(tmp_path, at, "gemini-2.5-flash", "gpt-4o") as api:
        config: JSON = {"agent": {"first_message": "", "prompt": {"llm": "gemini-2.5-flash"}}}
        ada = await agent(api, config, platform_settings=platform)
        await api.send(rehearse(ada, {"prompt": {"prompt": "A caller.", **({"llm": own} if own else {})}}))
        played = [r["model"] for r in at.requests if "You play the person" in str(r["messages"][0])]
    assert played == [asked]


async def test_zero_retention_is_kept_by_the_backups_too(tmp_path: Path) -> None:
    async with peer(failing) as at, routed(tmp_path, at, "g*", "claude*", llm_attempts=20) as api:
        asked = await order(api, at, "gemini-2.5-flash", ZERO)
    assert asked == [name for name in ORDER if name != "gpt-4o"]


async def test_zero_retention_holds_after_a_transfer(tmp_path: Path) -> None:
    """The other agent may keep its own conversations; this one it may not."""

    def reply(request: JSON) -> Reply:
        if "You play the person" in request["messages"][0]["content"]:
            return Say("Hello")
        return (
            Say(calls=(Call("transfer_to_agent", '{"agent_number": 0, "reason": "r"}'),))
            if len(at.requests) == 1
            else Say("Bye")
        )

    async with peer(reply) as at, routed(tmp_path, at, "g*") as api:
        keeps = await agent(api, {"agent": {"prompt": {"llm": "gpt-4o"}}})
        rule = {"agent_id": keeps, "condition": "always"}
        tools = {"transfer_to_agent": {"params": {"system_tool_type": "transfer_to_agent", "transfers": [rule]}}}
        config = {"agent": {"first_message": "", "prompt": {"llm": "gemini-2.0-flash", "built_in_tools": tools}}}
        ada = await agent(api, config, platform_settings=ZERO)
        answer = dump(
            await api.send(rehearse(ada, {"first_message": "Hello", "prompt": {"prompt": ""}}, new_turns_limit=2))
        )
    [result] = [one for turn in answer["simulated_conversation"] for one in turn["tool_results"]]
    assert result["is_error"]
    assert "keep nothing" in result["result_value"]
    assert {request["model"] for request in at.requests} == {"gemini-2.0-flash"}


async def test_the_turn_names_the_model_that_stood_in_and_is_priced_by_it(tmp_path: Path) -> None:
    """1,000 tokens in at $0.10 a million, 400 of them from the cache at $0.025; 50 out at $0.40."""
    used = {"prompt_tokens": 1000, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 400}}

    def reply(request: JSON) -> Reply:
        model = request["model"]
        return (
            Fault(500)
            if model in ("gpt-4.1", "gemini-2.5-flash")
            else Say("At nine.", usage=used, model=f"{model}-001")
        )

    async with peer(reply) as at, routed(tmp_path, at, "g*") as api:
        ada = await agent(api, {"agent": {"first_message": "", "prompt": {"llm": "gpt-4.1"}}})
        answer = dump(
            await api.send(rehearse(ada, {"first_message": "Hello", "prompt": {"prompt": ""}}, new_turns_limit=2))
        )
        kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
    assert [request["model"] for request in at.requests][:3] == ["gpt-4.1", "gemini-2.5-flash", "gemini-2.0-flash"]
    assert said(answer["simulated_conversation"]) == ["user: Hello", "agent: At nine."]
    turn = answer["simulated_conversation"][1]
    counted = {
        "input": {"tokens": 600, "price": 0.00006},
        "input_cache_read": {"tokens": 400, "price": 0.00001},
        "input_cache_write": {"tokens": 0, "price": 0.0},
        "output_total": {"tokens": 50, "price": 0.00002},
    }
    usage = {"model_usage": {"gemini-2.0-flash-001": counted}}
    assert (turn["llm_override"], turn["llm_usage"]) == ("gemini-2.0-flash-001", usage)
    assert kept["metadata"]["charging"] == {
        "dev_discount": False,
        "is_burst": False,
        "llm_usage": {"irreversible_generation": usage, "initiated_generation": usage},
        "llm_price": 0.00009,
    }
    assert_answer(GetConversation, 200, kept)


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (
            {"template": "grok"},
            snapshot(
                "CALLWRIGHT_LLM_ROUTES: the template of 'gpt-4o' must be one of cloudflare, groq, sambanova, together, ollama, vllm, llama.cpp, lmstudio."
            ),
        ),
        (
            {"template": ["groq"]},
            snapshot(
                "CALLWRIGHT_LLM_ROUTES: the template of 'gpt-4o' must be one of cloudflare, groq, sambanova, together, ollama, vllm, llama.cpp, lmstudio."
            ),
        ),
        (
            {"template": "cloudflare"},
            snapshot("CALLWRIGHT_LLM_ROUTES: 'gpt-4o' needs an account, the id that cloudflare gave yours."),
        ),
    ],
)
def test_a_wrong_template_is_named_with_what_it_may_be(tmp_path: Path, route: JSON, why: str) -> None:
    routes = tmp_path / "routes.json"
    routes.write_text(json.dumps({"gpt-4o": route}))
    with pytest.raises(SettingError) as caught:
        models_of(settings(tmp_path, llm_routes=routes))
    assert str(caught.value) == why


def test_a_template_says_where_its_endpoint_is(tmp_path: Path) -> None:
    routes = tmp_path / "routes.json"
    names = ("groq", "sambanova", "together", "ollama", "vllm", "llama.cpp", "lmstudio")
    entries: JSON = {name: {"template": name, "model": "m"} for name in names}
    entries["cloudflare"] = {"template": "cloudflare", "account": "a1"}
    entries["elsewhere"] = {"template": "vllm", "base_url": "http://127.0.0.1:9999/v1"}
    routes.write_text(json.dumps(entries))
    found = models_of(settings(tmp_path, llm_routes=routes)).routes
    assert {name: route.base_url for name, route in found.items()} == snapshot(
        {
            "groq": "https://api.groq.com/openai/v1",
            "sambanova": "https://api.sambanova.ai/v1",
            "together": "https://api.together.xyz/v1",
            "ollama": "http://127.0.0.1:11434/v1",
            "vllm": "http://127.0.0.1:8000/v1",
            "llama.cpp": "http://127.0.0.1:8080/v1",
            "lmstudio": "http://127.0.0.1:1234/v1",
            "cloudflare": "https://api.cloudflare.com/client/v4/accounts/a1/ai/v1",
            "elsewhere": "http://127.0.0.1:9999/v1",
        }
    )


async def test_what_a_template_knows_to_be_refused_is_not_tried(tmp_path: Path) -> None:
    """LM Studio refuses the JSON mode that judges ask for."""
    async with peer(lambda _: Say('{"summary": "s", "title": "t"}')) as at:
        routes = tmp_path / "routes.json"
        routes.write_text(json.dumps({"gpt-4o": {"template": "lmstudio", "base_url": at.base_url}}))
        app = App(settings(tmp_path / "home", llm_routes=routes), "embedded", ids=numbered())
        api = await app.api()
        ada = await agent(api, {"agent": {"prompt": {"llm": "gpt-4o"}}})
        await api.send(rehearse(ada, {"first_message": "Hello"}, new_turns_limit=2))
        await app.close()
    assert at.requests
    assert not any("response_format" in request for request in at.requests)
