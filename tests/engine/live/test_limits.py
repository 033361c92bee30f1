"""How many conversations an agent holds at a time, and begins in a day."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from .talking import Caller, Stage, echo, judged, stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


async def limited(at: Stage, **limits: int | bool) -> str:
    return await at.agent(platform_settings={"call_limits": limits})


async def begun(at: Stage, ada: str, stack: AsyncExitStack) -> tuple[Caller, str]:
    caller = await stack.enter_async_context(at.connected(ada, key=None))
    return caller, await caller.begun()


async def refused(at: Stage, ada: str) -> str:
    async with at.connected(ada, key=None) as caller:
        error, (code, _) = await caller.refusal()
        assert code == error["code"] == 1008
        return error["message"]


async def test_an_agent_holds_as_many_conversations_as_its_limit_says(at: Stage) -> None:
    ada = await limited(at, agent_concurrency_limit=2, bursting_enabled=False)
    async with AsyncExitStack() as stack:
        await begun(at, ada, stack)
        async with AsyncExitStack() as inner:
            _, id = await begun(at, ada, inner)
            assert "2 conversations at a time" in await refused(at, ada)
        await at.conversation(id)
        await begun(at, ada, stack)
        assert "2 conversations at a time" in await refused(at, ada)
        await begun(at, await limited(at, agent_concurrency_limit=1, bursting_enabled=False), stack)


async def test_an_agent_that_may_burst_holds_three_times_as_many(at: Stage) -> None:
    ada = await limited(at, agent_concurrency_limit=1, bursting_enabled=True)
    async with AsyncExitStack() as stack:
        ids = [(await begun(at, ada, stack))[1] for _ in range(3)]
        assert "3 conversations at a time" in await refused(at, ada)
    charged = [(await at.conversation(id))["metadata"]["charging"]["is_burst"] for id in ids]
    assert charged == [False, True, True]


async def test_an_agent_begins_so_many_conversations_a_day(at: Stage) -> None:
    ada = await limited(at, daily_limit=2)
    for _ in range(2):
        async with AsyncExitStack() as stack:
            _, id = await begun(at, ada, stack)
        await at.conversation(id)
        await at.http.delete(f"/v1/convai/conversations/{id}")
    assert "2 conversations a day" in await refused(at, ada)
    at.clock.forward(seconds=24 * 3600)
    async with AsyncExitStack() as stack:
        await begun(at, ada, stack)


async def test_a_conversation_that_is_refused_takes_no_place(at: Stage) -> None:
    ada = await at.agent(
        {"agent": {"first_message": "Hi {{name}}"}},
        platform_settings={"call_limits": {"agent_concurrency_limit": 1, "bursting_enabled": False, "daily_limit": 1}},
    )
    for _ in range(3):
        assert "name" in await refused(at, ada)
    async with at.connected(ada, key=None, dynamic_variables={"name": "Bo"}) as caller:
        await caller.begun()
