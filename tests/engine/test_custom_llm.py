"""An agent's own LLM endpoint: how it is asked, that nothing stands in for it, and that its secrets stay secret."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import CreateAgent
from callwright.contract.conversations import GetConversation
from callwright.contract.secrets import UpdateSecret
from callwright.engine.dialogue.llm import ModelFailed
from callwright.engine.dialogue.tools import MockExecutor
from callwright.engine.dialogue.turn import Conversation, ConversationContext
from callwright.engine.models.routing import models_of
from callwright.engine.roles.role_loader import RoleLoader
from callwright.engine.runtime import Engine
from callwright.engine.store.vault import Vault
from callwright.engine.store.vault_key import vault_key
from callwright.net.guard import AllowList
from tests.dialogue.llm_peer import JSON, Call, Fault, Peer, Reply, Say, peer, script
from tests.transports import Clock, numbered, settings

from .helpers import agent, dump, read, refused, secret
from .test_agent_tests import CALL, made
from .test_simulations import rehearse, said
from .test_test_runs import finished, run

pytestmark = pytest.mark.anyio

KEY = "canary-key-77"
OPENED: JSON = {"overrides": {"custom_llm_extra_body": True}}


@dataclass
class House:
    """A server that may call this machine, and one agent with an endpoint of its own."""

    app: App
    api: ApiClient
    agent_id: str
    clock: Clock

    async def talk(self, *more: str, override: JSON | None = None, **told: Any) -> Conversation:
        """A conversation as a client starts it, after one question and its answer, and after `more` of them."""
        allow = AllowList.parse(",".join(self.app.settings.allow_private))
        models = models_of(self.app.settings)
        vault = Vault(vault_key(self.app.settings))
        unit = Engine(await self.app.database(), vault, models, allow, self.clock).unit("default")
        around = ConversationContext(MockExecutor(), lambda: 0.0, lambda: "0" * 32, **told)
        role = await RoleLoader(unit, self.agent_id, override).role(self.agent_id)
        talk = Conversation("conv_1", role, around, given={"tenant": "north"})
        try:
            for question in ("When do you open?", *more):
                await talk.listen(question)
                await talk.answer()
        finally:
            await models.aclose()
        return talk


@asynccontextmanager
async def house(
    home: Path,
    at: Peer,
    custom: JSON | None = None,
    platform: JSON | None = None,
    private: str = "127.0.0.1",
    **rest: Any,
) -> AsyncGenerator[House]:
    """`custom` is laid over an endpoint at `at`; a secret named `KEY` in it is stored, and its id put in."""
    clock = Clock()
    app = App(settings(home, allow_private=(private,), **rest), "embedded", clock=clock, ids=numbered())
    api = await app.api()
    text = json.dumps({"url": at.base_url, "model_id": "mine", **(custom or {})})
    if "KEY" in text:
        text = text.replace("KEY", await secret(api, value=KEY))
    prompt = {"prompt": "Be brief.", "llm": "custom-llm", "custom_llm": json.loads(text)}
    config = {"agent": {"first_message": "", "prompt": prompt}}
    yield House(app, api, await agent(api, config, platform_settings=platform or {}), clock)
    await app.close()


async def test_an_agents_own_endpoint_is_asked_as_the_platform_asks_it(tmp_path: Path) -> None:
    custom: JSON = {"api_key": {"secret_id": "KEY"}}
    async with peer(script(Say("At nine."))) as at, house(tmp_path, at, custom, OPENED) as found:
        await found.talk(user_id="bo", extra_body={"UUID": "123", "deep": {"a": 1}})
    [request] = at.requests
    assert request.pop("messages")[1:] == [{"role": "user", "content": "When do you open?"}]
    assert request == snapshot(
        {
            "model": "mine",
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.0,
            "user_id": "bo",
            "elevenlabs_extra_body": {"UUID": "123", "deep": {"a": 1}},
        }
    )
    assert at.headers[0]["authorization"] == f"Bearer {KEY}"


async def test_the_extra_body_goes_out_only_where_the_agent_lets_it_through(tmp_path: Path) -> None:
    async with peer(script(Say("At nine."))) as at, house(tmp_path, at) as found:
        await found.talk(extra_body={"UUID": "123"})
    assert "elevenlabs_extra_body" not in at.requests[0]
    assert "authorization" not in at.headers[0]


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/chat/completions/", "/v1/chat/completions"),
        ("/..", "/chat/completions"),
        ("?tier=2", "/v1/chat/completions?tier=2"),
    ],
)
async def test_every_form_of_the_address_leads_to_the_endpoint(tmp_path: Path, form: str, path: str) -> None:
    async with peer(script(Say("At nine."))) as at:
        url = at.base_url.removesuffix("/v1") if form == "/.." else at.base_url + form
        async with house(tmp_path, at, {"url": url}) as found:
            await found.talk()
    assert at.paths == [path]


async def test_azure_gets_its_version_in_the_query_and_its_key_in_its_own_header(tmp_path: Path) -> None:
    custom: JSON = {"api_key": {"secret_id": "KEY"}, "api_version": "2024-06-01"}
    async with peer(script(Say("At nine."))) as at, house(tmp_path, at, custom) as found:
        await found.talk()
    assert at.paths == ["/v1/chat/completions?api-version=2024-06-01"]
    assert (at.headers[0]["api-key"], "authorization" in at.headers[0]) == (KEY, False)


async def test_headers_are_texts_secrets_and_variables(tmp_path: Path) -> None:
    headers: JSON = {"x-plain": "yes", "authorization": {"secret_id": "KEY"}, "x-tenant": {"variable_name": "tenant"},
        "x-talk": {"variable_name": "system__conversation_id"}}  # fmt: skip
    async with peer(script(Say("At nine."))) as at, house(tmp_path, at, {"request_headers": headers}) as found:
        await found.talk()
    sent = at.headers[0]
    assert [sent[name] for name in headers] == ["yes", KEY, "north", "conv_1"]


async def test_a_secret_that_changed_is_used_from_the_next_request_on(tmp_path: Path) -> None:
    async with peer(script(Say("At nine."))) as at, house(tmp_path, at, {"api_key": {"secret_id": "KEY"}}) as found:
        await found.talk()
        change = {"type": "update", "secret_id": "secret_1", "name": "CRM", "value": "second-key"}
        await found.api.send(UpdateSecret.model_validate(change))
        await found.talk()
    assert [sent["authorization"] for sent in at.headers] == [f"Bearer {KEY}", "Bearer second-key"]


async def test_words_that_hold_the_voice_are_kept_as_they_came(tmp_path: Path) -> None:
    async with peer(script(Say("One moment... We open at nine."))) as at, house(tmp_path, at) as found:
        talk = await found.talk()
    assert talk.transcript[-1]["message"] == "One moment... We open at nine."
    assert talk.transcript[-1]["llm_override"] is None
    assert list(talk.transcript[-1]["llm_usage"]["model_usage"]) == ["custom-llm"]


@pytest.mark.parametrize("trouble", [Fault(500), Say(error="Internal error occurred!")], ids=repr)
async def test_nothing_stands_in_for_an_endpoint_of_ones_own(tmp_path: Path, trouble: Reply) -> None:
    async with peer(script(trouble)) as at, peer(script(Say("I am another"))) as other:
        routes = tmp_path / "routes.json"
        names = ("*", "custom-llm", "gemini-2.5-flash")
        routes.write_text(json.dumps({name: {"base_url": other.base_url} for name in names}))
        async with house(tmp_path / "home", at, llm_routes=routes) as found:
            answer = dump(await found.api.send(rehearse(found.agent_id, {"first_message": "Hello"})))
    assert said(answer["simulated_conversation"]) == ["user: Hello"]
    assert (len(at.requests), len(other.requests)) == (3, 0)


async def test_what_an_endpoint_refused_once_is_not_sent_again_in_the_conversation(tmp_path: Path) -> None:
    def reply(request: JSON) -> Reply:
        refusal = {"error": {"message": "Unknown parameter: temperature"}}
        return Fault(400, refusal) if "temperature" in request else Say("Hm.")

    async with peer(reply) as at, house(tmp_path, at) as found:
        await found.talk("And on Sunday?")
    assert ["temperature" in request for request in at.requests] == [True, False, False]


async def test_a_rehearsal_and_a_test_run_use_it(tmp_path: Path) -> None:
    def reply(request: JSON) -> Say:
        tools = [tool["function"]["name"] for tool in request.get("tools", ())]
        return (
            Say(calls=(Call(tools[0], '{"reason": "done"}'),))
            if tools
            else Say('{"result": "success", "rationale": "r"}')
        )

    async with peer(reply) as at, house(tmp_path, at, {"api_key": {"secret_id": "KEY"}}) as found:
        test = await made(found.api, CALL)
        started = dump(await found.api.send(run(found.agent_id, test)))
        done = await finished(found.api, started["id"])
        answer = dump(await found.api.send(rehearse(found.agent_id, {"first_message": "Hello"}, new_turns_limit=2)))
        kept = dump(await found.api.send(GetConversation(conversation_id=answer["conversation_id"])))
    assert done["test_runs"][0]["agent_responses"]
    assert {sent["authorization"] for sent in at.headers} == {f"Bearer {KEY}"}
    assert list(kept["metadata"]["charging"]["llm_usage"]["irreversible_generation"]["model_usage"]) == ["custom-llm"]
    assert kept["metadata"]["charging"]["llm_price"] is None


def echoing(status: int) -> Callable[[JSON], Reply]:
    """Repeats the key after so many words that a cut falls into the key."""
    return lambda _: Fault(status, {"error": {"message": f"{'x' * 190} {KEY} is wrong, Bearer {KEY} too"}})


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize(
    "place", [{"api_key": {"secret_id": "KEY"}}, {"request_headers": {"x-key": {"secret_id": "KEY"}}}]
)
async def test_no_secret_gets_into_what_is_told_or_kept(tmp_path: Path, status: int, place: JSON) -> None:
    async with peer(echoing(status)) as at, house(tmp_path, at, place) as found:
        answer = dump(await found.api.send(rehearse(found.agent_id, {"first_message": "Hello"})))
        kept = dump(await found.api.send(GetConversation(conversation_id=answer["conversation_id"])))
    assert str(status) in kept["metadata"]["error"]["reason"]
    assert "canary" not in json.dumps([answer, kept])
    assert not any(b"canary" in file.read_bytes() for file in found.app.settings.home.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("custom", "said_why"),
    [
        (
            {"request_headers": {"x-t": {"variable_name": "nobody"}}},
            snapshot("The header x-t of custom-llm needs the dynamic variable 'nobody'."),
        ),
        (
            {"request_headers": {"x-t": "a\nb"}},
            snapshot("The value for the header x-t of custom-llm has characters that no header may have."),
        ),
    ],
)
async def test_what_is_missing_for_the_request_is_named(tmp_path: Path, custom: JSON, said_why: str) -> None:
    async with peer(script(Say("no"))) as at, house(tmp_path, at, custom) as found:
        answer = dump(await found.api.send(rehearse(found.agent_id, {"first_message": "Hello"})))
    assert answer["ended_because"] == said_why
    assert at.requests == []


async def test_an_agent_without_an_endpoint_says_so_where_the_conversation_chose_it(tmp_path: Path) -> None:
    """No such agent is saved, but whoever starts a conversation may be let choose its model."""
    async with peer(script(Say("no"))) as at, house(tmp_path, at) as found:
        found.agent_id = await agent(found.api, {"agent": {"first_message": ""}})
        with pytest.raises(ModelFailed) as failed:
            await found.talk(override={"agent": {"prompt": {"llm": "custom-llm"}}})
    assert str(failed.value) == snapshot("The agent's model is custom-llm, but its custom_llm has no url.")
    assert at.requests == []


async def test_this_machine_is_called_only_where_the_operator_opens_it(tmp_path: Path) -> None:
    """When the agent is saved, and again when it is called: the operator may have changed their mind."""
    async with peer(script(Say("no"))) as at:
        async with house(tmp_path, at) as found:
            config = (await read(found.api, found.agent_id))["conversation_config"]
        app = App(settings(tmp_path), "embedded", ids=numbered())
        api = await app.api()
        unsaved = CreateAgent.model_validate({"conversation_config": config})
        assert "CALLWRIGHT_ALLOW_PRIVATE" in str(await refused(api, unsaved))
        answer = dump(await api.send(rehearse(found.agent_id, {"first_message": "Hello"})))
        await app.close()
    assert "may not be called: 127.0.0.1 leads into a private network" in answer["ended_because"]
    assert at.requests == []


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with peer(script(Say("no"))) as other:
        away = Fault(307, headers={"location": f"{other.base_url}/chat/completions"})
        async with peer(script(away)) as at, house(tmp_path, at, {"api_key": {"secret_id": "KEY"}}) as found:
            answer = dump(await found.api.send(rehearse(found.agent_id, {"first_message": "Hello"})))
    assert "answered 307" in answer["ended_because"]
    assert other.requests == []
