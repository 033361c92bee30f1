"""A client on the released TypeScript SDK, in a Node process of its own, driven call by call."""

import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.environments import NODE, node_modules

HERE = Path(__file__).parent / "typescript"
LONGEST = 1_000_000
SECONDS = 60

Json = dict[str, Any]
Meanwhile = Callable[[], Awaitable[object]]

NO = {"action": "accept", "content": {"approve": False}}
DECLINED = {"action": "decline"}
CANCELLED = {"action": "cancel"}
YES = {"action": "accept", "content": {"approve": True}}


class TypeScriptClient:
    """Lists the tools when it connects, as hosts do: from then on the SDK checks every result against their schemas."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._writes, self._reads = process.stdin, BufferedByteReceiveStream(process.stdout)
        self.asked: list[str] = []
        """The questions of the last call."""
        self.checked: frozenset[str] = frozenset()
        """Names of the listed tools whose results the SDK checks."""

    async def call(
        self, tool: str, arguments: Json, *, answer: Json | None = None, meanwhile: Meanwhile | None = None
    ) -> Json:
        """What the SDK hands over. `answer`: the person's, if they are asked; `meanwhile` happens before they give it."""
        self.asked = []
        await self._say({"tool": tool, "arguments": arguments})
        while "question" in (seen := await self._hear()):
            self.asked.append(seen["question"])
            if meanwhile:
                await meanwhile()
            await self._say(answer or CANCELLED)
        return seen

    async def connect(self, given: Mapping[str, Any]) -> None:
        await self._say(given)
        self.checked = frozenset((await self._hear())["listed"])

    async def _say(self, line: Mapping[str, Any]) -> None:
        await self._writes.send(f"{json.dumps(line)}\n".encode())

    async def _hear(self) -> Json:
        with anyio.fail_after(SECONDS):
            return json.loads(await self._reads.receive_until(b"\n", LONGEST))


@asynccontextmanager
async def typescript(
    *target: str, elicits: Json | None = None, **given: Mapping[str, str]
) -> AsyncGenerator[TypeScriptClient]:
    """`target`: `http` and a URL, or `stdio` and a command. `given`: `headers` of every request, or the server's `env`.

    `elicits`: how the client can ask its user; None: it cannot.
    """
    environment = {**os.environ, "SDK_FOLDER": str(node_modules("mcp-typescript", HERE).parent)}
    command = [str(NODE), str(HERE / "drive.mjs"), *target]
    async with await anyio.open_process(command, env=environment, stderr=None) as process:
        client = TypeScriptClient(process)
        capabilities = {} if elicits is None else {"elicitation": elicits}
        await client.connect({**given, "capabilities": capabilities})
        try:
            yield client
        finally:
            assert process.stdin is not None
            await process.stdin.aclose()
            await process.wait()
