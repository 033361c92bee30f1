"""Live conversations once more, on a real PostgreSQL: what is kept of them, and how many there may be."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.engine.live import test_limits, test_turns
from tests.engine.live import test_recorder as keeping
from tests.engine.live.talking import Stage, echo, judged, stage

from . import test_postgresql as on_postgresql

pytestmark = pytest.mark.anyio

RULES = (test_limits, test_turns)
"""Their tests are tests of this module, too, with its fixture `at`."""
globals().update({name: test for rules in RULES for name, test in vars(rules).items() if name.startswith("test_")})
url = on_postgresql.url


@pytest.fixture
async def at(tmp_path: Path, url: str) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo), own_database_url=url) as at:
        yield at


test_a_conversation_is_listed_while_it_is_held = keeping.test_a_conversation_is_listed_while_it_is_held
test_a_conversation_that_is_deleted_stays_deleted = (
    keeping.test_a_conversation_that_is_deleted_while_it_is_held_stays_deleted
)
test_a_conversation_that_is_to_stay_for_no_day = (
    keeping.test_a_conversation_that_is_to_stay_for_no_day_goes_with_its_end
)
test_a_hundred_conversations_at_once = keeping.test_a_hundred_conversations_at_once_know_nothing_of_each_other
test_leases = keeping.test_a_process_that_renews_its_lease_is_left_alone_and_one_that_does_not_is_closed
