"""What one turn of a conversation takes: of a lone one, and of each while 500 are live.

The time of the model itself is taken off. Beside the engine stands a bare handler, which asks the same model, carries
its words, and does nothing else. The two are asked in turn: turn by turn where one conversation is alone, round by
round where many are live. The ratio is judged.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from urllib.request import Request, urlopen

from .caller import Caller
from .client import Failed, clean_environment
from .rows import Row

HERE = Path(__file__).parent
KEY = "made-up-engine-key-of-the-benchmark"
THINK_MS = 100
CONVERSATIONS, PACE_SECONDS = 500, 10.0
"""Live people read, think and type: each of them says something every ten seconds, which makes 50 turns a second."""
BEGINNING_AT_ONCE = 8
WARM_TURNS = 5
"""The first turns of a process import and connect; no later one does."""
AGENT = {
    "name": "Order desk",
    "conversation_config": {
        "conversation": {"text_only": True, "client_events": ["agent_response"]},
        "agent": {"first_message": "", "prompt": {"prompt": "Help the caller with an order."}},
        "turn": {"turn_timeout": 30},
    },
}
"""It waits for the next message as long as agents can: nobody here is silent for much more than two rounds."""


@dataclass(frozen=True)
class Turns:
    """How long to measure. `lone`: turns of a conversation that has the engine to itself; `turns`: of each of many."""

    home: Path
    lone: int
    turns: int
    conversations: int = CONVERSATIONS
    pace_seconds: float = PACE_SECONDS

    async def rows(self) -> list[Row]:
        async with AsyncExitStack() as stack:
            model = await stack.enter_async_context(_printing("model.py", str(THINK_MS)))
            bare = await stack.enter_async_context(_printing("bare_talk.py", model))
            engine = await stack.enter_async_context(_engine(self.home, model))
            lone, lone_base = await self._lone(await _conversation(engine), _where(bare))
            many, many_base = await self._many(await _conversation(engine), _where(bare))
        live = f"{self.conversations} live, each a turn every {self.pace_seconds:g} s"
        tails, tails_base = [_p99(times) for times in many], [_p99(times) for times in many_base]
        note = f"p50 {_p50(many):.2f} ms, bare {_p50(many_base):.2f} ms"
        own = f"{median(lone) - median(lone_base):.2f} ms more"
        return [
            Row.of_pairs("a turn, one conversation", lone, lone_base, "ms", 1.6, note=own),
            Row.of_pairs(f"a turn, {live}, p99", tails, tails_base, "ms", 4, note=note),
        ]

    async def _lone(self, ours: str, bare: str) -> tuple[list[float], list[float]]:
        """Milliseconds of each turn, those of the engine and those of the bare handler."""
        times: tuple[list[float], list[float]] = [], []
        callers = await Caller.begun(ours, KEY), await Caller.begun(bare, KEY)
        for number in range(WARM_TURNS + self.lone):
            for caller, taken in zip(callers, times, strict=True):
                taken.append(await caller.turn(f"Where is my order {number}?"))
        for caller in callers:
            caller.leave()
        return times[0][WARM_TURNS:], times[1][WARM_TURNS:]

    async def _many(self, ours: str, bare: str) -> tuple[list[list[float]], list[list[float]]]:
        """The same of many, by round. All are live first; in a round each speaks once, at a moment of its own."""
        at_bare = await self._begun(bare)
        sides = [await self._begun(ours), at_bare]
        rounds: tuple[list[list[float]], list[list[float]]] = [], []
        for number in range(self.turns):
            for callers, found in zip(sides, rounds, strict=True):
                found.append(await self._round(callers, f"Where is my order {number}?"))
        for caller in (caller for callers in sides for caller in callers):
            caller.leave()
        return rounds

    async def _begun(self, url: str) -> list[Caller]:
        few = asyncio.Semaphore(BEGINNING_AT_ONCE)

        async def begun() -> Caller:
            async with few:
                return await Caller.begun(url, KEY)

        return await asyncio.gather(*(begun() for _ in range(self.conversations)))

    async def _round(self, callers: Sequence[Caller], text: str) -> list[float]:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def speak(caller: Caller, place: int) -> float:
            await asyncio.sleep(began + self.pace_seconds * place / self.conversations - loop.time())
            return await caller.turn(text)

        return await asyncio.gather(*(speak(caller, place) for place, caller in enumerate(callers)))


async def _conversation(engine: str) -> str:
    """Where to talk with a new agent."""

    def create() -> str:
        headers = {"content-type": "application/json", "xi-api-key": KEY}
        asked = Request(f"{engine}/v1/convai/agents/create", json.dumps(AGENT).encode(), headers)
        with urlopen(asked) as answer:
            return json.load(answer)["agent_id"]

    return f"{_where(engine)}?agent_id={await asyncio.to_thread(create)}"


def _where(server: str) -> str:
    return f"{server}/v1/convai/conversation"


def _p50(rounds: Sequence[Sequence[float]]) -> float:
    return median(time for times in rounds for time in times)


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100, method="inclusive")[-1]


@asynccontextmanager
async def _printing(script: str, *args: str) -> AsyncGenerator[str]:
    """One of the scripts beside this file, in a process of its own; gives its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / script), *args, stdout=asyncio.subprocess.PIPE, env=clean_environment()
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _engine(home: Path, model: str) -> AsyncGenerator[str]:
    """`callwright engine` as a person has it, its database in `home`; gives its base URL."""
    env = clean_environment(
        CALLWRIGHT_HOME=str(home), CALLWRIGHT_ENGINE_API_KEY=KEY, CALLWRIGHT_LLM_BASE_URL=model,
        CALLWRIGHT_LLM_MODEL="bench",
    )  # fmt: skip
    command = (sys.executable, "-m", "callwright", "engine", "--port", "0")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, env=env)
    try:
        assert process.stderr is not None
        said = (await process.stderr.readline()).decode()
        if (found := re.search(r"http://[\d.]+:\d+", said)) is None:
            raise Failed(f"The engine did not start: {said}")
        log = asyncio.create_task(process.stderr.read())
        yield found[0]
    finally:
        process.kill()
        await process.wait()
    await log
