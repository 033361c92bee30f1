"""The stdio transport on pipes and sockets, which hosts give a server: on the event loop, without a thread.

The SDK's own enters a worker thread three times for each call: to read a line, to write one and to flush it. With it a
read of the hosted platform changed between threads twenty times, now three times. Where the event loop cannot wait for
a descriptor (files, terminals, Windows), the SDK's serves.
"""

import os
import select
import stat
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any, cast

import anyio
from mcp.server.stdio import stdio_server

STDIN, STDOUT, STDERR = 0, 1, 2
READ_BYTES = 64 * 1024


@contextmanager
def standard_streams() -> "Generator[AbstractAsyncContextManager[tuple[Any, Any]]]":
    """The transport of this process's own stdin and stdout.

    Meanwhile they lead elsewhere, so that nothing that is printed by accident gets between the messages.
    """
    if sys.platform == "win32" or not (_can_wait(STDIN) and _can_wait(STDOUT) and _is_open(STDERR)):
        yield stdio_server()
        return
    with _diverted(STDIN, os.open(os.devnull, os.O_RDONLY)) as source, _diverted(STDOUT, os.dup(STDERR)) as sink:
        yield stdio_server(cast(Any, lines(source)), cast(Any, Outgoing(sink)))


def _can_wait(fd: int) -> bool:
    return _is_open(fd) and (stat.S_ISFIFO(mode := os.fstat(fd).st_mode) or stat.S_ISSOCK(mode))


def _is_open(fd: int) -> bool:
    with suppress(OSError):
        os.fstat(fd)
        return True
    return False


@contextmanager
def _diverted(fd: int, elsewhere: int) -> Generator[int]:
    """A private copy of `fd`, which leads elsewhere until the end of the context."""
    own = os.dup(fd)
    os.dup2(elsewhere, fd)
    os.close(elsewhere)
    try:
        yield own
    finally:
        os.dup2(own, fd)
        os.close(own)


async def lines(fd: int) -> AsyncGenerator[str]:
    """The lines of a pipe or socket as they come."""
    begun: list[bytes] = []
    while True:
        await anyio.wait_readable(fd)
        chunk = os.read(fd, READ_BYTES)
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield b"".join([*begun, line]).decode(errors="replace")
            begun.clear()
        begun.append(rest)
        if not chunk:
            break
    if last := b"".join(begun):
        yield last.decode(errors="replace")


class Outgoing:
    """Writes to a pipe or socket. While its reader is slow, only the writer waits."""

    def __init__(self, fd: int) -> None:
        self._fd, self._written = fd, list[str]()
        self._ready = select.poll()
        self._ready.register(fd, select.POLLOUT)

    async def write(self, text: str) -> None:
        self._written.append(text)

    async def flush(self) -> None:
        left = memoryview("".join(self._written).encode())
        self._written.clear()
        while left:
            if not self._ready.poll(0):
                await anyio.wait_writable(self._fd)
            # More than this could block, even on a descriptor that is ready.
            left = left[os.write(self._fd, left[: select.PIPE_BUF]) :]
