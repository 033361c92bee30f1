"""Helpers for concurrent tasks: wait for the first of two, go on to the end, and cancel a collection."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import anyio

T = TypeVar("T")


class Overtaken(Exception):
    """The awaitable that `race` ran against has ended first."""


async def race(work: Awaitable[T], against: Callable[[], Awaitable[object]]) -> T:
    """The result of `work`. The first of the two to end cancels the other.

    Raises Overtaken if `against` ended first, and an exception of `work` directly, not in an exception group.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    async with anyio.create_task_group() as tasks:

        async def run_against() -> None:
            await against()
            tasks.cancel_scope.cancel()

        tasks.start_soon(run_against)
        try:
            outcome.append(await work)
        except Exception as exc:  # raised below, because the task group would wrap it in an exception group
            failure.append(exc)
        tasks.cancel_scope.cancel()
    if failure:
        raise failure[0]
    if not outcome:
        raise Overtaken
    return outcome[0]


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits until they have ended. `tasks`: a collection from which each task removes itself."""
    for task in tasks:
        task.cancel()
    while tasks:
        await asyncio.wait(tasks)


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work` to its end. A caller that is cancelled meanwhile hears of it at its next await."""
    found: list[T] = []
    with anyio.CancelScope(shield=True):
        found.append(await work)
    return found[0]
