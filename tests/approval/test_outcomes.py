"""Whatever cancels a call, and whenever: the log says of each act whether it was carried out."""

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import text

from callwright.app import App
from tests.transports import ERAS, reach

pytestmark = pytest.mark.anyio

WHOLE = 5
"""Calls in a row that end before they are cancelled: then no later moment is left."""


async def cancelled_after_each_step(app: App, era: str) -> None:
    """Each call is cancelled some steps of the event loop later than the one before it."""
    steps = whole = 0
    async with reach(app, era) as (client, _):
        while whole < WHOLE:
            ended = False

            async def call() -> None:
                nonlocal ended
                await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."})
                ended = True

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            whole = whole + 1 if ended else 0
            steps += 1 + steps // 50
    # The end of the connection has awaited what the server still did.


@pytest.mark.parametrize("era", ERAS)
async def test_an_act_and_its_outcome_are_one_wherever_a_client_cancels(app: App, era: str) -> None:
    await cancelled_after_each_step(app, era)
    database = await app.database()
    outcomes = await database.read(
        lambda db: db.execute(text("SELECT outcome, count(*) FROM ledger_change GROUP BY outcome")).all()
    )
    stored = await database.read(lambda db: db.execute(text("SELECT count(*) FROM agent")).scalar_one())
    found = {str(outcome): int(count) for outcome, count in outcomes}
    assert set(found) <= {"done", "failed"}
    assert found["done"] == stored
    assert stored > WHOLE
