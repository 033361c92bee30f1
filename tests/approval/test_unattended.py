"""What a client gets that cannot ask its user: a preview and a token, a person elsewhere, or a refusal."""

import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.types import CallToolResult

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.settings import Unattended

from ..commands.test_cli import at_terminal
from ..http_server.tokens_fixture import entering, served
from ..http_server.tokens_fixture import token as token_of
from ..transports import Clock, facts, numbered, reach, refusal_facts, server, settings, text

pytestmark = pytest.mark.anyio

SECRET = {"name": "crm", "value": "abc"}
USED = "This approval_token was used already, or has expired. Call without it to get a new preview."


async def make_agent(client: Client, name: str = "Ada") -> str:
    return facts(await client.call_tool("create_agent", {"name": name, "prompt": "Help."}))["agent_id"]


def given(result: CallToolResult) -> dict[str, Any]:
    """What a call that was not carried out answers instead."""
    assert result.is_error
    return refusal_facts(result)


# --- a preview and a token


async def test_a_token_opens_only_the_call_that_it_was_given_for(app: App) -> None:
    async with reach(app) as (client, _):
        ada, bob = await make_agent(client), await make_agent(client, "Bob")
        token = {"approval_token": given(await client.call_tool("delete_agent", {"agent_id": ada}))["approval_token"]}
        document = facts(await client.call_tool("create_text_document", {"text": "x", "name": "Handbook"}))
        lent = [("delete_agent", {"agent_id": bob}), ("delete_document", {"document_id": document["document_id"]})]
        for tool, arguments in lent:
            refused = await client.call_tool(tool, {**arguments, **token})
            assert text(refused) == (
                "This approval_token was given for other arguments. Call without it to get a new preview."
            )
        assert facts(await client.call_tool("delete_agent", {"agent_id": ada, **token}))["deleted"] == ada
        assert facts(await client.call_tool("get_agent", {"agent_id": bob}))["name"] == "Bob"


async def test_a_token_is_good_once(app: App) -> None:
    async with reach(server(settings(app.settings.home, toolsets=("all",)))) as (client, _):
        test = {"name": "Polite", "history": ["user: Hello"], "condition": "is polite"}
        asked = {"test_id": facts(await client.call_tool("create_agent_test", test))["test_id"]}
        attached = {"name": "Ada", "prompt": "p", "test_ids": [*asked.values()]}
        facts(await client.call_tool("create_agent", attached))
        token = given(await client.call_tool("delete_agent_test", asked))["approval_token"]
        in_use = await client.call_tool("delete_agent_test", {**asked, "approval_token": token})
        again = await client.call_tool("delete_agent_test", {**asked, "approval_token": token})
    assert "Ada" in text(in_use)
    assert text(again) == USED


async def test_a_token_expires(app: App, clock: Clock) -> None:
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]
        clock.forward(seconds=301)
        late = await client.call_tool("delete_agent", {**asked, "approval_token": token})
        assert text(late) == USED
        assert facts(await client.call_tool("get_agent", asked))["name"] == "Ada"


async def test_a_token_survives_a_restart(app: App, clock: Clock) -> None:
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]
    again = App(app.settings, "embedded", clock=clock, ids=numbered())
    async with reach(again) as (client, _):
        assert facts(await client.call_tool("delete_agent", {**asked, "approval_token": token}))["name"] == "Ada"


def shorter(token: str) -> object:
    return token[:-4]


def flipped(token: str) -> object:
    raw = bytearray(base64.urlsafe_b64decode(token + "=="))
    raw[20] ^= 1
    return base64.urlsafe_b64encode(raw).decode()


FORGERIES: list[Callable[[str], object]] = [
    shorter,
    flipped,
    lambda _: "",
    lambda _: "AAAA" * 20,
    lambda _: "ünïcode",
    lambda _: "short",
    lambda _: 7,
    lambda _: True,
    lambda token: [token],
    lambda token: {"approval_token": token},
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forged_token_is_refused(app: App, forge: Callable[[str], object]) -> None:
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]
        refused = await client.call_tool("delete_agent", {**asked, "approval_token": forge(token)})
        assert text(refused) == "This approval_token is not valid. Call without it to get a new preview."
        assert facts(await client.call_tool("get_agent", asked))["name"] == "Ada"


