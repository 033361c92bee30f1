"""What the engine itself takes for one turn of a conversation: of a lone one, and of each while 500 are live.

The time of the model itself is taken off. Of a lone turn, so is what it takes to ask it and to carry its words: that of
a handler which does nothing else, on the same machine in the same run. What is left is the engine's.
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
AGENT = {
    "name": "Order desk",
    "conversation_config": {
        "conversation": {"text_only": True, "client_events": ["agent_response"]},
        "agent": {"first_message": "", "prompt": {"prompt": "Help the caller with an order."}},
        "turn": {"turn_timeout": 30},
    },
}
"""It waits for the next message as long as agents can: three times as long as anybody here is silent."""


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
            ours, base = await self._lone(await _conversation(engine)), await self._lone(_where(bare))
            many, many_base = await self._many(await _conversation(engine)), await self._many(_where(bare))
        live = f"{self.conversations} live, each a turn every {self.pace_seconds:g} s"
        tail, tail_base = _p99(many), _p99(many_base)
        lone, lone_base = median(ours), median(base)
        of_it = f"{lone:.2f} ms, of which {lone_base:.2f} ms to ask the model and carry its words"
        return [
            Row("engine time a turn, one conversation, p50", lone - lone_base, "ms", goal=5, note=of_it),
            Row("the whole of it beside a bare handler", lone, "ms", lone_base),
            Row(f"engine time a turn, {live}, p99", tail, "ms", goal=250, note=f"p50 {median(many):.2f} ms"),
            Row("the same beside a bare handler, p99", tail, "ms", tail_base, note=f"p50 {median(many_base):.2f} ms"),
        ]

    async def _lone(self, url: str) -> list[float]:
        caller = await Caller.begun(url, KEY)
        times = [await caller.turn(f"Where is my order {number}?") for number in range(self.lone)]
        caller.leave()
        return times

    async def _many(self, url: str) -> list[float]:
        """All of them live first; then each speaks at a moment of its own, the same in every round."""
        few = asyncio.Semaphore(BEGINNING_AT_ONCE)

        async def begun() -> Caller:
            async with few:
                return await Caller.begun(url, KEY)

        async def talk(caller: Caller, place: int) -> list[float]:
            times: list[float] = []
            for number in range(self.turns):
                due = began + self.pace_seconds * (number + place / self.conversations)
                await asyncio.sleep(due - loop.time())
                times.append(await caller.turn(f"Where is my order {number}?"))
            return times

        loop = asyncio.get_running_loop()
        callers = await asyncio.gather(*(begun() for _ in range(self.conversations)))
        began = loop.time()
        times = await asyncio.gather(*(talk(caller, place) for place, caller in enumerate(callers)))
        for caller in callers:
            caller.leave()
        return [each for of_one in times for each in of_one]


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
