"""The rules of the embedded platform once more, on a real PostgreSQL.

The server's programs are looked for on PATH and where Debian puts them; without them these tests are skipped.
"""

from collections.abc import AsyncGenerator, Generator
from itertools import count
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection
from sqlalchemy import text as sql

from callwright.app import App
from callwright.contract.agents import GetAgent, UpdateAgent
from callwright.db.database import Database
from callwright.db.migrations import Component, NewerDatabase
from tests.engine import (
    conftest,
    test_access,
    test_agent_checks,
    test_agent_tests,
    test_agent_tools,
    test_agents,
    test_auth_connections,
    test_batch_calls,
    test_calls,
    test_conversations,
    test_fuzz,
    test_knowledge_base,
    test_llms,
    test_mcp_servers,
    test_mcp_tools,
    test_paging,
    test_phone_numbers,
    test_pronunciation_dictionaries,
    test_rag_indexes,
    test_secrets,
    test_test_runs,
    test_widget,
    test_workspace,
    test_workspaces,
)
from tests.engine.helpers import JSON, http
from tests.engine.helpers import agent as an_agent
from tests.laws import test_answers as answers
from tests.transports import Clock, numbered, settings
from tests.workflow import test_problems

from .postgresql import fresh, migrated

pytestmark = pytest.mark.anyio

NUMBERS = count()

RULES = (
    test_access,
    test_agent_checks,
    test_agent_tests,
    test_agent_tools,
    test_agents,
    test_auth_connections,
    test_batch_calls,
    test_calls,
    test_conversations,
    test_fuzz,
    test_knowledge_base,
    test_llms,
    test_mcp_servers,
    test_mcp_tools,
    test_paging,
    test_phone_numbers,
    test_pronunciation_dictionaries,
    test_rag_indexes,
    test_secrets,
    test_test_runs,
    test_widget,
    test_workspace,
    test_workspaces,
    test_problems,
)
"""Their tests are tests of this module, too, with its fixture `app`."""
globals().update({name: test for rules in RULES for name, test in vars(rules).items() if name.startswith("test_")})
# Another one of these has the same name.
test_a_name_of_a_login_is_taken_once = test_auth_connections.test_a_name_is_taken_once
# And their fixtures.
wire, page = conftest.wire, answers.page
batch, keyless, mine = test_batch_calls.batch, test_widget.keyless, test_workspaces.mine


@pytest.fixture
def empty(running: str) -> str:
    """The URL of a database that nobody has migrated."""
    return fresh(running, f"test{next(NUMBERS)}")


@pytest.fixture
def url(running: str) -> Generator[str]:
    with migrated(running) as url:
        yield url


@pytest.fixture
async def app(tmp_path: Path, clock: Clock, url: str) -> AsyncGenerator[App]:
    app = App(settings(tmp_path / "home", own_database_url=url), "embedded", clock=clock, ids=numbered())
    yield app
    await app.close()


async def test_every_operation_works_once(tmp_path: Path, clock: Clock, url: str, page: str) -> None:
    """Each is created, listed, read, changed and deleted, and answers as published."""
    chosen = settings(tmp_path / "home", own_database_url=url, allow_private=("127.0.0.1",))
    app = App(chosen, "embedded", clock=clock, ids=numbered())
    async with http(await app.engine()) as wire:
        await answers.test_every_answer_is_one_that_the_published_schema_allows(wire, page)
    await app.close()


def test_all_rules_that_the_database_takes_part_in_are_tried_on_both() -> None:
    """The others ask no database, or choose one of their own."""
    engine = Path(__file__).parents[1] / "engine"
    apart = {
        "test_backups",
        "test_chunking",
        "test_custom_llm",
        "test_destinations",
        "test_documents_from_files",
        "test_erased",
        "test_http",
        "test_page_text",
        "test_rehearsed_calls",
        "test_simulations",
        "test_streams",
        "test_tokens",
        "test_vault_key",
        "test_voices",
        "test_workflows",
    }
    tried = {rules.__name__.rpartition(".")[2] for rules in RULES}
    assert {file.stem for file in engine.glob("test_*.py")} - tried == apart


async def test_processes_that_change_one_agent_do_not_overtake_each_other(
    app: App, tmp_path: Path, clock: Clock
) -> None:
    """An update reads, merges and writes: without a lock between processes, one of two changes would be lost."""
    others = [App(app.settings, "embedded", clock=clock, ids=numbered()) for _ in range(3)]
    apis = [await each.api() for each in (app, *others)]
    ada = await an_agent(apis[0])
    async with anyio.create_task_group() as tasks:
        for number, api in enumerate(apis * 5):
            presets: JSON = {f"l{number}": {"overrides": {}}}
            patch: JSON = {"agent_id": ada, "conversation_config": {"language_presets": presets}}
            tasks.start_soon(api.send, UpdateAgent.model_validate(patch))
    found = await apis[0].send(GetAgent(agent_id=ada))
    assert set(found.conversation_config.language_presets) == {f"l{number}" for number in range(20)}
    for each in others:
        await each.close()


FIRST = {"0001_item": "CREATE TABLE item (id INTEGER PRIMARY KEY)"}
ONE = Component(FIRST)
TWO = Component({**FIRST, "0002_size": "ALTER TABLE item ADD COLUMN size INTEGER NOT NULL DEFAULT 7"})


async def test_replicas_that_start_together_migrate_once(empty: str) -> None:
    made: list[Database] = []

    def start() -> None:
        made.append(Database(empty, {"test": TWO}))

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(anyio.to_thread.run_sync, start)
    for database in made:
        await database.write(lambda db: db.execute(sql("INSERT INTO item SELECT count(*) FROM item")))
    assert await made[0].read(lambda db: db.execute(sql("SELECT sum(size) FROM item")).scalar_one()) == 42
    for database in made:
        database.close()
    with pytest.raises(NewerDatabase):
        Database(empty, {"test": ONE})


async def test_a_reader_cannot_write_there_either(empty: str) -> None:
    def write(db: Connection) -> None:
        db.execute(sql("INSERT INTO item VALUES (1)"))

    database = Database(empty, {"test": ONE})
    with pytest.raises(Exception, match="read-only transaction"):
        await database.read(write)
    database.close()
