"""Background tasks that outlive a request and end with the server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


class BackgroundGroup:
    """A task group for background tasks. `group` is None while the server is not running."""

    def __init__(self) -> None:
        self.group: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Context of the running server; tasks that still run at its end are cancelled."""
        outer = self.group  # in memory each client enters this context separately
        async with anyio.create_task_group() as group:
            self.group = group
            try:
                yield
            finally:
                self.group = outer
                group.cancel_scope.cancel()
