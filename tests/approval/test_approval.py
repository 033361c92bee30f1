"""Who is asked, in which words, what counts as a yes, and what the log says afterwards."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult, InputRequiredResult

from callwright.app import App
from callwright.contract.agents import UpdateAgent
from callwright.mcp_server.server import build_server

from ..peers import peer
from ..transports import ARMS, ERAS, MODERN, Says, facts, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio

BACK_CHANNEL = [arm for arm in ARMS if arm.values not in (("stateless", "legacy"), ("json", "legacy"))]
NO_BACK_CHANNEL = [arm for arm in ARMS if arm not in BACK_CHANNEL]


async def make_agent(client: Client, name: str = "Ada") -> str:
    return facts(await client.call_tool("create_agent", {"name": name, "prompt": "Help."}))["agent_id"]


async def exists(client: Client, agent_id: str) -> bool:
    return not (await client.call_tool("get_agent", {"agent_id": agent_id})).is_error


async def log(client: Client) -> list[tuple[str, str, str]]:
    """Tool, outcome and approver of every change. The test's clock stands still, so they have no order in time."""
    changes = facts(await client.call_tool("list_changes", {}))["changes"]
    return sorted((change["tool"], change["outcome"], change["approved_by"]) for change in changes)


@pytest.mark.parametrize("says", ["yes", "no", "decline", "cancel"])
@pytest.mark.parametrize(("transport", "era"), BACK_CHANNEL)
async def test_a_person_who_can_be_asked_decides(app: App, transport: str, era: str, says: Says) -> None:
    async with reach(app, era, says, transport) as (client, asked):
        agent_id = await make_agent(client)
        result = await client.call_tool("delete_agent", {"agent_id": agent_id})
        assert await exists(client, agent_id) is (says != "yes")
        logged = await log(client)
    assert asked == [f"Delete agent 'Ada' ({agent_id}) for good, with its configuration."]
    if says == "cancel":  # nobody answered, which is no no
        assert refusal_facts(result)["needs_approval"] == "person"
        assert "nobody answered here" in text(result)
        assert logged == [("create_agent", "done", "policy")]
    elif says == "yes":
        assert facts(result) == {"deleted": agent_id, "name": "Ada", "also": []}
        assert logged == [("create_agent", "done", "policy"), ("delete_agent", "done", "person")]
    else:
        assert (result.is_error, refusal_facts(result)) == (True, {"declined": True})
        assert text(result) == "The user said no. Nothing was done. Do not call this again unless the user asks for it."
        assert logged == [("create_agent", "done", "policy"), ("delete_agent", "declined", "person")]


@pytest.mark.parametrize(
    ("transport", "era", "says"),
    [
        *(pytest.param(*arm.values, None, id=arm.id) for arm in ARMS),
        *(pytest.param(*arm.values, "yes", id=f"{arm.id}-willing") for arm in NO_BACK_CHANNEL),
    ],
)
async def test_who_cannot_be_asked_deletes_in_two_steps(app: App, transport: str, era: str, says: Says | None) -> None:
    async with reach(app, era, says, transport) as (client, asked):
        agent_id = await make_agent(client)
        first = await client.call_tool("delete_agent", {"agent_id": agent_id})
        assert await exists(client, agent_id)
        step = refusal_facts(first)
        token = step["approval_token"]
        question = f"Delete agent 'Ada' ({agent_id}) for good, with its configuration."
        assert step == {"needs_approval": "preview", "would": question, "approval_token": token}
        assert text(first) == (
            f"Not done yet. {question} Ask the user. If they agree, call delete_agent again, arguments unchanged, with"
            f" approval_token='{token}'."
        )
        second = await client.call_tool("delete_agent", {"agent_id": agent_id, "approval_token": token})
        assert facts(second) == {"deleted": agent_id, "name": "Ada", "also": []}
        assert await log(client) == [("create_agent", "done", "policy"), ("delete_agent", "done", "preview")]
    assert asked == []


@pytest.mark.parametrize(("transport", "era"), NO_BACK_CHANNEL)
async def test_without_a_back_channel_a_secret_waits_for_a_person_elsewhere(app: App, transport: str, era: str) -> None:
    async with reach(app, era, "yes", transport) as (client, asked):
        first = await client.call_tool("create_secret", {"name": "crm", "value": "abc"})
    assert refusal_facts(first)["needs_approval"] == "person"
    assert asked == []


