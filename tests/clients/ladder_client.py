"""A released client in a process of its own, which climbs the whole ladder of asking: `ladder.mjs` and `ladder.py`."""

import json
import os
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.environments import NODE, node_modules, python_of

HERE = Path(__file__).parent
AGENTS = HERE / "requirements-pydantic-ai.txt"
"""pydantic-ai, which brings the client of fastmcp."""
SECONDS = 120
LONGEST = 1_000_000

Json = dict[str, Any]


class LadderClient:
    """What a model and its person see. Both are played by the test."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._writes, self._reads = process.stdin, BufferedByteReceiveStream(process.stdout)
        self.asked: list[Json] = []
        """What the person was shown since the last connection."""

    async def connect(self, url: str, elicits: Json | None) -> None:
        """`elicits`: how the client can ask its person; None: it cannot."""
        self.asked = []
        await self._say({"connect": url, "elicits": elicits})
        assert await self._hear() == {"connected": True}

    async def call(
        self,
        tool: str,
        arguments: Json,
        answer: Json | None = None,
        before: Callable[[Json], Awaitable[object]] | None = None,
    ) -> Json:
        """What the model is shown. `answer`: the person's; `before`: what they do before they give it."""
        await self._say({"tool": tool, "arguments": arguments})
        while "question" in (seen := await self._hear()):
            self.asked.append(seen)
            if before:
                await before(seen)
            await self._say(answer or {"action": "cancel"})
        return seen

    async def _say(self, line: Json) -> None:
        await self._writes.send(f"{json.dumps(line)}\n".encode())

    async def _hear(self) -> Json:
        with anyio.fail_after(SECONDS):
            return json.loads(await self._reads.receive_until(b"\n", LONGEST))


def command(kind: str) -> tuple[list[str], dict[str, str]]:
    """The command of a client, and its environment."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if kind.startswith("typescript"):
        version = kind.removeprefix("typescript ").partition(".")[0]
        source = HERE / ("typescript" if version == "1" else "typescript2")
        folder = node_modules(f"mcp-{source.name}", source).parent
        return [str(NODE), str(HERE / "ladder.mjs"), version], {**own, "SDK_FOLDER": str(folder)}
    return [str(python_of("mcp-agents", AGENTS)), str(HERE / "ladder.py"), kind], own


@asynccontextmanager
async def ladder_client(kind: str) -> AsyncGenerator[LadderClient]:
    words, environment = command(kind)
    async with await anyio.open_process(words, env=environment, stderr=None) as process:
        try:
            yield LadderClient(process)
        finally:
            assert process.stdin is not None
            await process.stdin.aclose()
            await process.wait()


def inspected(url: str, tool: str, arguments: Json) -> str:
    """What the Inspector's command line prints for one call."""
    folder = node_modules("mcp-inspector", HERE / "inspector")
    cli = folder / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
    words = [str(NODE), str(cli), "--cli", "--server-url", url, "--transport", "http", "--method", "tools/call"]
    words += ["--tool-name", tool, "--tool-args-json", json.dumps(arguments), "--format", "json", "--quiet"]
    return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder).stdout
