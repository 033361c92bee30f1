"""Work that goes on after the answer: it lives as long as the engine, and ends with it.

The handler that starts a job returns before the job ends. anyio can start such a task only in a task group that stays
open across that call's return, and nobody's does; so this is plain asyncio, as in `net/asgi.py`.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Coroutine
from functools import cache
from typing import Any

AT_ONCE = 4
"""Of all jobs together, how many wait for a model at a time: endpoints limit how many requests they take at once."""

ENDING_SECONDS = 3.0
"""How long jobs may take to end once they are cancelled, as one that notes in the database that it was cut short."""

log = logging.getLogger(__name__)


@cache
def process_name() -> str:
    """Of this process: no other one was ever called so."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


class Jobs:
    """`start` a job; it enters `slot` around what is costly. `aclose` cancels what still runs and waits for it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.slot = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Bounded: jobs that do not end are named in the log. Those that start meanwhile are cancelled too."""
        now, cancelled = asyncio.get_running_loop().time, set[asyncio.Task[None]]()
        end = now() + ENDING_SECONDS
        while self._tasks and now() < end:
            for task in self._tasks - cancelled:
                task.cancel()
            cancelled |= self._tasks
            await asyncio.wait(self._tasks, timeout=end - now(), return_when=asyncio.FIRST_COMPLETED)
        if self._tasks:
            names = ", ".join(sorted({task.get_name() for task in self._tasks}))
            log.error("Not ended %g seconds after they were cancelled: %s.", ENDING_SECONDS, names)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("Defect in %s", task.get_name(), exc_info=failure)
