"""Background jobs: work that continues after its request was answered, and ends with the engine at the latest.

The handler that starts a job returns before the job ends. anyio can start such a task only in a task group that stays
open across that call's return. No caller here has such a group, so jobs are plain asyncio tasks, as in `net/asgi.py`.
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
"""Jobs that may wait for a model at the same time, over the whole engine: endpoints limit concurrent requests."""

ENDING_SECONDS = 3.0
"""Seconds that cancelled jobs have to end. A job may use them to write to the database that it was cut short."""

log = logging.getLogger(__name__)


@cache
def process_name() -> str:
    """The unique name of this process: host, process id and a random part, so that no later process shares it."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


class Jobs:
    """The running jobs. `start` starts one, which enters `slot` around costly work. `aclose` cancels and awaits all."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.slot = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Cancel all jobs, also those that start meanwhile, and wait ENDING_SECONDS at most.

        Jobs that have not ended by then are named in the log.
        """
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