@pytest.mark.parametrize("era", ERAS)
async def test_each_question_says_what_it_is_about(app: App, era: str) -> None:
    async with reach(app, era, "yes") as (client, asked):
        agent = await make_agent(client)
        document = facts(await client.call_tool("create_text_document", {"text": "x" * 1234, "name": "Handbook"}))
        twilio = {"phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1", "twilio_token": "hush-hush"}
        number = facts(await client.call_tool("import_phone_number", twilio))["phone_number_id"]
        assign = {"phone_number_id": number, "agent_id": agent}
        assert facts(await client.call_tool("update_phone_number", assign))["answered_by"] == f"Ada ({agent})"
        secret = facts(await client.call_tool("create_secret", {"name": "crm", "value": "abc"}))["secret_id"]
        changed = {"secret_id": secret, "name": "crm2", "value": "abcd"}
        facts(await client.call_tool("update_secret", changed))
        said = facts(await client.call_tool("simulate_conversation", {"agent_id": agent, "caller": "Hello"}))
        for tool, arguments in (
            ("delete_conversation", {"conversation_id": said["conversation_id"]}),
            ("delete_secret", {"secret_id": secret}),
            ("delete_document", {"document_id": document["document_id"], "force": True}),
            ("delete_agent", {"agent_id": agent}),
            ("delete_phone_number", {"phone_number_id": number}),
        ):
            facts(await client.call_tool(tool, arguments))
    assert asked == snapshot(
        [
            "Import phone number +15551234567 as 'Desk'.",
            "Change phone number +15551234567 (Desk). Callers will reach Ada (agent_1) instead of nobody. It sets agent_id = 'agent_1'.",
            "Store a secret named 'crm' (3 characters).",
            "Replace secret 'crm' (secret_4) by 'crm2' (4 characters); the old value is lost. Nothing uses it.",
            "Delete rehearsal conv_5 of 2027-01-15 08:00 UTC with agent agent_1 for good: 3 turns, analysis and recording.",
            "Delete secret 'crm2' (secret_4) for good.",
            "Delete document 'Handbook' (doc_2, 1,234 bytes) for good.",
            "Delete agent 'Ada' (agent_1) for good, with its configuration. +15551234567 would have no agent to answer.",
            "Take out phone number +15551234567 (Desk) for good, with its credentials.",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_call_later_is_asked_again(app: App, era: str) -> None:
    async with reach(app, era, "yes") as (client, asked):
        for _ in range(2):
            secret = facts(await client.call_tool("create_secret", {"name": "crm", "value": "abc"}))
            facts(await client.call_tool("delete_secret", {"secret_id": secret["secret_id"]}))
    assert [question.split()[0] for question in asked] == ["Store", "Delete", "Store", "Delete"]


class Modern:
    """A client of the newest revision that answers by hand, so that it can say the same thing twice."""

    def __init__(self, client: Client) -> None:
        self._call: Any = client.session.call_tool

    async def ask(self, tool: str, arguments: dict[str, Any]) -> tuple[str, str]:
        """Key and sealed state of the question that the call leads to."""
        asked = await self._call(tool, arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        [key] = asked.input_requests or {}
        return key, str(asked.request_state)

    async def answer(self, tool: str, arguments: dict[str, Any], asked: tuple[str, str], *, yes: bool = True) -> Any:
        said = ElicitResult(action="accept", content={"approve": yes})
        return await self._call(tool, arguments, input_responses={asked[0]: said}, request_state=asked[1])


@pytest.mark.parametrize("transport", ["memory", "http", "stateless", "json"])
async def test_an_answer_is_good_once_and_for_its_own_call(app: App, transport: str) -> None:
    async with reach(app, MODERN, "yes", transport) as (client, _):
        modern, asked_for = Modern(client), {"name": "crm", "value": "abc"}
        asked = await modern.ask("create_secret", asked_for)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await modern.answer("create_secret", {"name": "other", "value": "abc"}, asked)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await modern.answer("delete_secret", asked_for, asked)
        first = facts(await modern.answer("create_secret", asked_for, asked))
        facts(await modern.answer("delete_secret", {"secret_id": first["secret_id"]}, await modern.ask(
            "delete_secret", {"secret_id": first["secret_id"]}
        )))  # fmt: skip
        again = await modern.answer("create_secret", asked_for, asked)
        assert facts(await client.call_tool("list_secrets", {}))["secrets"] == []
    assert text(again) == "This approval was used already. Call again to ask anew."


async def test_a_no_cannot_be_turned_into_a_yes(app: App) -> None:
    async with reach(app, MODERN, "yes") as (client, _):
        modern, asked_for = Modern(client), {"name": "crm", "value": "abc"}
        asked = await modern.ask("create_secret", asked_for)
        assert text(await modern.answer("create_secret", asked_for, asked, yes=False)).startswith("The user said no.")
        assert text(await modern.answer("create_secret", asked_for, asked)).startswith("This approval was used already")
        assert facts(await client.call_tool("list_secrets", {}))["secrets"] == []


async def test_of_ten_answers_at_once_one_acts(app: App) -> None:
    done: list[bool] = []
    async with reach(app, MODERN, "yes") as (client, _):
        modern, asked_for = Modern(client), {"phone_number_id": "", "agent_id": await make_agent(client)}
        twilio = {"phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1", "twilio_token": "hush-hush"}
        asked_for["phone_number_id"] = facts(await client.call_tool("import_phone_number", twilio))["phone_number_id"]
        asked = await modern.ask("update_phone_number", asked_for)

        async def answer() -> None:
            done.append(not (await modern.answer("update_phone_number", asked_for, asked)).is_error)

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(answer)
        assert (await log(client)).count(("update_phone_number", "done", "person")) == 1
    assert sorted(done) == [False] * 9 + [True]


async def test_what_changed_between_question_and_answer_is_refused(app: App) -> None:
    async with reach(app, MODERN, "yes") as (client, _):
        modern, agent_id = Modern(client), await make_agent(client)
        asked = await modern.ask("delete_agent", {"agent_id": agent_id})
        facts(await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob"}))
        refused = await modern.answer("delete_agent", {"agent_id": agent_id}, asked)
        assert text(refused) == (
            "Not done: what this affects has changed since it was asked."
            f" Then: Delete agent 'Ada' ({agent_id}) for good, with its configuration."
            f" Now: Delete agent 'Bob' ({agent_id}) for good, with its configuration. Call again to ask anew."
        )
        assert ("delete_agent", "refused", "policy") in await log(client)
        assert facts(await client.call_tool("delete_agent", {"agent_id": agent_id}))["name"] == "Bob"


@pytest.mark.parametrize("era", ERAS)
async def test_what_changes_while_a_person_thinks_is_refused(app: App, era: str) -> None:
    made: list[str] = []

    async def thinks(context: Any, params: Any) -> ElicitResult:
        await (await app.api()).send(UpdateAgent(agent_id=made[0], name="Bob"))
        return ElicitResult(action="accept", content={"approve": True})

    async with Client(build_server(app), mode=era, elicitation_callback=thinks) as client:
        made.append(await make_agent(client))
        refused = await client.call_tool("delete_agent", {"agent_id": made[0]})
        assert text(refused).startswith(
            "Not done: what this affects has changed since it was asked. Then: Delete agent"
        )
        assert await exists(client, made[0])


async def test_a_delete_that_the_platform_never_answers_stays_unknown(tmp_path: Path) -> None:
    """The hosted platform takes the request and the line breaks: nobody knows whether the agent is gone."""
    agent = (
        b'{"agent_id":"agent_1","name":"Ada","conversation_config":{},'
        b'"metadata":{"created_at_unix_secs":1,"updated_at_unix_secs":1}}'
    )

    async def breaks_on_delete(stream: SocketStream) -> None:
        request = await stream.receive()
        if request.startswith(b"GET"):
            head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(agent)
            await stream.send(head + agent)

    async with peer(breaks_on_delete) as url:
        hosted = App(settings(tmp_path, api_url=url, api_key="k" * 20), "hosted")
        async with reach(hosted, says="yes") as (client, _):
            broken = await client.call_tool("delete_agent", {"agent_id": "agent_1"})
            logged = await log(client)
            [change] = facts(await client.call_tool("list_changes", {"target": "agent_1"}))["changes"]
    assert text(broken) == snapshot(
        "The exchange with the platform broke off (RemoteProtocolError). Whether it was carried out is not known: look before you repeat it."
    )
    assert logged == [("delete_agent", "unknown", "person")]
    assert change["platform"].startswith(f"hosted {url.removeprefix('http://')} ")
    assert (change["undoable"], change.get("undone_by")) == (True, None)


async def test_what_the_platform_refuses_is_logged_as_failed(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        nowhere = {"agent_id": await make_agent(client), "tool_ids": ["tool_nowhere"]}
        refused = await client.call_tool("update_agent", nowhere)
        assert refused.is_error
        assert ("update_agent", "failed", "person") in await log(client)
