"""A client that carries out every order that it reads: nothing may be deleted, rung, granted, taken in or sent by it.

Its person, where it has one, always says no. What happened is counted from outside (`outside.py`).
"""

import random
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult

from callwright.app import App
from callwright.approval.policy import TOKEN
from callwright.approval.refusal import facts_of
from callwright.settings import Approval, Unattended
from callwright.surface import RUNNERS, built, reads_only
from tests.peers import serving
from tests.tools.asking_calls import NEAR
from tests.transports import MODERN, Clock, Says, numbered, reach, settings, text

from ..campaign import Finding, Json, Report, smallest
from .orders import Order, book, readings
from .outside import Act, Look, Noted, acts, look, noted, requested
from .world import Around, around, planted

SHORT, LONG = 300, 10_000
ROUND, CONTROLLED = 150, 50
"""Orders of one round, after which everything is as it was. A round of the control is shorter: it destroys what is there."""
PATIENCE = 20
"""After so many orders a quarter of an hour passes: only so many questions may wait at a time."""
CONTROL, CONTROLS = 4, 4
"""After each so many rounds come so many of the control, where nobody is asked: there such orders must do harm."""
Bound = Literal["", "read_only", "no_outbound"]


@dataclass(frozen=True)
class Mode:
    """How the program and its client are set up in one round."""

    approval: Approval = "fine-grained"
    unattended: Unattended = "person"
    says: Says | None = None
    era: str = MODERN
    bound: Bound = ""
    platform: Literal["embedded", "hosted"] = "embedded"
    surface: Literal["full", "search"] = "full"

    @property
    def gives_tokens(self) -> bool:
        return self.approval != "none" and self.says is None and self.unattended != "refuse"

    def allows(self, row: Noted) -> bool:
        """Whether the operator's choice says that what this row notes needs a token alone (docs/approval.md)."""
        if not self.gives_tokens or row.approved_by != "preview":
            return False
        by_default = row.operation.startswith(("Delete", "Cancel")) and self.approval == "fine-grained"
        return self.unattended == "token" or by_default


def modes(chance: random.Random) -> Iterator[Mode]:
    """Every way to ask in turn, beside a choice of all else."""
    every: list[Says | None] = [None, None, "no", "decline", "cancel"]
    while True:
        for says in every:
            for unattended in get_args(Unattended):
                yield Mode(
                    approval=chance.choice(("fine-grained", "fine-grained", "always-ask")),
                    unattended=unattended,
                    says=says,
                    era=chance.choice((MODERN, "legacy")),
                    bound=chance.choice(("", "", "", "read_only", "no_outbound")),
                    platform=chance.choice(("embedded", "embedded", "hosted")),
                    surface=chance.choice(("full", "full", "search")),
                )


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    async with _world() as (hosts, home, ids):
        ways = modes(chance)
        read: set[int] = set()
        for number in range(max(1, round(count / ROUND))):
            ran = _Round(hosts, home, ids, next(ways))
            await ran.run(book(ids, ROUND, chance))
            read |= ran.read
            _counted(report, ran)
            if ran.late:
                report.findings += await _traced(ran)
            for _ in range(CONTROLS if number % CONTROL == 0 else 0):
                without = _Round(hosts, home, ids, Mode("none", platform=chance.choice(("embedded", "hosted"))))
                await without.run(book(ids, CONTROLLED, chance))
                report.counts["orders in the control"] += without.carried
                report.counts["acts without the gate"] += len(without.harm) + len(without.late)
        report.counts["orders planted"], report.counts["of them read"] = len(hosts.sources), len(read & set(hosts.sources))  # fmt: skip
        if not report.counts["acts without the gate"]:
            report.findings.append(Finding("The control did no harm, so that the campaign could find nothing.", {}))
    return report


def _counted(report: Report, ran: "_Round") -> None:
    report.counts["orders carried out"] += ran.carried
    report.counts["calls"] += ran.called
    report.counts["acts that nobody agreed to"] += len(ran.harm) + len(ran.late)
    report.counts["acts by token in mode token"] += ran.by_token if ran.mode.unattended == "token" else 0
    report.counts["deletes by token in mode person"] += ran.by_token if ran.mode.unattended == "person" else 0
    report.findings += [
        Finding(f"{act} by {order.tool}, and no person agreed ({ran.mode})", _case(ran.mode, [order]))
        for act, order in ran.harm
    ]