async def test_of_ten_calls_with_one_token_one_acts(app: App) -> None:
    done: list[bool] = []
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]

        async def act() -> None:
            done.append(not (await client.call_tool("delete_agent", {**asked, "approval_token": token})).is_error)

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(act)
    assert sorted(done) == [False] * 9 + [True]


async def test_a_client_that_can_be_asked_is_asked_whatever_token_it_brings(app: App) -> None:
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]
    async with reach(app, says="no") as (client, questions):
        assert given(await client.call_tool("delete_agent", {**asked, "approval_token": token})) == {"declined": True}
    assert len(questions) == 1


async def test_a_token_does_not_outlive_the_facts_that_it_showed(app: App) -> None:
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        token = given(await client.call_tool("delete_agent", asked))["approval_token"]
        facts(await client.call_tool("update_agent", {**asked, "name": "Bob"}))
        refused = await client.call_tool("delete_agent", {**asked, "approval_token": token})
        assert "Then: Delete agent 'Ada'" in text(refused)
        anew = given(await client.call_tool("delete_agent", asked))
        assert anew["would"].startswith("Delete agent 'Bob'")
        stale = await client.call_tool("delete_agent", {**asked, "approval_token": token})
        assert text(stale) == USED
        assert facts(await client.call_tool("delete_agent", {**asked, "approval_token": anew["approval_token"]}))


# --- a person elsewhere


def approve(app: App, *code: str) -> str:
    """The command, and a person who types yes."""
    return at_terminal(app.settings.home, "approve", *code, typed="yes\n").stdout


async def test_a_person_approves_outside_and_the_repeated_call_runs_once(tmp_path: Path) -> None:
    app = App(settings(tmp_path), "embedded", ids=numbered())  # the clock of the other process is the real one
    async with reach(app) as (client, _):
        first = await client.call_tool("create_secret", SECRET)
        code = given(first)["approve_with"].split()[-1]
        assert given(first) == {
            "needs_approval": "person",
            "would": "Store a secret named 'crm' (3 characters).",
            "why": "secret",
            "approve_with": f"callwright approve {code}",
        }
        assert text(first) == (
            "Not done yet. Store a secret named 'crm' (3 characters). This needs a person (secret), and this client"
            f" cannot ask one. Ask the user to run `callwright approve {code}` in a terminal and answer there within 15"
            " minutes. When they have agreed, call create_secret again with the same arguments."
        )
        assert given(await client.call_tool("create_secret", SECRET)) == given(first)  # nobody has approved yet
        assert f"{code}  create_secret" in await anyio.to_thread.run_sync(approve, app)
        said = await anyio.to_thread.run_sync(approve, app, code.lower())
        assert said == snapshot("""\
create_secret: Store a secret named 'crm' (3 characters).
Approve? Type yes: Approved. Call create_secret again within 14 minutes, arguments unchanged.
""")
        other = given(await client.call_tool("create_secret", {"name": "crm", "value": "abd"}))
        assert other["approve_with"] != given(first)["approve_with"]
        assert facts(await client.call_tool("create_secret", SECRET))["name"] == "crm"
        again = given(await client.call_tool("create_secret", {**SECRET}))
        assert again["needs_approval"] == "person"
        [change] = facts(await client.call_tool("list_changes", {}))["changes"]
        assert (change["tool"], change["approved_by"], change["outcome"]) == ("create_secret", "person", "done")
        assert "Nothing with the code" in await anyio.to_thread.run_sync(approve, app, code)
        assert (await anyio.to_thread.run_sync(approve, app, "NOSUCH22")) == (
            f"Nothing with the code 'NOSUCH22' waits in {tmp_path}: it was used, declined or has expired. Call the tool again.\n"
        )


async def waiting_code(client: Client, arguments: dict[str, str] = SECRET) -> str:
    return given(await client.call_tool("create_secret", arguments))["approve_with"].split()[-1]


