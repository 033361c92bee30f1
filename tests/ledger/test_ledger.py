"""What the server remembers, under several processes and a moving clock."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select, update

from callwright.contract.errors import Refused
from callwright.db.database import Database
from callwright.ledger.ledger import CLAIM_SECONDS, MOST_WAITING, MOST_WAITING_OF_ALL, Intent, Ledger, Pending
from callwright.ledger.tables import SCHEMA, change, pending

from ..transports import Clock

pytestmark = pytest.mark.anyio

KEY = b"k" * 32


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", {"ledger": SCHEMA})
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database, clock: Clock) -> Ledger:
    return Ledger(database, clock, KEY)


async def pin(ledger: Ledger, **other: Any) -> Pending:
    call: dict[str, Any] = {"who": "ann", "tool": "delete_agent", "digest": "d", "question": "Delete it?"}
    call |= {"needs": "person", "seconds": 900, **other}
    return await ledger.pin(**call)


def intent(**other: Any) -> Intent:
    made: dict[str, Any] = {"platform": "embedded", "who": "ann", "tool": "update_agent", "operation": "UpdateAgent"}
    rest: dict[str, Any] = {"target": "agent_1", "digest": "d", "approved_by": "policy", "request": {}, "previous": {}}
    made |= {**rest, **other}
    return Intent(**made)


async def test_the_same_call_is_one_question_whose_text_stays(ledger: Ledger) -> None:
    first = await pin(ledger)
    again = await pin(ledger, question="Another text")
    assert again == first
    assert re.fullmatch("[2-9A-HJ-NP-Z]{8}", first.code)


@pytest.mark.parametrize("other", [{"who": "ben"}, {"digest": "e"}, {"needs": "token"}])
async def test_another_call_is_another_question(ledger: Ledger, other: dict[str, str]) -> None:
    assert (await pin(ledger)).code != (await pin(ledger, **other)).code


async def test_an_approval_is_spent_once(ledger: Ledger) -> None:
    code = (await pin(ledger)).code
    assert await ledger.spend(code, state="approved") is False
    assert (await ledger.approve(f" {code.lower()} ")) is not None
    assert await ledger.approve(code) is None
    spent: list[bool] = []

    async def spend() -> None:
        spent.append(await ledger.spend(code, state="approved"))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(spend)
    assert sorted(spent) == [False] * 9 + [True]
    assert (await pin(ledger)).code != code


async def test_a_client_that_asks_without_end_is_refused_and_what_it_left_goes(
    ledger: Ledger, database: Database, clock: Clock
) -> None:
    def rows() -> Any:
        return database.read(lambda db: db.execute(select(func.count()).select_from(pending)).scalar_one())

    for round_ in range(3):
        first = await pin(ledger, digest=f"{round_}")
        for number in range(1, MOST_WAITING):
            await pin(ledger, digest=f"{round_} {number}")
        with pytest.raises(
            Refused, match=r"^Not asked: 50 calls of this client wait for approval already.+ wait: each"
        ):
            await pin(ledger, digest="one more")
        assert await pin(ledger, digest=f"{round_}") == first  # who asks again for the same is no more than before
        assert (await pin(ledger, digest="d", who="ben")).who == "ben"
        assert await rows() == MOST_WAITING + 1
        clock.forward(seconds=901)


async def test_an_answer_makes_room(ledger: Ledger, database: Database) -> None:
    codes = [(await pin(ledger, digest=f"{number}")).code for number in range(MOST_WAITING)]
    assert await ledger.approve(codes[0])
    with pytest.raises(Refused):
        await pin(ledger, digest="more")  # approved, and not yet used
    assert await ledger.spend(codes[0], state="approved")
    await pin(ledger, digest="more")
    await ledger.close(codes[1])
    await pin(ledger, digest="still more")


async def test_all_clients_together_are_bounded_too(ledger: Ledger) -> None:
    for number in range(MOST_WAITING_OF_ALL):
        await pin(ledger, who=f"client {number // MOST_WAITING}", digest=f"{number}")
    with pytest.raises(Refused, match=r"^Not asked: 1,000 calls of this server's clients wait for approval"):
        await pin(ledger, who="another")


async def test_a_person_answers_for_the_principal_that_they_are(ledger: Ledger) -> None:
    anns, bens = await pin(ledger), await pin(ledger, who="ben")
    assert [each.code for each in await ledger.waiting(who="ann")] == [anns.code]
    assert await ledger.approve(bens.code, who="ann") is None
    assert not await ledger.decline(bens.code, who="ann")
    assert await ledger.approve(anns.code, who="ann")
    assert await ledger.decline(bens.code)


async def test_what_a_token_is_for_waits_for_no_person(ledger: Ledger) -> None:
    code = (await pin(ledger, needs="token")).code
    assert await ledger.waiting() == []
    assert await ledger.approve(code) is None


async def test_an_expired_question_is_asked_anew_and_its_text_is_gone(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    first = await pin(ledger, question="Delete Mrs Kanarie?")
    clock.forward(seconds=901)
    assert await ledger.waiting() == []
    assert await ledger.approve(first.code) is None
    assert (await pin(ledger)).code != first.code
    assert (await ledger.waiting())[0].question == "Delete it?"


async def test_a_state_is_seen_once_while_it_lives(ledger: Ledger, clock: Clock) -> None:
    assert [await ledger.spend_once("s", seconds=600) for _ in range(3)] == [True, False, False]
    clock.forward(seconds=601)
    assert await ledger.spend_once("s", seconds=600) is True


async def test_a_second_process_sees_the_same(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'ledger.db'}", {"ledger": SCHEMA})
    code = (await pin(ledger)).code
    assert await Ledger(other, clock, KEY).approve(code)
    assert (await pin(ledger)).state == "approved"
    other.close()


async def test_an_intent_without_an_outcome_says_unknown(ledger: Ledger) -> None:
    id = await ledger.begin(intent(previous=None, request=None))
    [row] = await ledger.changes(limit=10, before=None, target=None)
    assert (row["id"], row["outcome"], bool(row["kept"])) == (id, "unknown", False)
    await ledger.finish(id, "done", target="agent_9")
    found = await ledger.change(id)
    assert found
    assert (found["outcome"], found["target"]) == ("done", "agent_9")


async def test_changes_are_listed_newest_first_page_by_page(ledger: Ledger, clock: Clock) -> None:
    ids: list[str] = []
    for n in range(25):
        ids.append(await ledger.begin(intent(target=f"agent_{n % 2}")))
        clock.forward(seconds=n % 3)  # some in the same moment
    seen: list[dict[str, Any]] = []
    before = None
    while page := await ledger.changes(limit=10, before=before, target=None):
        seen += page
        before = (page[-1]["at_ms"], page[-1]["id"])
    assert [row["at_ms"] for row in seen] == sorted((row["at_ms"] for row in seen), reverse=True)
    assert sorted(row["id"] for row in seen) == sorted(ids)
    assert len(await ledger.changes(limit=50, before=None, target="agent_1")) == 12
    assert "previous" not in seen[0]
    assert "request" not in seen[0]


async def test_of_two_who_undo_one_does(ledger: Ledger, clock: Clock) -> None:
    id = await ledger.begin(intent())
    claim = await ledger.claim_undo(id)
    assert claim is not None
    assert await ledger.claim_undo(id) is None
    assert ((await ledger.change(id)) or {})["being_undone"] is True
    await ledger.release_undo(id, claim)
    assert await ledger.claim_undo(id) is not None
    await ledger.undone(id, "chg_2")
    clock.forward(seconds=CLAIM_SECONDS + 1)
    assert await ledger.claim_undo(id) is None
    assert await ledger.claim_undo("chg_nowhere") is None


async def test_a_claim_of_a_process_that_died_is_taken_over(ledger: Ledger, clock: Clock) -> None:
    id = await ledger.begin(intent())
    dead = await ledger.claim_undo(id)
    assert dead is not None
    clock.forward(seconds=CLAIM_SECONDS + 1)
    [row] = await ledger.changes(limit=10, before=None, target=None)
    assert row["being_undone"] is False
    assert await ledger.claim_undo(id) is not None
    await ledger.release_undo(id, dead)  # not dead after all, and late: the new claim stays
    assert await ledger.claim_undo(id) is None


async def test_what_was_sealed_with_another_key_or_for_another_change_was_not_kept(
    ledger: Ledger, database: Database, clock: Clock
) -> None:
    first = await ledger.begin(intent(previous={"name": "Ada"}))
    other = await ledger.begin(intent(previous={"name": "Bob"}))
    stranger = Ledger(database, clock, b"x" * 32)
    [*rows] = await stranger.changes(limit=10, before=None, target=None)
    assert [row["kept"] for row in rows] == [False, False]
    assert ((await stranger.change(first)) or {})["previous"] is None

    moved = select(change.c.previous).where(change.c.id == other).scalar_subquery()
    await database.write(lambda db: db.execute(update(change).where(change.c.id == first).values(previous=moved)))
    assert ((await ledger.change(first)) or {})["previous"] is None
    assert ((await ledger.change(other)) or {})["previous"] == {"name": "Bob"}


async def test_a_replaced_value_is_forgotten_after_thirty_days(ledger: Ledger, clock: Clock) -> None:
    old = await ledger.begin(intent(previous={"name": "Ada"}))
    clock.forward(seconds=29 * 86_400)
    await ledger.begin(intent())
    kept = await ledger.change(old)
    assert kept
    assert kept["previous"] == {"name": "Ada"}
    clock.forward(seconds=2 * 86_400)
    await ledger.begin(intent())
    forgotten = await ledger.change(old)
    assert forgotten
    assert (forgotten["previous"], forgotten["request"], forgotten["tool"]) == (None, None, "update_agent")
