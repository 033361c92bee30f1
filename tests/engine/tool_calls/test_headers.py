"""Headers of MCP servers that take dynamic variables, in live conversations."""

from pathlib import Path

import pytest

from tests.dialogue.llm_peer import Say, peer, script
from tests.engine.helpers import JSON
from tests.engine.mcp_peer import real
from tests.transports import Clock

from .lives import Person, platform, said, talking
from .test_live import BOOK, results, using

pytestmark = pytest.mark.anyio

TENANT: JSON = {"X-Tenant": {"variable_name": "tenant"}, "X-Call": {"variable_name": "system__conversation_id"}}


async def test_a_server_is_told_the_variables_of_the_conversation(tmp_path: Path, clock: Clock) -> None:
    person = Person()
    async with (
        real() as (url, got),
        peer(script(BOOK, Say("Booked."))) as llm,
        platform(tmp_path, clock, llm.base_url) as (api, unit),
    ):
        ada, _ = await using(api, url, request_headers=TENANT)
        async with talking(unit(), ada, person, clock, tenant="Friday") as (talk, _):
            turns = await said(talk, "Hi.")
    assert {(request["x-tenant"], request["x-call"]) for request in got} == {("Friday", "conv_live")}
    assert results(turns) == [("book", "Friday 09:00", False, True)], "a variable is no secret"


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "Missing dynamic variables: tenant. Give each a value, or a placeholder on the agent."),
        ({"tenant": "a\r\nX-Role: admin"}, "The value for the header X-Tenant has characters that no header may have."),
    ],
    ids=["missing", "two lines"],
)
async def test_a_server_whose_header_cannot_be_sent_is_left_out_until_it_can(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, variables: JSON, why: str
) -> None:
    caplog.set_level("INFO", logger="callwright")
    person = Person()
    async with (
        real() as (url, got),
        peer(script(Say("Hi."))) as llm,
        platform(tmp_path, clock, llm.base_url) as (api, unit),
    ):
        ada, server = await using(api, url, request_headers=TENANT)
        async with talking(unit(), ada, person, clock, **variables) as (talk, live):
            assert (talk.role.agent.tools, got) == ([], [])
            talk.assigned["tenant"] = "north"
            later = await live.cast.role(ada)
    assert f"The MCP server {server} is not called: {why}" in caplog.messages
    assert [tool.name for tool in later.agent.tools] == ["free_slots", "book"]
    assert [[one["is_connected"] for one in told] for told in person.integrations()] == [[False], [True]]
    assert {request["x-tenant"] for request in got} == {"north"}
