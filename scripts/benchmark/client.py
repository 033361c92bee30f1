"""An MCP client over stdio that costs little itself: hand-written JSON-RPC, no SDK."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Self

LONGEST_LINE = 64 << 20
CALL_SECONDS = 60
WARM_UP = 30
EXIT_SECONDS = 5


class Failed(RuntimeError):
    """A server under measurement answered with an error, or not at all."""


@dataclass(frozen=True)
class Load:
    p50_ms: float
    per_second: float


class StdioServer:
    """A server in a process of its own: `async with StdioServer([...], env) as server`. `born` is before its start."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._command, self._env = command, env
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.born = 0.0

    async def __aenter__(self) -> Self:
        self.born = perf_counter()
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(self._env), limit=LONGEST_LINE,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        self._said = asyncio.create_task(self._keep_stderr())
        client = {"name": "bench", "version": "1"}
        await self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), EXIT_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        await asyncio.gather(self._reader, self._said)

    async def request(self, method: str, params: dict[str, Any]) -> Any:
        id = next(self._ids)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        self._write({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        try:
            message = await asyncio.wait_for(answer, CALL_SECONDS)
        except TimeoutError:
            raise Failed(f"{self._command[:4]}: no answer to {method}") from None
        if "error" in message:
            raise Failed(f"{self._command[:4]}: {message['error']}")
        return message["result"]

    async def list_tools(self) -> Any:
        return await self.request("tools/list", {})

    async def call(self, tool: str, arguments: dict[str, Any] | None = None) -> Any:
        result = await self.request("tools/call", {"name": tool, "arguments": arguments or {}})
        if result.get("isError"):
            raise Failed(f"{tool}: {result['content']}")
        return result

    async def load(self, tool: str, calls: int, in_flight: int) -> Load:
        """Calls the tool without arguments, `in_flight` at a time."""
        left, times = count(), list[float]()

        async def worker() -> None:
            while next(left) < calls:
                began = perf_counter()
                await self.call(tool)
                times.append(perf_counter() - began)

        began = perf_counter()
        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return Load(p50_ms=1000 * median(times), per_second=calls / (perf_counter() - began))

    def rss_mb(self) -> float:
        """Resident memory of the process, in MB (2**20 bytes)."""
        status = Path(f"/proc/{self._process.pid}/status")
        if status.exists():
            text = status.read_text(encoding="ascii")
            return int(text.partition("VmRSS:")[2].split()[0]) / 1024
        asked = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        return int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout) / 1024

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if (waiting := self._waiting.pop(message.get("id"), None)) and not waiting.done():
                waiting.set_result(message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Failed(f"{self._command[:4]} closed its output: {(await self._said)[-800:]}"))

    async def _keep_stderr(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode(errors="replace")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without whatever would configure Callwright, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CALLWRIGHT_", "ELEVENLABS_"))}
    return kept | more