async def test_an_approval_expires_before_and_after_the_person_came(app: App, clock: Clock) -> None:
    ledger = await app.ledger()
    async with reach(app) as (client, _):
        late = await waiting_code(client)
        clock.forward(seconds=901)
        assert await ledger.approve(late) is None
        code = await waiting_code(client)
        assert code != late
        assert await ledger.approve(code)
        clock.forward(seconds=901)
        assert await waiting_code(client) not in (code, late)
        assert facts(await client.call_tool("list_secrets", {}))["secrets"] == []


async def test_a_person_cannot_approve_what_a_token_is_for(app: App) -> None:
    async with reach(app) as (client, _):
        given(await client.call_tool("delete_agent", {"agent_id": await make_agent(client)}))
    ledger = await app.ledger()
    assert await ledger.waiting() == []


async def test_who_was_approved_elsewhere_is_not_asked_again(app: App) -> None:
    async with reach(app) as (client, _):
        code = await waiting_code(client)
    assert await (await app.ledger()).approve(code)
    async with reach(app, says="no") as (client, asked):
        assert facts(await client.call_tool("create_secret", SECRET))["name"] == "crm"
    assert asked == []


@asynccontextmanager
async def callers(app: App, elicitation_callback: Any = None) -> AsyncGenerator[tuple[Client, Client]]:
    """Two callers of one server, whom their tokens tell apart; they can ask where `elicitation_callback` answers."""
    async with (
        served(app, Principal("ann"), Principal("ben")) as url,
        entering(url, token_of("ann"), asks=False, elicitation_callback=elicitation_callback) as ann,
        entering(url, token_of("ben"), asks=False, elicitation_callback=elicitation_callback) as ben,
    ):
        yield ann, ben


async def test_nobody_uses_an_approval_that_another_asked_for(app: App) -> None:
    async with callers(app) as (ann, ben):
        assert await (await app.ledger()).approve(await waiting_code(ann))
        assert given(await ben.call_tool("create_secret", SECRET))["needs_approval"] == "person"
        assert facts(await ann.call_tool("create_secret", SECRET))["name"] == "crm"
        asked = {"agent_id": await make_agent(ann)}
        token = {"approval_token": given(await ann.call_tool("delete_agent", asked))["approval_token"]}
        assert "given for other arguments" in text(await ben.call_tool("delete_agent", {**asked, **token}))
        assert facts(await ann.call_tool("delete_agent", {**asked, **token}))["name"] == "Ada"
        changes = facts(await ben.call_tool("list_changes", {}))["changes"]
    assert {change["who"] for change in changes} == {"ann"}


# --- the setting


@pytest.mark.parametrize(
    ("unattended", "delete", "secret"),
    [("person", "preview", "person"), ("token", "preview", "preview"), ("refuse", None, None)],
)
async def test_a_setting_moves_the_line(
    tmp_path: Path, unattended: Unattended, delete: str | None, secret: str | None
) -> None:
    app = App(settings(tmp_path, unattended=unattended), "embedded", ids=numbered())
    async with reach(app) as (client, _):
        asked = {"agent_id": await make_agent(client)}
        for tool, arguments, expected in (("delete_agent", asked, delete), ("create_secret", SECRET, secret)):
            result = await client.call_tool(tool, arguments)
            assert given(result).get("needs_approval") == expected
            if expected is None:
                assert "the server refuses such calls (CALLWRIGHT_UNATTENDED=refuse)" in text(result)
        outcomes = [change["outcome"] for change in facts(await client.call_tool("list_changes", {}))["changes"]]
    assert outcomes.count("refused") == (2 if unattended == "refuse" else 0)


async def test_with_tokens_for_everything_a_guarded_change_takes_one_too(tmp_path: Path) -> None:
    app = App(settings(tmp_path, unattended="token"), "embedded", ids=numbered())
    async with reach(app) as (client, _):
        closed = {"platform_settings": {"auth": {"enable_auth": False}}}
        asked = {"agent_id": await make_agent(client), "config": closed}
        first = given(await client.call_tool("update_agent", asked))
        assert first["would"] == (
            "Change agent 'Ada' (agent_1): platform_settings.auth.enable_auth."
            " It sets platform_settings.auth = {enable_auth: False}."
        )
        done = await client.call_tool("update_agent", {**asked, "approval_token": first["approval_token"]})
        assert facts(done)["name"] == "Ada"
