"""Every tool with arguments that fit its schema, and that do not: an answer in time, that fits, and never a crash.

Half of the arguments come from the published schema, half are the sample calls with something odd in them.
"""

import logging
import random
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError

from callwright.app import App
from callwright.surface import built
from tests.engine.test_fuzz import broken
from tests.samples import SAMPLES
from tests.tools.asking_calls import NEAR, calls, furnished
from tests.transports import MODERN, Clock, numbered, reach, text
from tests.transports import settings as settings_of

from .campaign import Finding, Json, Report
from .obedient.orders import about
from .schemas import hostile

SHORT, LONG = 800, 40_000
SECONDS = 60
"""Of one call at most, on a machine that does other things too."""
ERAS = (MODERN, "legacy")
LAST = ("read", "create", "update", "grant", "secret", "dial", "delete")
"""What destroys comes last: the calls before it need something to be about."""
CRASHED = "the server's log has the reason"
NO_WAITING = {"wait_seconds": 0}


class Failed(AssertionError):
    pass


@dataclass
class World:
    """A server whose person says yes, and what its log said of crashes."""

    client: Client
    crashes: "Crashes"
    era: str
    ids: dict[str, str]
    calls: int = 0

    async def call(self, tool: str, arguments: Json) -> None:
        """Raises Failed where the call is not answered as it must be."""
        self.calls += 1
        self.crashes.said.clear()
        try:
            with anyio.fail_after(SECONDS):
                answer = await self.client.call_tool(tool, arguments)
                said = text(answer)
        except MCPError as exc:
            said = "" if exc.code == -32602 else f"{CRASHED} (protocol error {exc.code}: {exc})"
        except TimeoutError:
            raise Failed(f"{tool} gave no answer within {SECONDS} s") from None
        except UnicodeEncodeError:
            return  # half of a surrogate pair: no client can send it
        except Exception as exc:  # the client checks each answer with the published schema
            raise Failed(f"{tool} answers what does not fit: {type(exc).__name__} {str(exc)[:200]}") from None
        if self.crashes.said or CRASHED in said or "Traceback" in said:
            raise Failed(f"{tool} crashed: {(self.crashes.said or [said])[0][:300]}")


class Crashes(logging.Handler):
    """What is logged as an error: the program's own mistakes are, and nothing that a client did."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record).replace("\n", " ")[-600:])


@asynccontextmanager
async def _world(era: str) -> AsyncGenerator[World]:
    crashes, ours, off = Crashes(), logging.getLogger("callwright"), logging.root.manager.disable
    logging.disable(logging.NOTSET)
    ours.propagate, level = False, ours.level
    ours.addHandler(crashes)
    ours.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="tools-") as folder:
            home = Path(folder) / "home"
            ids = await furnished(home, Clock())
            app = App(settings_of(home, approval="none", **NEAR), "embedded", clock=Clock(), ids=numbered(after=900))
            async with reach(app, era, "yes") as (client, _):
                yield World(client, crashes, era, ids)
            await app.close()
    finally:
        ours.removeHandler(crashes)
        ours.propagate = True
        ours.setLevel(level)
        logging.disable(off)


async def campaign(count: int, seed: int) -> Report:
    report = Report()
    entries = sorted(built(), key=lambda entry: LAST.index(entry["effect"]))
    each = max(1, count // (len(entries) * len(ERAS)))
    for era in ERAS:
        async with _world(era) as world:
            for place, entry in enumerate(entries):
                try_one = partial(_try_tool, world, entry["tool"], each, seed * 1000 + place)
                if found := await anyio.to_thread.run_sync(try_one):
                    report.findings.append(found)
            report.counts["calls"] += world.calls
    report.counts["tools"], report.counts["eras"] = len(entries), len(ERAS)
    return report


def _known(ids: dict[str, str]) -> dict[str, Any]:
    kinds = {
        "agent_id": "agent",
        "document_id": "document",
        "tool_id": "tool",
        "secret_id": "secret",
        "test_id": "test",
    }
    more = {"phone_number_id": "number", "mcp_server_id": "mcp", "conversation_id": "talk", "batch_id": "batch"}
    more |= {"invocation_id": "invocation", "auth_connection_id": "login", "index_id": "index"}
    lists = {"document_ids": ["document"], "tool_ids": ["tool"], "test_ids": ["test"], "run_ids": ["run"]}
    return {name: ids[kind] for name, kind in (kinds | more).items()} | {
        name: [ids[kind] for kind in found] for name, found in lists.items()
    }


def _samples(tool: str, ids: dict[str, str]) -> Iterator[Json]:
    rows = [row for row in SAMPLES if row.tool == tool]
    yield from (about(_named(ids), call) for row in rows for call in (*row.calls, *row.guarded.values()))
    if tool in (asking := calls(ids)):
        yield asking[tool]


def _named(ids: dict[str, str]) -> dict[str, str]:
    return ids | {"hook": ids["tool"], "calendar": ids["mcp"], "text": ids["document"], "named_secret": ids["secret"], "said": ids["talk"], "named_batch": ids["batch"]}  # fmt: skip


def _bent(sample: Json, number: int) -> Json:
    return broken(sample, random.Random(number))


def _try_tool(world: World, tool: Json, examples: int, start: int) -> Finding | None:
    """In a thread, because hypothesis does not wait; each call runs in the event loop."""
    name, samples = tool["name"], list(_samples(tool["name"], world.ids))
    last: list[Json] = []
    from_schema = hostile(tool["inputSchema"], _known(world.ids))
    bent = st.builds(_bent, st.sampled_from(samples or [{}]), st.integers(0, 2**32))

    @seed(start)
    @settings(
        max_examples=examples, database=None, deadline=None, derandomize=False, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large), report_multiple_bugs=False,
    )  # fmt: skip
    @given(st.one_of(from_schema, bent) if samples else from_schema)
    def calling(arguments: Json) -> None:
        arguments = arguments | (NO_WAITING if "wait_seconds" in arguments else {})
        last[:] = [arguments]
        anyio.from_thread.run(world.call, name, arguments)

    try:
        calling()
    except Failed as failed:
        return Finding(str(failed), {"tool": name, "era": world.era, "arguments": last[0]})
    return None


async def replay(case: Json) -> list[str]:
    async with _world(case["era"]) as world:
        try:
            await world.call(case["tool"], case["arguments"])
        except Failed as failed:
            return [str(failed)]
    return []
