"""Work that goes on between the requests of a server, and ends with it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


class BackgroundGroup:
    """`group` is there as long as the server runs."""

    def __init__(self) -> None:
        self.group: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """As long as the server runs. What is under way at its end is stopped."""
        outer = self.group  # in memory each client has a server's life of its own
        async with anyio.create_task_group() as group:
            self.group = group
            try:
                yield
            finally:
                self.group = outer
                group.cancel_scope.cancel()
