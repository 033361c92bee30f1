"""Two tenants at one server: neither sees, changes or hears of anything of the other, with any tool and any id.

One has secrets of its own in every field; the other calls every tool with its ids, and with odd mixtures of both.
"""

import json
import random
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.shared.exceptions import MCPError

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.surface import built
from tests.engine.test_fuzz import ODD
from tests.engine.test_workspaces import everything
from tests.http_server.test_tenants import ALIASES, MORE, inside
from tests.http_server.tokens_fixture import entering, served, token
from tests.laws.test_answers import furnished
from tests.transports import MODERN, Clock, numbered, settings, text

from .campaign import Finding, Json, Report

SHORT, LONG = 300, 10_000
MARK = "kanarie-of-theirs"
"""Stands in every name of what the other tenant has."""
SCHEMAS = {entry["tool"]["name"]: entry["tool"]["inputSchema"] for entry in built()}
NOT_HERE = ("undo_change", "get_task", "cancel_task")
"""Their ids are told in a step of its own."""


@dataclass
class Two:
    mine: Client
    wire: httpx2.AsyncClient
    ids: dict[str, str]
    own: dict[str, str]
    before: str
    given: set[str] = field(default_factory=set[str])
    """Ids that this tenant has given itself: its own log tells what it tried with them."""

    async def stands(self) -> str:
        """What the other tenant has, as it sees it."""
        return json.dumps(await everything(self.wire), sort_keys=True)


@asynccontextmanager
async def _two(era: str, who: str = "mine") -> AsyncGenerator[Two]:
    with tempfile.TemporaryDirectory(prefix="tenants-") as folder:
        home = Path(folder) / "home"
        app = App(
            settings(home, toolsets=("all",), approval="none", http_rate=0), "embedded", clock=Clock(), ids=numbered()
        )
        mine, theirs = Principal("mine", workspace="mine"), Principal("theirs", workspace="theirs")
        async with served(app, mine, theirs) as url, entering(url, token(who), era) as client:
            await client.call_tool("list_agents", {})
            async with entering(url, token("theirs"), era) as other:
                ids = await _marked(other)
                async with inside(app, "theirs") as wire, inside(app, "mine") as own_wire:
                    ids |= await furnished(wire)
                    own = await furnished(own_wire)
                    yield Two(client, wire, ids, own, json.dumps(await everything(wire), sort_keys=True))
        await app.close()


