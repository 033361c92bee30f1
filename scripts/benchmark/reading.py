"""What a model has to read: the tool list, the instructions, a reply, an error."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

from mcp import Client

from callwright.app import App
from callwright.mcp_server.server import build_server
from callwright.settings import Settings

from .rows import Row
from .tokens import Counter

UNIONS = ("anyOf", "oneOf", "allOf", "not")
LISTS: Sequence[tuple[str, str, str, int | None, int | None]] = (
    ("whole surface", "CALLWRIGHT_TOOLSETS", "all", None, None),
    ("default toolsets", "CALLWRIGHT_TOOLSETS", "default", 3_500, 4_500),
    ("read-only", "CALLWRIGHT_READ_ONLY", "true", 2_500, 3_500),
    ("search surface", "CALLWRIGHT_SURFACE", "search", 600, 900),
)
"""What is listed, under which setting, the aim in tokens, and the ceiling."""
WRONG_CALLS: Sequence[tuple[str, dict[str, Any]]] = (
    ("get_agent", {"agent_id": "agent_that_nobody_made"}),
    ("get_agent", {"agent_id": "no/such id"}),
    ("get_agent", {"agentid": "agent_that_nobody_made"}),
    ("create_agent", {"prompt": "Be kind."}),
    ("list_agents", {"page_size": 1_000_000}),
)


async def reading_rows(home: Path, counter: Counter) -> list[Row]:
    """Counts of the embedded platform's server, with data in `home`."""
    rows: list[Row] = []
    for name, setting, value, goal, ceiling in LISTS:
        async with _client(home, {setting: value}) as client:
            tools = _before_the_model(await client.list_tools())
            if name == "whole surface":
                rows += _of_each_tool(tools, counter)
            note = f"{len(tools)} tools"
            count = counter.count(_compact(tools))
            rows.append(Row(f"tokens before the model, {name}", count, goal=goal, ceiling=ceiling, note=note))
    async with _client(home, {}) as client:
        rows.append(Row("tokens of the instructions", counter.count(client.instructions or ""), goal=300))
        rows += await _of_replies(client, counter)
    return rows


async def make_agents(call: Callable[[str, dict[str, Any]], Any], how_many: int = 10) -> None:
    """Agents with names and tags as people give them."""
    for number in range(1, how_many + 1):
        arguments = {"name": f"Support agent {number}", "prompt": "Help the caller.", "tags": ["prod", "en"]}
        result = await call("create_agent", arguments)
        if getattr(result, "is_error", False):
            raise RuntimeError(f"create_agent failed: {result.content}")


def _client(home: Path, env: dict[str, str]) -> Client:
    settings = Settings.from_env({"CALLWRIGHT_HOME": str(home), **env})
    return Client(build_server(App(settings, "embedded", ids=_same_ids())))


def _same_ids() -> Callable[[str], str]:
    """Ids of the usual form that are the same in every run: how many tokens an id costs depends on its digits."""
    numbers = Random(1)
    return lambda prefix: f"{prefix}_{numbers.randbytes(14).hex()}"


def _before_the_model(listed: Any) -> list[dict[str, Any]]:
    """What hosts hand to the model of each tool."""
    return [
        {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema} for tool in listed.tools
    ]


def _of_each_tool(tools: list[dict[str, Any]], counter: Counter) -> list[Row]:
    sizes = {tool["name"]: counter.count(_compact(tool)) for tool in tools}
    biggest = max(sizes, key=lambda name: sizes[name])
    longest = max(sizes, key=len)
    average = counter.count(_compact(tools)) / len(tools)
    flaws = [flaw for tool in tools for flaw in flaws_of(tool["name"], tool["inputSchema"])]
    return [
        Row("tokens before the model, average a tool", average, goal=85, ceiling=105),
        Row("tokens of the biggest tool", sizes[biggest], goal=350, ceiling=600, note=biggest),
        Row("characters of the longest name", len(longest), goal=40, note=longest),
        Row("input schemas: $ref, unions, undescribed", len(flaws), goal=0, note=", ".join(flaws[:3])),
    ]


async def _of_replies(client: Client, counter: Counter) -> list[Row]:
    await make_agents(client.call_tool)
    listed = await client.call_tool("list_agents", {})
    texts = ["\n".join(block.text for block in listed.content if block.type == "text")]
    texts.append(_compact(listed.structured_content))
    as_text, as_json = map(counter.count, texts)
    errors: list[tuple[int, str]] = []
    for tool, arguments in WRONG_CALLS:
        result = await client.call_tool(tool, arguments)
        said = "".join(block.text for block in result.content if block.type == "text")
        if not result.is_error:
            raise RuntimeError(f"{tool} accepted {arguments}")
        errors.append((counter.count(said), said))
    dearest = max(errors)
    return [
        # A host hands over one of the two forms; the budget holds for either.
        Row("tokens of ten agents listed", max(as_text, as_json), goal=450, note=f"text {as_text}, JSON {as_json}"),
        Row("tokens of an error, the longest of five", dearest[0], goal=60, note=f"{dearest[1][:50]}..."),
    ]


def flaws_of(at: str, schema: Any) -> Iterator[str]:
    """Where a schema holds what some hosts refuse: references, unions, several types, undescribed arguments."""
    if not isinstance(schema, dict):
        return
    schema = cast(dict[str, Any], schema)
    if "$ref" in schema or any(word in schema for word in UNIONS) or isinstance(schema.get("type"), list):
        yield at
    for name, child in schema.get("properties", {}).items():
        if not child.get("description"):
            yield f"{at}.{name} (undescribed)"
        yield from flaws_of(f"{at}.{name}", child)
    for inner in ("items", "additionalProperties"):
        yield from flaws_of(f"{at}[]", schema.get(inner))


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
