"""Waiting for whichever of two things comes first."""

import anyio
import pytest

from callwright.concurrency import Overtaken, race

pytestmark = pytest.mark.anyio


async def never() -> None:
    await anyio.sleep_forever()


async def at_once() -> str:
    return "done"


async def test_the_outcome_is_that_of_the_work_where_it_ends_first() -> None:
    assert await race(at_once(), never) == "done"


async def test_work_that_is_overtaken_is_cancelled() -> None:
    stopped = anyio.Event()

    async def work() -> None:
        try:
            await never()
        finally:
            stopped.set()

    with pytest.raises(Overtaken):
        await race(work(), at_once)
    assert stopped.is_set()


async def test_what_the_work_raises_comes_as_itself() -> None:
    async def work() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        await race(work(), never)


async def test_whoever_waits_can_be_cancelled() -> None:
    with anyio.move_on_after(0) as scope:
        await race(never(), never)
    assert scope.cancelled_caught
