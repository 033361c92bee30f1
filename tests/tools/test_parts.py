"""Parts of a whole answer, by path, where the view does not show enough."""

from collections.abc import AsyncGenerator

import pytest
from mcp import Client

from callwright.app import App
from callwright.replies.parts import BUDGET, parts_of
from callwright.replies.text import LIMIT
from tests.engine.helpers import JSON
from tests.transports import ERAS, facts, reach, text

pytestmark = pytest.mark.anyio

PROMPT = "".join(f"Rule {n}: be kind.\n" for n in range(4_000))
CONFIG: JSON = {
    "conversation_config": {
        "asr": {"keywords": ["bicycle", "wheel"]},
        "agent": {"dynamic_variables": {"dynamic_variable_placeholders": {"order.id": "A-1"}}},
    }
}


@pytest.fixture
async def ada(app: App) -> AsyncGenerator[tuple[Client, str]]:
    async with reach(app) as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": PROMPT, "config": CONFIG}))
        yield client, made["agent_id"]


async def parts(client: Client, agent_id: str, *paths: str) -> JSON:
    return facts(await client.call_tool("get_agent", {"agent_id": agent_id, "parts": list(paths)}))


@pytest.mark.parametrize("era", ERAS)
async def test_chosen_parts_come_in_place_of_the_view(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", "config": CONFIG}))
        asked = {"agent_id": made["agent_id"], "parts": ["name", "$.conversation_config.asr.keywords"]}
        answer = await client.call_tool("get_agent", asked)
    assert facts(answer) == {
        "parts": {"name": "Ada", "$.conversation_config.asr.keywords": ["bicycle", "wheel"]},
        "cut": [],
    }
    assert text(answer) == 'parts: {"name": "Ada", "$.conversation_config.asr.keywords": ["bicycle", "wheel"]}'


async def test_a_path_is_written_with_dots_or_brackets(ada: tuple[Client, str]) -> None:
    above = "conversation_config.agent.dynamic_variables.dynamic_variable_placeholders"
    found = await parts(
        *ada,
        "conversation_config.asr.keywords[1]",
        "conversation_config.asr.keywords.0",
        f"{above}['order.id']",
        "conversation_config.agent.prompt.prompt[0:18]",
    )
    assert list(found["parts"].values()) == ["wheel", "bicycle", "A-1", "Rule 0: be kind.\nR"]


async def test_a_long_text_is_read_to_its_end_piece_by_piece(ada: tuple[Client, str]) -> None:
    path = "conversation_config.agent.prompt.prompt"
    read, ask, replies = "", path, 0
    while ask:
        found = await parts(*ada, ask)
        assert len(str(found)) <= LIMIT
        read += found["parts"][ask]
        replies += 1
        ask = found["cut"][0].partition(" goes on at ")[2].partition(";")[0] if found["cut"] else ""
    assert read == PROMPT
    assert replies == -(-len(PROMPT) // (BUDGET - 1_500))


async def test_an_object_that_is_too_large_names_its_parts(ada: tuple[Client, str]) -> None:
    found = await parts(*ada, "conversation_config.agent.prompt", "name")
    assert found["parts"] == {"conversation_config.agent.prompt": None, "name": "Ada"}
    [cut] = found["cut"]
    assert cut.startswith("conversation_config.agent.prompt is too large: ask for one of built_in_tools, ")
    assert " knowledge_base, " in cut


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("conversation_config.tss", "conversation_config has no part 'tss'. It has: agent, asr, "),
        ("name.first", "name has no part 'first'. It has: no parts."),
        ("conversation_config.asr.keywords[7]", "conversation_config.asr.keywords has no part '7'. It has: 2 items,"),
        ("conversation_config[0:1]", "conversation_config has no part '[0:1]'. It has: agent, asr, "),
        ("a..b", "'a..b' is no path; write it as a.b[0], a[*].b, a['b.c'] or a.text[5000:]."),
        ("a[**]", "'a[**]' is no path;"),
        ("name[*]", "name has no part '[*]'. It has: no parts."),
        ("conversation_config.asr.keywords[*].x", "an item has no part 'x'. It has: no parts."),
        ("nowhere", "the whole has no part 'nowhere'. It has: access_info, agent_id, "),
    ],
)
async def test_a_wrong_path_is_told_what_there_is(ada: tuple[Client, str], path: str, said: str) -> None:
    client, agent_id = ada
    answer = await client.call_tool("get_agent", {"agent_id": agent_id, "parts": [path]})
    assert answer.is_error
    assert text(answer).startswith(said)


