"""Choosing a voice and a language model through the MCP client."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from callwright.app import App
from tests.engine.helpers import agent, knowing
from tests.engine.helpers import text as document
from tests.peers import serving
from tests.transports import ERAS, Clock, facts, reach, settings

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


@pytest.mark.parametrize("era", ERAS)
async def test_a_warm_british_voice_is_found_and_given_to_an_agent(app: App, era: str) -> None:
    """`list_voices` is an everyday tool: no agent gets a voice without it."""
    async with reach(app, era) as (client, _):
        found = facts(await client.call_tool("list_voices", {"search": "warm british"}))
        voice = found["voices"][0]
        made = facts(
            await client.call_tool("create_agent", {"name": "Ada", "prompt": "p", "voice_id": voice["voice_id"]})
        )
    assert found == snapshot(
        {
            "has_more": False,
            "voices": [
                {
                    "voice_id": "JBFqnCBsd6RMkjVDRZzb",
                    "name": "George",
                    "gender": "male",
                    "accent": "british",
                    "language": "en",
                    "tone": "warm",
                    "description": "Mature, draws listeners in.",
                },
                {
                    "voice_id": "pFZP5JQG7iQjIQuC4Bku",
                    "name": "Lily",
                    "gender": "female",
                    "accent": "british",
                    "language": "en",
                    "tone": "warm",
                    "description": "Velvety and clear.",
                },
            ],
        }
    )
    assert made["voice_id"] == voice["voice_id"]


async def test_voices_come_in_pages(app: App) -> None:
    async with reach(app) as (client, _):
        first = facts(await client.call_tool("list_voices", {"page_size": 15}))
        rest = facts(await client.call_tool("list_voices", {"page_size": 15, "cursor": first["next_cursor"]}))
    assert (len(first["voices"]), first["has_more"]) == (15, True)
    assert (len(rest["voices"]), rest["has_more"], rest.get("next_cursor")) == (5, False, None)


async def test_models_are_listed_from_the_cheapest_with_limits_and_prices(tmp_path: Path, clock: Clock) -> None:
    async with reach(offering(tmp_path, clock)) as (client, _):
        found = facts(await client.call_tool("list_llms", {}))
    prices = [llm["usd_a_minute"] for llm in found["llms"]]
    assert prices == sorted(prices)
    assert (found["llms"][0], found["note"]) == snapshot(
        (
            {
                "llm": "gemini-1.5-flash",
                "context_tokens": 1048576,
                "answer_tokens": 8192,
                "usd_a_minute": 0.00045,
                "sees_images": True,
            },
            "Prices for a prompt of 4,000 characters without knowledge; some models have none here.",
        )
    )


async def test_a_price_is_told_for_given_sizes_and_for_an_agent(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    api = await app.api()
    ada = await agent(api, knowing(await document(api, content="x" * 20_000), prompt="p" * 4_000))
    async with reach(app) as (client, _):
        sizes = {"prompt_length": 4_000, "number_of_pages": 10}
        given = facts(await client.call_tool("calculate_llm_usage", sizes))["prices"]
        its_own = facts(await client.call_tool("calculate_llm_usage", {"agent_id": ada}))["prices"]
        instead = facts(await client.call_tool("calculate_llm_usage", {"agent_id": ada, "number_of_pages": 0}))[
            "prices"
        ]
    assert given == its_own
    assert [price for price in given if price["llm"] == "gpt-4o"] == snapshot(
        [{"llm": "gpt-4o", "usd_a_minute": 0.065, "usd_a_message": 0.01625}]
    )
    assert instead[0]["usd_a_minute"] < given[0]["usd_a_minute"]


async def test_where_the_tokens_of_a_turn_go_and_what_would_save_some(tmp_path: Path, clock: Clock) -> None:
    """8,000 characters of prompt are 2,000 tokens; 120,000 of knowledge 30,000, with retrieval at most 12,500.

    gpt-4o at $2.50 in and $10 out a million: (4 x 32,400 x 2.5 + 100 x 10) / 1,000,000. gpt-4 and gpt-3.5-turbo have too
    little room.
    """
    app = offering(tmp_path, clock)
    api = await app.api()
    ada = await agent(api, knowing(await document(api, content="x" * 120_000), prompt="p" * 8_000, llm="gpt-4o"))
    async with reach(app) as (client, _):
        found = facts(await client.call_tool("calculate_llm_usage", {"agent_id": ada}))
    assert not {"gpt-4", "gpt-3.5-turbo"} & {price["llm"] for price in found["prices"]}
    assert {name: found[name] for name in ("tokens_a_turn", "cheapest_that_fit", "levers")} == snapshot(
        {
            "tokens_a_turn": {"prompt": 2000, "knowledge": 30000, "history": 400},
            "cheapest_that_fit": ["gpt-oss-20b", "gpt-oss-120b", "qwen3-30b-a3b"],
            "levers": [
                "Model: gpt-4o costs $0.32500 a minute here, gpt-oss-20b $0.00150. Run the agent's tests with a cheaper one before you change it.",
                "Knowledge: switch retrieval on (rag.enabled): at most 12,500 tokens a turn instead of 30,000, 70,000 fewer a minute. Documents that nobody asks about can go.",
                "Prompt: 2,000 tokens go out with every turn, 8,000 a minute. Shorten it, or divide it between agents that hand over to each other.",
                "Answers: a token that comes out costs several that go in. Ask for one or two sentences in the prompt; max_tokens is the hard limit.",
            ],
        }
    )


async def test_a_lean_agent_hears_only_of_what_is_left_to_save(tmp_path: Path, clock: Clock) -> None:
    """400 characters are 100 tokens; of 500 in all, what was said is 400."""
    app = offering(tmp_path, clock)
    ada = await agent(
        await app.api(), {"agent": {"prompt": {"prompt": "p" * 400, "llm": "gpt-oss-20b", "max_tokens": 80}}}
    )
    async with reach(app) as (client, _):
        found = facts(await client.call_tool("calculate_llm_usage", {"agent_id": ada}))
        sizes = {"prompt_length": 400, "number_of_pages": 20, "rag_enabled": True}
        bare = facts(await client.call_tool("calculate_llm_usage", sizes))
    assert found["tokens_a_turn"] == {"prompt": 100, "knowledge": 0, "history": 400}
    assert (found["levers"], bare["levers"]) == snapshot(
        (
            [
                "Model: gpt-oss-20b costs $0.00150 a minute here, gemini-1.5-flash $0.00018. Run the agent's tests with a cheaper one before you change it.",
                "History: what was said is 80 % of a turn, and grows with every one. Let the agent end the call when it is done (end_call).",
            ],
            [
                "Knowledge: lower max_documents_length to 10,000: at most 2,500 tokens a turn instead of 10,000, 30,000 fewer a minute. Documents that nobody asks about can go.",
                "Answers: a token that comes out costs several that go in. Ask for one or two sentences in the prompt; max_tokens is the hard limit.",
            ],
        )
    )


@pytest.mark.embedded_only("makes its hosted platform itself")
async def test_a_platform_says_which_models_retire_and_an_older_one_lists_no_limits(tmp_path: Path) -> None:
    prices = {"llm_prices": [{"llm": "gpt-9", "price_per_minute": 0.02}, {"llm": "gpt-8", "price_per_minute": 0.01}]}
    retirement = {
        "llm": "gpt-8",
        "is_deprecated": True,
        "provider_deprecation_date": "2027-01-31T00:00:00Z",
        "replacement_model": "gpt-9",
    }
    info = {
        "llm": "gpt-8", "is_checkpoint": False, "max_tokens_limit": 100, "max_context_limit": 1000,
        "supports_image_input": True, "supports_document_input": False, "supports_parallel_tool_calls": True,
        "deprecation_info": retirement,
    }  # fmt: skip
    rule = dict.fromkeys(
        ("warning_start_days", "fallback_start_days", "fallback_complete_days", "fallback_start_percentage", "fallback_complete_percentage"), 1
    )  # fmt: skip

    async def priced(_: Request) -> JSONResponse:
        return JSONResponse(prices)

    async def listed(_: Request) -> JSONResponse:
        return JSONResponse({"llms": [info], "default_deprecation_config": rule})

    calculate = Route("/v1/convai/llm-usage/calculate", priced, methods=["POST"])
    answers: list[object] = []
    for routes in ([calculate], [calculate, Route("/v1/convai/llm/list", listed)]):
        async with serving(Starlette(routes=routes)) as url:
            chosen = settings(tmp_path, api_url=url, api_key="k" * 20, toolsets=("all",))
            async with reach(App(chosen, "hosted")) as (client, _):
                answers.append(facts(await client.call_tool("list_llms", {}))["llms"])
    assert answers == snapshot(
        [
            [{"llm": "gpt-8", "usd_a_minute": 0.01}, {"llm": "gpt-9", "usd_a_minute": 0.02}],
            [
                {
                    "llm": "gpt-8",
                    "context_tokens": 1000,
                    "answer_tokens": 100,
                    "usd_a_minute": 0.01,
                    "sees_images": True,
                    "retires": "2027-01-31; use gpt-9",
                },
                {"llm": "gpt-9", "usd_a_minute": 0.02},
            ],
        ]
    )
