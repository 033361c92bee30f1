"""Waiting for whichever of two things comes first, and ending tasks."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import anyio

T = TypeVar("T")


class Overtaken(Exception):
    """What `race` was run against has ended first."""


async def race(work: Awaitable[T], against: Callable[[], Awaitable[object]]) -> T:
    """The outcome of `work`; whatever ends first cancels the other.

    Raises Overtaken where `against` ended first, and the exception of `work` as itself, not in a group.
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
        except Exception as exc:  # raised below: out of here it would stand in a group
            failure.append(exc)
        tasks.cancel_scope.cancel()
    if failure:
        raise failure[0]
    if not outcome:
        raise Overtaken
    return outcome[0]


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits for their ends. `tasks`: the collection that each leaves when it ends."""
    for task in tasks:
        task.cancel()
    while tasks:
        await asyncio.wait(tasks)