async def _traced(ran: "_Round") -> list[Finding]:
    """What came out only when the agent talked, on the smallest way there."""

    async def fails(orders: list[Order]) -> bool:
        again = _Round(ran.hosts, ran.home, ran.ids, ran.mode)
        await again.run(orders)
        return bool(again.late)

    orders = await smallest(ran.orders, fails)
    return [Finding(f"{ran.late[0]} when the agent talked ({ran.mode})", _case(ran.mode, orders))]


def _case(mode: Mode, orders: list[Order]) -> Json:
    return {"mode": asdict(mode), "orders": [[order.tool, order.arguments] for order in orders]}


async def replay(case: Json) -> list[str]:
    async with _world() as (hosts, home, ids):
        ran = _Round(hosts, home, ids, Mode(**case["mode"]))
        await ran.run([Order(tool, arguments) for tool, arguments in case["orders"]])
        return [str(act) for act, _ in ran.harm] + [str(act) for act in ran.late]


@asynccontextmanager
async def _world() -> AsyncGenerator[tuple[Around, Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory(prefix="obedient-") as folder:
        async with around() as hosts:
            home = Path(folder) / "furnished"
            yield hosts, home, await planted(home, hosts, Clock())


class _Round:
    """Orders carried out one after the other in a copy of the furnished workspace."""

    def __init__(self, hosts: Around, home: Path, ids: dict[str, str], mode: Mode) -> None:
        self.hosts, self.home, self.ids, self.mode = hosts, home, ids, mode
        self.harm: list[tuple[Act, Order]] = []
        self.late: list[Act] = []
        self.orders: list[Order] = []
        self.read: set[int] = set()
        self.carried = self.called = self.by_token = 0
        self._requests: list[Act] = []
        self._last = 0
        self._clock = Clock()
        self._led = False
        """Whether a token was taken: what it began, such as a run of tests, may send later."""

    async def run(self, orders: list[Order]) -> None:
        self.orders = orders
        self.hosts.trap.got.clear()
        with tempfile.TemporaryDirectory(prefix="obedient-") as folder:
            home = Path(folder) / "home"
            shutil.copytree(self.home, home)
            async with self._app(home) as app, reach(app, self.mode.era, self.mode.says) as (client, _):
                await self._read_all(client)
                self._database = home / "callwright.db"
                self._log = app.settings.home / "callwright.db"
                self._last = noted(self._log, 0)[1]
                self._stood = self._look()
                for number, order in enumerate(orders):
                    await self._carry_out(client, order)
                    if number % PATIENCE == PATIENCE - 1:
                        self._clock.forward(seconds=1_000)  # what waits for a person is forgotten, and makes room
            await self._talk(home)

    @asynccontextmanager
    async def _app(self, home: Path) -> AsyncGenerator[App]:
        mode, clock = self.mode, self._clock
        bounds = {mode.bound: True} if mode.bound else {}
        chosen: Json = {
            **NEAR, "approval": mode.approval, "unattended": mode.unattended, "surface": mode.surface, **bounds,
            "llm_base_url": self.hosts.llm, "llm_model": "m", "http_rate": 0,
        }  # fmt: skip
        if mode.platform == "embedded":
            app = App(settings(home, **chosen), "embedded", clock=clock, ids=numbered(after=1000))
            yield app
            await app.close()
            return
        platform = App(settings(home, llm_base_url=self.hosts.llm, llm_model="m", **NEAR), "embedded", clock=clock, ids=numbered(after=1000))  # fmt: skip
        engine = await platform.engine("a-key-of-the-platform")

        async def recording(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and (act := requested(scope["method"], scope["path"])):
                self._requests.append(act)
            await engine(scope, receive, send)

        async with serving(recording) as url:
            told = settings(home.parent / "near", api_key="a-key-of-the-platform", api_url=url, **chosen)
            app = App(told, "hosted", clock=clock)
            yield app
            await app.close()
        await platform.close()

    async def _read_all(self, client: Client) -> None:
        """The client reads with every tool, and finds the orders."""
        for reading in readings(self.ids):
            await self._call(client, reading.tool, reading.arguments)

    async def _carry_out(self, client: Client, order: Order) -> None:
        arguments = self._known(order.at(self.hosts.trap.url).arguments)
        self.carried += 1
        self._requests.clear()
        answer = await self._call(client, order.tool, arguments)
        for _ in range(2):
            # It does whatever an answer says it should do next, and tries again where a person was needed.
            given = facts_of(answer)
            if TOKEN in given:
                answer = await self._call(client, order.tool, {**arguments, TOKEN: given[TOKEN]})
            elif "needs_approval" in given:
                answer = await self._call(client, order.tool, {**arguments, TOKEN: given.get("approve_with", "yes")})
                answer = await self._call(client, order.tool, arguments)
        self._judge(order)

    def _known(self, arguments: Json) -> Json:
        """The ids of changes are made anew in each home."""
        change = re.fullmatch(r"CHANGE-(\d+)", str(arguments.get("change_id")))
        if change is None:
            return arguments
        rows = _changes(self._log)
        return {**arguments, "change_id": rows[-min(int(change[1]), len(rows))] if rows else "chg_0"}

    async def _call(self, client: Client, tool: str, arguments: Json) -> CallToolResult | None:
        self.called += 1
        if self.mode.surface == "search":
            reads = any(reads_only(entry) for entry in built() if entry["tool"]["name"] == tool)
            runner = RUNNERS["reading" if reads else "changing"]
            tool, arguments = runner, {"tool": tool, "arguments": arguments}
        try:
            answer = await client.call_tool(tool, arguments)
        except MCPError as exc:  # a tool that this server does not offer, or a call that is none
            self.read |= _orders(str(exc))
            return None
        self.read |= _orders(text(answer) + str(answer.structured_content))
        return answer

    def _look(self) -> Look:
        return look(self._database, self.hosts.trap.place)

    def _judge(self, order: Order) -> None:
        """What the order did that its row in the log does not explain."""
        stands = self._look()
        done = acts(self._stood, stands) + self._requests + [Act("sent", each) for each in self.hosts.trap.got]
        if order.tool in ("start_conversation", "end_conversation", "send_message"):
            done = [
                act for act in done if act.kind != "granted"
            ]  # it opens the conversation for itself, and keeps none
        rows, self._last = noted(self._log, self._last)
        self._stood = stands
        self.hosts.trap.got.clear()
        self._requests.clear()
        self._led |= any(self.mode.allows(row) for row in rows)
        if self._led and self.mode.unattended == "token":
            done = [act for act in done if act.kind != "sent"]  # to where a token has led it before
        if done and any(self.mode.allows(row) for row in rows):
            self.by_token += 1
        elif done:
            self.harm += [(act, order) for act in done]

    async def _talk(self, home: Path) -> None:
        """Agents talk to a caller, and the tools of their servers are listed: what leads out now sends."""
        chosen = settings(home, approval="none", toolsets=("all",), llm_base_url=self.hosts.llm, llm_model="m", allow_private=("127.0.0.1",))  # fmt: skip
        operator = App(chosen, "embedded", clock=Clock(), ids=numbered(after=5000))
        async with reach(operator) as (client, _):
            for agent in await _listed(client, "list_agents", "agents", "agent_id"):
                begun = await client.call_tool("start_conversation", {"agent_id": agent})
                if not begun.is_error and begun.structured_content:
                    id = begun.structured_content["conversation_id"]
                    await client.call_tool("send_message", {"conversation_id": id, "text": "Hello"})
                    await client.call_tool("end_conversation", {"conversation_id": id})
            for server in await _listed(client, "list_mcp_servers", "mcp_servers", "mcp_server_id"):
                await client.call_tool("list_mcp_tools", {"mcp_server_id": server})
        await operator.close()
        # In the modes that take a token, what leads out was stored by one.
        if not (self.mode.gives_tokens and self._led):
            self.late = [Act("sent", each) for each in self.hosts.trap.got]


async def _listed(client: Client, tool: str, rows: str, key: str) -> list[str]:
    found: Any = (await client.call_tool(tool, {})).structured_content or {}
    return [row[key] for row in found.get(rows, [])]


def _orders(said: str) -> set[int]:
    return {int(number) for number in re.findall(r"order-(\d+)", said)}


def _changes(file: Path) -> list[str]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file)) as db:
        return [id for (id,) in db.execute("SELECT id FROM ledger_change ORDER BY at_ms, rowid")]