@pytest.mark.parametrize("era", ERAS)
async def test_fields_of_every_row_are_chosen_and_the_page_goes_on(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        for number in range(3):
            facts(await client.call_tool("create_agent", {"name": f"Ada {number}", "prompt": "p", "tags": ["a"]}))
        fields = ["agents[*].name", "agents[*].tags[0]"]
        first = facts(await client.call_tool("list_agents", {"page_size": 2, "parts": fields}))
        second = await client.call_tool("list_agents", {"parts": fields, "cursor": first["next_cursor"]})
    assert first == {
        "parts": {"agents[*].name": ["Ada 2", "Ada 1"], "agents[*].tags[0]": ["a", "a"]},
        "cut": [],
        "has_more": True,
        "next_cursor": first["next_cursor"],
    }
    assert facts(second) == {
        "parts": {"agents[*].name": ["Ada 0"], "agents[*].tags[0]": ["a"]}, "cut": [], "has_more": False
    }  # fmt: skip


def test_an_item_that_lacks_a_field_keeps_its_place() -> None:
    rows: JSON = {"rows": [{"a": 1}, {"b": 2}], "none": []}
    assert parts_of(rows, ["rows[*].a", "none[*].a", "rows[*]"]).parts == {
        "rows[*].a": [1, None],
        "none[*].a": [],
        "rows[*]": [{"a": 1}, {"b": 2}],
    }


def test_a_field_that_is_too_large_over_all_rows_says_where_to_go_on() -> None:
    found = parts_of({"rows": [{"a": "x" * 6_000}] * 5}, ["rows[*].a"])
    assert [len(each) for each in found.parts["rows[*].a"]] == [6_000, 6_000]
    assert found.cut == ["rows[*].a has 5 in all, here are 2: go on with rows[2].a or a smaller page_size."]


async def test_a_header_in_a_part_is_hidden_and_a_count_of_tokens_is_not(app: App) -> None:
    tool: JSON = {
        "type": "webhook",
        "name": "look_up",
        "description": "Looks up.",
        "api_schema": {"url": "https://crm.example.com/x", "request_headers": {"X-Tenant": "sk-live-4711"}},
    }
    config = {"conversation_config": {"agent": {"prompt": {"tools": [tool], "max_tokens": 300}}}}
    async with reach(app, says="yes") as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", "config": config}))
        prompt = "conversation_config.agent.prompt"
        headers = [f"{prompt}.tools[{at}].api_schema.request_headers" for at in "0*"]
        each = f"{headers[1]}['X-Tenant']"
        paths = ["$", f"{prompt}.max_tokens", *headers, each]
        answer = await client.call_tool("get_agent", {"agent_id": made["agent_id"], "parts": paths})
    assert "sk-live-4711" not in str(answer)
    assert list(facts(answer)["parts"].values())[1:] == [
        300, {"X-Tenant": "(hidden)"}, [{"X-Tenant": "(hidden)"}], ["(hidden)"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["$", "rows[*].token", "rows[*]", "rows[0].token", "rows[0].token[0:2]", "password[1:]"]
)
def test_a_secret_is_hidden_however_it_is_reached(path: str) -> None:
    secret = {"rows": [{"token": "4711"}, {"token": "4712"}], "password": "4713"}
    assert "47" not in str(parts_of(secret, [path]))