async def _marked(other: Client) -> dict[str, str]:
    """Changes of the other tenant, whose ids only it should know."""
    made: Any = (await other.call_tool("create_agent", {"name": MARK, "prompt": MARK})).structured_content
    await other.call_tool("update_agent", {"agent_id": made["agent_id"], "first_message": MARK})
    await other.call_tool("create_text_document", {"name": MARK, "text": MARK})
    await other.call_tool("create_secret", {"name": MARK, "value": MARK})
    changes: Any = (await other.call_tool("list_changes", {})).structured_content
    return {"change_id": changes["changes"][0]["change_id"], "marked_agent": made["agent_id"]}


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    for era in (MODERN, "legacy"):
        async with _two(era) as two:
            for _ in range(count // 2):
                tool = chance.choice(list(SCHEMAS))
                case: Json = {"era": era, "tool": tool, "arguments": _arguments(tool, two, chance)}
                report.counts["calls"] += 1
                report.findings += [Finding(f"{tool}: {said}", case) for said in await _tried(two, case)]
            if await two.stands() != two.before:
                report.findings.append(
                    Finding("Something of the other tenant has changed, by a call before.", {"era": era})
                )
    async with _two(MODERN, "theirs") as two:  # who may read it must be seen to, or the campaign could find nothing
        case = {"tool": "get_agent", "arguments": {"agent_id": two.ids["marked_agent"]}}
        report.counts["calls of the owner that tell"] += bool(await _tried(two, case))
    if not report.counts["calls of the owner that tell"]:
        report.findings.append(Finding("The owner is told nothing either.", {"era": MODERN}))
    report.counts["tools"], report.counts["eras"] = len(SCHEMAS), 2
    return report


async def replay(case: Json) -> list[str]:
    async with _two(case["era"]) as two:
        said = await _tried(two, case) if "tool" in case else []
        return said + ([] if await two.stands() == two.before else ["something of the other tenant has changed"])


def _arguments(tool: str, two: Two, chance: random.Random) -> Json:
    schema = SCHEMAS[tool]
    needed: list[str] = schema.get("required", [])
    properties: list[str] = list(schema["properties"])
    arguments: Json = dict(MORE.get(tool, {})) | ({"wait_seconds": 0} if "wait_seconds" in schema["properties"] else {})
    for name in properties:
        theirs = two.ids.get(ALIASES.get(name, name))
        own = two.own.get(ALIASES.get(name, name))
        if name.endswith("_id") and theirs and (name in needed or chance.random() < 0.4):
            arguments[name] = (
                own if own and chance.random() < 0.3 else chance.choice((theirs, theirs, _bent(theirs, chance)))
            )
        elif name.endswith("_ids") and chance.random() < 0.7:
            found = two.ids.get(ALIASES.get(f"{name[:-4]}_id", name[:-1]))
            arguments[name] = [found] if found else []
        elif name == "config" and chance.random() < 0.5:
            arguments[name] = _config(two.ids, chance)
        elif name in ("search", "cursor", "name", "text", "target") and chance.random() < 0.4:
            arguments[name] = chance.choice((MARK, two.ids["marked_agent"], "%", "' OR 1=1 --", *map(str, ODD[14:22])))
        elif name == "include_simulated":
            arguments[name] = True
    return arguments


def _bent(id: str, chance: random.Random) -> str:
    return chance.choice(
        (f"{id} ", id.upper(), f"../theirs/{id}", f"{id}%00", f"theirs/{id}", f"{id}\u200b", f"{id}?workspace=theirs")
    )


def _config(ids: dict[str, str], chance: random.Random) -> Json:
    """A configuration that names something of the other tenant."""
    secret = {"secret_id": ids["secret_id"]}
    prompts: list[Json] = [
        {"tool_ids": [ids["tool_id"]]}, {"mcp_server_ids": [ids["mcp_server_id"]]},
        {"knowledge_base": [{"type": "text", "name": "x", "id": ids["documentation_id"]}]},
        {"llm": "custom-llm", "custom_llm": {"url": "https://a.example/v1", "api_key": secret}},
    ]  # fmt: skip
    nodes: Json = {"s": {"type": "start"}, "n": {"type": "standalone_agent", "agent_id": ids["agent_id"]}}
    edges = {"e": {"source": "s", "target": "n", "forward_condition": {"type": "unconditional"}}}
    bodies: list[Json] = [
        {"conversation_config": {"agent": {"prompt": chance.choice(prompts)}}}, {"workflow": {"nodes": nodes, "edges": edges}},
        {"type": "webhook", "name": "x", "description": "x", "api_schema": {"url": "https://a.example", "request_headers": {"K": secret}}},
        {"workspace": "theirs"}, {"secret_token": secret},
    ]  # fmt: skip
    return chance.choice(bodies)


async def _tried(two: Two, case: Json) -> list[str]:
    """What of the other tenant came out, or was referred to."""
    arguments: Json = case["arguments"]
    try:
        answer = await two.mine.call_tool(case["tool"], arguments)
        said = text(answer) + json.dumps(answer.structured_content)
    except MCPError as exc:
        said = str(exc)
    except UnicodeEncodeError:
        return []
    given = json.dumps(arguments)
    two.given |= {id for id in _theirs(two) if id in given}
    found = ["it tells what the other tenant has"] if MARK in said and MARK not in given else []
    return found + [
        f"it names {id} of the other tenant" for id in _theirs(two) if f'"{id}"' in said and id not in two.given
    ]


def _theirs(two: Two) -> set[str]:
    """Ids of the other tenant that are long enough to be no accident, and that this one has not given itself."""
    return {id for name, id in two.ids.items() if name != "tool_name" and id not in two.own.values()}
