"""Where the variables in hosts and transfers of an agent, or a stored tool, may lead."""

import json
from pathlib import Path
from typing import Any

import pytest

from callwright.api.client import ApiClient
from callwright.contract.agent_tools import CreateTool, DeleteTool, UpdateTool
from callwright.contract.agents import DuplicateAgent
from callwright.contract.destinations import (
    GetAgentDestinations,
    GetToolDestinations,
    SetAgentDestinations,
    SetToolDestinations,
)
from callwright.contract.errors import InvalidRequest
from tests.dialogue.llm_peer import Call, Say, peer, script
from tests.transports import Clock

from .helpers import JSON, agent, dump, refused, secret
from .tool_calls.lives import Person, platform, said, talking
from .tool_calls.test_live import prompt, results
from .tool_calls.test_webhooks import CANARY, crm

pytestmark = pytest.mark.anyio

TRANSFER: JSON = {
    "type": "system",
    "name": "transfer_to_number",
    "params": {
        "system_tool_type": "transfer_to_number",
        "transfers": [
            {
                "condition": "The caller asks for their adviser.",
                "transfer_destination": {"type": "phone_dynamic_variable", "phone_number": "adviser"},
            }
        ],
    },
}


def hook(base: str, *, key: str | None = None, url: str = "{{base}}/users") -> JSON:
    """A webhook tool whose host is a variable, with a value of its own for it."""
    headers = {"Authorization": {"secret_id": key}} if key else {}
    return {
        "type": "webhook",
        "name": "crm",
        "description": "Looks up.",
        "api_schema": {"url": url, "request_headers": headers},
        "dynamic_variables": {"dynamic_variable_placeholders": {"base": base}},
    }


async def stored(api: ApiClient, config: JSON) -> str:
    return dump(await api.send(CreateTool.model_validate({"tool_config": config})))["id"]


async def test_a_variable_leads_where_a_person_approved(tmp_path: Path, clock: Clock) -> None:
    asks = Say(calls=(Call("crm", "{}"),))
    async with (
        crm() as (own, at_own),
        crm() as (other, at_other),
        crm() as (evil, at_evil),
        peer(script(asks, Say("Done."), asks, Say("Done."), asks, Say("Done."))) as llm,
        platform(tmp_path, clock, llm.base_url) as (api, unit),
    ):
        tool = await stored(api, hook(own, key=await secret(api, value=f"Bearer {CANARY}")))
        ada = await agent(api, prompt(tool_ids=[tool]))
        await api.send(SetToolDestinations(tool_id=tool, destinations={"base": [own, other]}))
        turns: dict[str, list[JSON]] = {}
        for base in (other, evil, None):
            given: dict[str, Any] = {"base": base} if base else {}
            async with talking(unit(), ada, Person(), clock, **given) as (talk, _):
                turns[str(base)] = await said(talk, "Hi.")
    assert [request["headers"]["authorization"] for request in at_other] == [f"Bearer {CANARY}"]
    assert [request["headers"]["authorization"] for request in at_own] == [f"Bearer {CANARY}"]
    assert at_evil == []
    [(_, told, is_error, _)] = results(turns[evil])
    assert (told, is_error) == (
        f"The variable base leads to {evil}, which nobody approved. Approved: {own}, {other}.",
        True,
    )


async def test_what_is_approved_holds_for_the_place_at_which_it_was_approved(api: ApiClient) -> None:
    tool = await stored(api, hook("https://a.example.com"))
    approved = {"base": ["https://b.example.com"]}
    assert dump(await api.send(SetToolDestinations(tool_id=tool, destinations=approved))) == {"destinations": approved}

    async def changed_to(url: str) -> JSON:
        config = {"tool_id": tool, "tool_config": hook("https://a.example.com", url=url)}
        await api.send(UpdateTool.model_validate(config))
        return dump(await api.send(GetToolDestinations(tool_id=tool)))["destinations"]

    assert await changed_to("{{base}}/others") == approved
    config = hook("a.example.com", url="https://{{base}}/users")
    await api.send(UpdateTool.model_validate({"tool_id": tool, "tool_config": config}))
    assert dump(await api.send(GetToolDestinations(tool_id=tool))) == {"destinations": {}}


async def test_a_copy_of_an_agent_asks_again(api: ApiClient) -> None:
    ada = await agent(api, prompt(tools=[TRANSFER]))
    approved = {"adviser": ["+4930", "sip:@example.com"]}
    await api.send(SetAgentDestinations(agent_id=ada, destinations=approved))
    copy = (await api.send(DuplicateAgent(agent_id=ada))).agent_id
    assert dump(await api.send(GetAgentDestinations(agent_id=ada))) == {"destinations": approved}
    assert dump(await api.send(GetAgentDestinations(agent_id=copy))) == {"destinations": {}}


async def test_what_is_approved_goes_with_the_tool(api: ApiClient) -> None:
    tool = await stored(api, hook("https://a.example.com"))
    await api.send(SetToolDestinations(tool_id=tool, destinations={"base": ["https://b.example.com"]}))
    await api.send(DeleteTool(tool_id=tool))
    assert "no tool" in str(await refused(api, GetToolDestinations(tool_id=tool))).lower()


async def test_a_variable_that_stands_nowhere_is_refused_with_those_that_do(api: ApiClient) -> None:
    tool = await stored(api, hook("https://a.example.com"))
    wrong = await refused(api, SetToolDestinations(tool_id=tool, destinations={"host": ["https://b.example.com"]}))
    assert isinstance(wrong, InvalidRequest)
    assert "No host and no transfer of this tool holds it. Held there: base." in str(wrong)


@pytest.mark.parametrize(
    "destination",
    ["https://a.example/path", "https://me@a.example", "a.example", "ftp://a.example", "{{b}}", "+0", "+", "sip:a", ""],
)
def test_a_destination_can_be_compared(destination: str) -> None:
    with pytest.raises(ValueError, match="is no destination"):
        SetToolDestinations(tool_id="t", destinations={"base": [destination]})


@pytest.mark.parametrize(
    ("adviser", "handed"),
    [
        ("+49 30 1234", True), ("+4930", True), ("+491", False), ("sip:ann@example.com", True),
        ("sip:ann@example.com.evil.example", False), ("sip:ann@evil.example", False), ("0049301", False),
    ],
)  # fmt: skip
async def test_a_transfer_takes_its_number_only_where_it_is_approved(
    tmp_path: Path, clock: Clock, adviser: str, handed: bool
) -> None:
    arguments: Any = {"transfer_number": "adviser", "client_message": "One moment.", "agent_message": "Ann."}
    asks = Say(calls=(Call("transfer_to_number", json.dumps(arguments)),))
    async with (
        peer(script(asks, Say("I see."))) as llm,
        platform(tmp_path, clock, llm.base_url) as (api, unit),
    ):
        ada = await agent(api, prompt(tools=[TRANSFER]))
        approved = {"adviser": ["+4930", "sip:@example.com"]}
        await api.send(SetAgentDestinations(agent_id=ada, destinations=approved))
        given = {"adviser": adviser}
        async with talking(unit(), ada, Person(), clock, on_phone=True, **given) as (talk, _):
            turns = await said(talk, "Hi.")
    [(_, _, is_error, _)] = results(turns)
    assert is_error is not handed
