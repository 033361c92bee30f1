"""The stdio transport: whole messages both ways, whatever stdin and stdout are, and whatever else is printed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.mcp_server.stdio import Outgoing, lines

from ..commands.test_cli import environment, run

INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
LIST: dict[str, Any] = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
PRINTING = """
import os, sys
from callwright.mcp_server import guided_server
low = guided_server.GuidedServer.list_tools
async def list_tools(self):
    print("by accident", flush=True)
    os.system("echo from a child; cat")
    return await low(self)
guided_server.GuidedServer.list_tools = list_tools
from callwright.cli import main
sys.exit(main(["serve"]))
"""


def spoken(*messages: Any) -> str:
    return "".join(f"{message if isinstance(message, str) else json.dumps(message)}\n" for message in messages)


def heard(said: str) -> dict[int, Any]:
    return {answer["id"]: answer for answer in map(json.loads, said.splitlines()) if "id" in answer}


@pytest.mark.anyio
async def test_lines_come_as_they_were_written_however_they_are_cut() -> None:
    source, sink = os.pipe()
    long = "ä" * 100_000
    written = f"{long}\n\nshort\nlast".encode() + b"\xff"
    found: list[str] = []

    async def read() -> None:
        found.extend([line async for line in lines(source)])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.to_thread.run_sync(os.write, sink, written[:100_001])
        await anyio.to_thread.run_sync(os.write, sink, written[100_001:])
        os.close(sink)
    os.close(source)
    assert found == [long, "", "short", "last\ufffd"]


@pytest.mark.anyio
async def test_a_slow_reader_gets_all_and_holds_nobody_else_up() -> None:
    source, sink = os.pipe()
    out, text = Outgoing(sink), "ö" * 500_000
    done, read = anyio.Event(), b""

    async def write() -> None:
        await out.write(text)
        await out.write("\n")
        await out.flush()
        os.close(sink)
        done.set()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await anyio.wait_all_tasks_blocked()
            assert not done.is_set()  # the pipe is full, and this test runs
            read = await anyio.to_thread.run_sync(_all_of, source)
    assert read.decode() == text + "\n"


def _all_of(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


@pytest.mark.parametrize("kind", ["pipes", "files"])
def test_a_server_answers_over_pipes_and_files(tmp_path: Path, kind: str) -> None:
    said = spoken(INITIALIZE, INITIALIZED, "no JSON", LIST)
    if kind == "pipes":
        answers = run(tmp_path, "serve", stdin=said).stdout
    else:
        (tmp_path / "in").write_text(said)
        with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as sink:
            command = [sys.executable, "-W", "error", "-m", "callwright", "serve"]
            subprocess.run(command, env=environment(tmp_path), stdin=source, stdout=sink, timeout=60, check=True)
        answers = (tmp_path / "out").read_text()
    assert heard(answers)[1]["result"]["serverInfo"]["name"] == "callwright"


def test_what_is_printed_by_accident_gets_not_between_the_messages(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTING],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(spoken(INITIALIZE, INITIALIZED, LIST))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        printed = process.stderr.read()
    assert [answer["id"] for answer in answers] == [1, 2]
    assert len(answers[1]["result"]["tools"]) > 10
    assert "by accident" in printed
    assert "from a child" in printed
