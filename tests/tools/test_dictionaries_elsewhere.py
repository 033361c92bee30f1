"""Dictionaries of platforms that are older or newer than the embedded one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callwright.app import App
from tests.engine.helpers import JSON
from tests.peers import serving
from tests.transports import facts, reach, settings

pytestmark = pytest.mark.anyio

WHOLE: JSON = {
    "id": "d1",
    "name": "Names",
    "latest_version_id": "v1",
    "latest_version_rules_num": 2,
    "created_by": "u",
    "creation_time_unix": 1,
}
UN: JSON = {"type": "alias", "string_to_replace": "UN", "alias": "United Nations"}
FILE = "<lexicon><lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"
NEW = {"dictionary_id": "d1", "aliases": {"WHO": "Health"}}
ADDED: JSON = {"type": "alias", "string_to_replace": "WHO", "alias": "Health"}


@asynccontextmanager
async def platform(home: Path, **more: object) -> AsyncGenerator[tuple[Client, list[list[JSON]]]]:
    """A client of a server whose platform has one dictionary; and the rules that were set there."""
    written: list[list[JSON]] = []

    async def whole(_: Request) -> Response:
        return JSONResponse(WHOLE | more)

    async def file(_: Request) -> Response:
        return Response(FILE, media_type="text/xml")

    async def write(request: Request) -> Response:
        written.append((await request.json())["rules"])
        return JSONResponse({"id": "d1", "version_id": "v2", "version_rules_num": len(written[-1])})

    here = "/v1/pronunciation-dictionaries/d1"
    routes = [
        Route(here, whole),
        Route(f"{here}/v1/download", file),
        Route(f"{here}/set-rules", write, methods=["POST"]),
    ]
    async with serving(Starlette(routes=routes)) as url:
        app = App(settings(home, api_url=url, api_key="k" * 20, toolsets=("all",)), "hosted")
        async with reach(app) as (client, _):
            yield client, written
        await app.close()


async def test_where_a_platform_tells_no_rules_they_are_read_from_the_file(tmp_path: Path) -> None:
    async with platform(tmp_path) as (client, written):
        made = facts(await client.call_tool("add_pronunciation_dictionary", NEW))
        [change] = facts(await client.call_tool("list_changes", {}))["changes"]
    assert written == [[UN, ADDED]]
    assert (made["version_id"], made["words"], change["undoable"]) == ("v2", 2, False)


async def test_rules_that_only_a_newer_platform_knows_are_kept_as_they_are(tmp_path: Path) -> None:
    rules = [
        UN | {"case_sensitive": False, "word_boundaries": False, "newer": 1},
        *({"type": "song", "tune": t} for t in "ab"),
    ]
    async with platform(tmp_path, rules=rules) as (client, written):
        facts(await client.call_tool("add_pronunciation_dictionary", NEW))
        changes = facts(await client.call_tool("list_changes", {}))["changes"]
        facts(await client.call_tool("preview_pronunciation", {"text": "UN", "dictionary_id": "d1"}))
    assert written == [[*rules, ADDED]]
    assert [change["undoable"] for change in changes] == [True]
