"""The timers of one session, on an injected clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from ...clock import Sleep


@dataclass(frozen=True, eq=False)
class Timer:
    """One timer; `ring` is awaited when it is due. The `Timers` in which it is set holds its time."""

    ring: Callable[[], Awaitable[None]]


class Timers:
    """Each timer rings once at its time (seconds of `now`); setting it again moves it, None cancels it.

    `run` rings due timers one after the other, until it is cancelled or a `ring` raises.
    """

    def __init__(self, now: Callable[[], float], sleep: Sleep) -> None:
        self.now, self.sleep = now, sleep
        self._due: dict[Timer, float] = {}
        self._changed = anyio.Event()

    def set(self, timer: Timer, at: float | None) -> None:
        if at is None:
            self._due.pop(timer, None)  # `run` sleeps on to its time: each turn cancels timers and sets them again
        else:
            self._due[timer] = at
            self._changed.set()

    def due(self, timer: Timer) -> float | None:
        """The time at which the timer will ring; None if it is not set."""
        return self._due.get(timer)

    async def run(self) -> None:
        while True:
            self._changed = anyio.Event()
            timer = min(self._due, key=lambda each: self._due[each], default=None)
            if timer is None:
                await self._changed.wait()
            elif (left := self._due[timer] - self.now()) > 0:
                await self._sleep_or_change(left)
            else:
                del self._due[timer]
                await timer.ring()

    async def _sleep_or_change(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as a timer is set."""
        async with anyio.create_task_group() as tasks:

            async def nap() -> None:
                await self.sleep(seconds)
                tasks.cancel_scope.cancel()

            tasks.start_soon(nap)
            await self._changed.wait()
            tasks.cancel_scope.cancel()
