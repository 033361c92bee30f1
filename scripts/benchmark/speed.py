"""What a host waits for: start, list, calls, memory; each beside a bare server, in turns."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from .client import WARM_UP, Load, StdioServer, clean_environment
from .reading import make_agents
from .rows import Row

HERE = Path(__file__).parent
OURS = (sys.executable, "-m", "callwright", "serve")
FLOOR = (sys.executable, str(HERE / "floor.py"))
MADE_UP_KEY = "made-up-key-of-the-benchmark"
IN_FLIGHT = 64


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    starts: int
    rounds: int
    calls: int
    slow_calls: int
    soak: int
    lone_turns: int
    live_turns: int


QUICK = Effort(starts=7, rounds=6, calls=150, slow_calls=256, soak=2_000, lone_turns=60, live_turns=2)
FULL = Effort(starts=15, rounds=15, calls=400, slow_calls=640, soak=10_000, lone_turns=200, live_turns=4)


@dataclass(frozen=True)
class Bench:
    """The servers under measurement. `home` holds the embedded platform's existing database."""

    home: Path
    effort: Effort

    def embedded(self) -> StdioServer:
        return StdioServer(OURS, clean_environment(CALLWRIGHT_HOME=str(self.home)))

    def hosted(self, stub: str) -> StdioServer:
        """Our server on the stub, with a key that is none."""
        env = {"CALLWRIGHT_HOME": str(self.home), "CALLWRIGHT_API_URL": stub, "ELEVENLABS_API_KEY": MADE_UP_KEY}
        return StdioServer(OURS, clean_environment(**env))

    def floor(self) -> StdioServer:
        return StdioServer(FLOOR, clean_environment())

    async def prepare(self) -> None:
        """An existing database with ten agents; and all bytecode written, so that no start pays for that."""
        async with self.embedded() as server:
            await make_agents(server.call)
        async with self.floor() as server:
            await server.list_tools()

    async def starts(self) -> list[Row]:
        """From before the process exists to the tool list, and on to the answer of a first call."""
        ours, first_call, floor = list[float](), list[float](), list[float]()
        for _ in range(self.effort.starts):
            async with self.embedded() as server:
                await server.list_tools()
                ours.append(_ms_since(server.born))
                await server.call("list_agents")
                first_call.append(_ms_since(server.born))
            async with self.floor() as server:
                await server.list_tools()
                floor.append(_ms_since(server.born))
        return [
            Row.of_pairs("cold start to tools/list", ours, floor, "ms", 1.25),
            Row.of_pairs("cold start to the first call's answer", first_call, floor, "ms", 1.8),
        ]

    async def warm_list(self) -> list[Row]:
        async with self.embedded() as ours, self.floor() as floor:
            times: dict[StdioServer, list[float]] = {ours: [], floor: []}
            for _ in range(50):
                for server, taken in times.items():
                    began = perf_counter()
                    await server.list_tools()
                    taken.append(_ms_since(began))
            return [Row.of_pairs("warm tools/list", times[ours], times[floor], "ms", 2.0)]

    async def reads(self) -> list[Row]:
        """list_agents with ten agents: hosted on the stub, embedded, and the bare tool, in turns."""
        async with AsyncExitStack() as stack:
            stub = await stack.enter_async_context(_stub(0))
            hosted = await stack.enter_async_context(self.hosted(stub))
            embedded = await stack.enter_async_context(self.embedded())
            sizes = [_size(await server.call("list_agents")) for server in (hosted, embedded)]
            bare = await stack.enter_async_context(_bare(stub, max(sizes)))
            servers = (hosted, embedded, bare)
            one = await self._in_turns(servers, self.effort.calls, 1)
            many = await self._in_turns(servers, self.effort.calls, IN_FLIGHT)
        note = f"replies: hosted {sizes[0]}, embedded {sizes[1]}, bare about {max(sizes)} bytes"
        p50 = {server: [load.p50_ms for load in loads] for server, loads in one.items()}
        rate = {server: [load.per_second for load in loads] for server, loads in many.items()}
        return [
            Row.of_pairs("one read, hosted (stub), p50", p50[hosted], p50[bare], "ms", 1.4, note=note),
            Row.of_pairs("64 in flight, hosted (stub)", rate[hosted], rate[bare], "/s", 0.75, "more"),
            Row.of_pairs("one read, embedded, p50", p50[embedded], p50[bare], "ms", 2.0),
            Row.of_pairs("64 in flight, embedded", rate[embedded], rate[bare], "/s", 0.6, "more"),
        ]

    async def slow_api(self) -> list[Row]:
        async with AsyncExitStack() as stack:
            stub = await stack.enter_async_context(_stub(100))
            hosted = await stack.enter_async_context(self.hosted(stub))
            size = _size(await hosted.call("list_agents"))
            bare = await stack.enter_async_context(_bare(stub, size))
            loads = await self._in_turns((hosted, bare), self.effort.slow_calls, IN_FLIGHT)
        rate = {server: [load.per_second for load in found] for server, found in loads.items()}
        return [Row.of_pairs("slow API (100 ms), 64 in flight", rate[hosted], rate[bare], "/s", 0.8, "more")]

    async def memory(self) -> list[Row]:
        """Growth counts from call 100, when everything that is imported late has been."""
        async with self.floor() as floor:
            await floor.list_tools()
            base = floor.rss_mb()
        async with self.embedded() as server:
            await server.list_tools()
            at_start = server.rss_mb()
            await server.call("list_agents")
            after_one = server.rss_mb()
            await server.load("list_agents", 99, 8)
            early = server.rss_mb()
            await server.load("list_agents", self.effort.soak - 100, 8)
            late = server.rss_mb()
        return [
            Row("memory before the first call", at_start, "MB", base, 1.4),
            Row("memory after the first call", after_one, "MB", base, 2.0),
            Row(f"memory at call {self.effort.soak:,} against call 100", late, "MB", early, 1.05),
        ]

    async def _in_turns(
        self, servers: Sequence[StdioServer], calls: int, in_flight: int
    ) -> dict[StdioServer, list[Load]]:
        for server in servers:
            await server.load("list_agents", max(WARM_UP, 2 * in_flight), in_flight)
        found: dict[StdioServer, list[Load]] = {server: [] for server in servers}
        for _ in range(self.effort.rounds):
            for server in servers:
                found[server].append(await server.load("list_agents", calls, in_flight))
        return found


def _bare(stub: str, reply_bytes: int) -> StdioServer:
    frame = len('{"content":[{"type":"text","text":""}],"isError":false}')
    command = (sys.executable, str(HERE / "bare.py"), stub, str(max(1, reply_bytes - frame)))
    return StdioServer(command, clean_environment())


@asynccontextmanager
async def _stub(delay_ms: int) -> AsyncGenerator[str]:
    """The REST stub in a process of its own; gives its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "stub.py"), str(delay_ms), stdout=asyncio.subprocess.PIPE, env=clean_environment()
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _size(result: object) -> int:
    return len(json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode())


def _ms_since(began: float) -> float:
    return 1000 * (perf_counter() - began)
