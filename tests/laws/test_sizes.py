"""Whatever a platform answers, a reading tool says at most what hosts take, and the same each time it is asked."""

import json
from collections.abc import AsyncGenerator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callwright.app import App
from callwright.approval.policy import OWN_NOTES
from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.replies.text import LIMIT
from tests.peers import serving
from tests.samples import SAMPLES
from tests.transports import reach, settings, text

from .largest_answers import ROWS, TEXT, largest_answer
from .test_surface import SPECS, TOOLS

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
READING = [
    name for name, entry in TOOLS.items() if entry["tool"]["annotations"]["readOnlyHint"] and name not in OWN_NOTES
]
GIVEN = {row.tool: row.largest for row in SAMPLES if row.largest}
"""Beside ids and the largest page."""
OWN: list[tuple[str, Json]] = [
    ("validate_workflow", {"workflow": {"nodes": {f"node_{n}": {"type": "end"} for n in range(ROWS)}}}),
    ("get_status", {}),
    ("list_changes", {}),
    ("show_approval_policy", {}),
    *(("describe_config", {"kind": kind}) for kind in ("agent", "tool", "test", "simulation", "workspace")),
    ("describe_config", {"kind": "agent", "path": "conversation_config.agent.prompt"}),
]  # fmt: skip


@cache
def answer(op: type[Operation[Any]], rows: int) -> bytes:
    return json.dumps(largest_answer(op, rows)).encode()


def route(op: type[Operation[Any]]) -> Route:
    async def answering(request: Request) -> Response:
        if op.__name__ == "GetDocumentContent":
            return Response(TEXT * 50, media_type="text/html")
        return Response(answer(op, int(request.query_params.get("page_size", ROWS))), media_type="application/json")

    return Route(op.path, answering, methods=[op.method])


PLATFORM = Starlette(routes=[route(op) for op in sorted(all_operations(), key=lambda op: op.path.replace("{", "~"))])


@pytest.fixture
async def fed(tmp_path: Path) -> AsyncGenerator[Client]:
    """A client of a server whose platform holds the largest of everything."""
    async with serving(PLATFORM) as url:
        app = App(settings(tmp_path / "home", api_url=url, api_key="k" * 20, toolsets=("all",)), "hosted")
        async with reach(app) as (client, _):
            yield client
        await app.close()


def arguments(name: str) -> Json:
    """What it must have, and the largest page that it gives."""
    schema = TOOLS[name]["tool"]["inputSchema"]
    ids = {needed: f"{needed}_1" for needed in schema.get("required", []) if needed not in GIVEN.get(name, {})}
    page = schema["properties"].get("page_size", {}).get("description", "").removesuffix(".")
    return ids | GIVEN.get(name, {}) | ({"page_size": int(page.rpartition(" ")[2])} if page else {})


def assert_fits(name: str, said: CallToolResult) -> None:
    smaller = (
        "Ask for a smaller page_size" in text(said) and "page_size" in TOOLS[name]["tool"]["inputSchema"]["properties"]
    )
    assert not said.is_error or smaller, f"{name}: {text(said)[:500]}"
    assert 0 < len(text(said)) <= LIMIT
    if not said.is_error:
        assert len(json.dumps(said.structured_content, ensure_ascii=False, separators=(",", ":"))) <= LIMIT


@pytest.mark.parametrize("name", READING)
async def test_the_fattest_answer_fits_and_is_the_same_twice(fed: Client, name: str) -> None:
    first, second = [await fed.call_tool(name, arguments(name)) for _ in range(2)]
    assert_fits(name, first)
    assert (text(first), first.structured_content) == (text(second), second.structured_content)


@pytest.mark.parametrize("name", [name for name in READING if SPECS[name][1].parts])
async def test_all_of_the_fattest_answer_fits_too(fed: Client, name: str) -> None:
    assert_fits(name, await fed.call_tool(name, {**arguments(name), "parts": ["$"]}))


@pytest.mark.parametrize(("name", "given"), OWN)
async def test_the_servers_own_notes_fit(fed: Client, name: str, given: Json) -> None:
    assert_fits(name, await fed.call_tool(name, given))
    # What a task answers was fitted when its tool answered.
    assert {own for own, _ in OWN} == set(OWN_NOTES) - {"get_task", "cancel_task"}
