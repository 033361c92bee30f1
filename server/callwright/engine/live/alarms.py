"""What is to happen when, on a clock that is handed in."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from ...clock import Sleep

Name = TypeVar("Name", bound=str)


class Alarms(Generic[Name]):
    """Each name rings once at its time (seconds of `now`); setting it again moves it, None takes it away."""

    def __init__(self, now: Callable[[], float], sleep: Sleep) -> None:
        self._now, self._sleep = now, sleep
        self._due: dict[Name, float] = {}
        self._changed = anyio.Event()

    def set(self, name: Name, at: float | None) -> None:
        if at is None:
            self._due.pop(name, None)
        else:
            self._due[name] = at
        self._changed.set()

    def at(self, name: Name) -> float | None:
        return self._due.get(name)

    async def run(self, ring: Callable[[Name], Awaitable[None]]) -> None:
        while True:
            self._changed = anyio.Event()
            name = min(self._due, key=lambda each: self._due[each], default=None)
            if name is None:
                await self._changed.wait()
            elif (left := self._due[name] - self._now()) > 0:
                await self._nap(left)
            else:
                del self._due[name]
                await ring(name)

    async def _nap(self, seconds: float) -> None:
        """Until then, or until something is set."""
        async with anyio.create_task_group() as tasks:

            async def nap() -> None:
                await self._sleep(seconds)
                tasks.cancel_scope.cancel()

            tasks.start_soon(nap)
            await self._changed.wait()
            tasks.cancel_scope.cancel()
