"""Judging conversations, saving recordings, and handing out what starts one, through the MCP client."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callwright.app import App
from callwright.contract.agents import SimulateConversation
from callwright.contract.conversations import GetConversation
from tests.engine.helpers import agent
from tests.peers import serving
from tests.transports import ERAS, Clock, facts, platform_host, reach, refusal_facts, settings, text, undigested

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


async def rehearsed(app: App) -> str:
    api = await app.api()
    spec = {"simulated_user_config": {"prompt": {"prompt": "Hello"}}}
    asked = {"agent_id": await agent(api, name="Ada"), "simulation_specification": spec}
    done = await api.send(SimulateConversation.model_validate(asked))
    return (done.model_extra or {})["conversation_id"]


async def test_feedback_is_counted_without_asking(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    conversation = await rehearsed(app)
    async with reach(app) as (client, _):
        given = {"conversation_id": conversation, "feedback": "like"}
        assert facts(await client.call_tool("send_feedback", given)) == {
            "conversation_id": conversation,
            "counted": "like",
        }
        found = await (await app.api()).send(GetConversation(conversation_id=conversation))
        assert found.metadata.feedback is not None
        assert (found.metadata.feedback.likes, found.metadata.feedback.dislikes) == (1, 0)
        wrong = await client.call_tool("send_feedback", {**given, "feedback": "meh"})
        assert text(wrong) == "feedback: input should be 'like' or 'dislike'."


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_agrees_before_a_key_leaves(tmp_path: Path, clock: Clock, era: str) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api(), name="Ada")
    async with reach(app, era, "yes") as (client, asked):
        many = facts(await client.call_tool("get_signed_url", {"agent_id": ada}))
        once = facts(await client.call_tool("get_signed_url", {"agent_id": ada, "single_use": True}))
        session = facts(await client.call_tool("get_session_token", {"agent_id": ada, "participant_name": "Bo"}))
    assert [undigested(question) for question in asked] == snapshot(
        [
            "Hand out a URL: for 15 minutes, whoever has it can start any number of conversations with agent 'Ada' (agent_1). A yes is for the agent as it is now (digest).",
            "Hand out a URL: for 15 minutes, whoever has it can start one conversation with agent 'Ada' (agent_1). A yes is for the agent as it is now (digest).",
            "Hand out a token: whoever has it can start a conversation as 'Bo' with agent 'Ada' (agent_1). A yes is for the agent as it is now (digest).",
        ]
    )
    assert many["signed_url"].startswith(
        f"ws://{platform_host(app)}/v1/convai/conversation?agent_id={ada}&conversation_signature="
    )
    assert "&conversation_id=conv_" in once["signed_url"]
    assert session.keys() == {"agent_id", "token", "conversation_id"}


@pytest.mark.parametrize("tool", ["get_signed_url", "get_session_token", "get_agent_link"])
async def test_no_key_leaves_for_a_client_that_cannot_ask_its_person(tmp_path: Path, clock: Clock, tool: str) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api(), platform_settings={"auth": {"enable_auth": True}})
    async with reach(app) as (client, _):
        refused = await client.call_tool(tool, {"agent_id": ada})
    assert refused.is_error
    assert refusal_facts(refused)["needs_approval"] == "person"
    assert "ws://" not in text(refused)


async def test_no_key_is_in_the_log_of_changes(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api())
    async with reach(app, says="yes") as (client, _):
        token = facts(await client.call_tool("get_session_token", {"agent_id": ada}))["token"]
        log = text(await client.call_tool("list_changes", {}))
    assert "get_session_token" in log
    assert token not in log
    assert not [
        file for file in (tmp_path / "home").rglob("*") if file.is_file() and token.encode() in file.read_bytes()
    ]


async def test_a_recording_that_is_not_there_leaves_no_file(tmp_path: Path, clock: Clock) -> None:
    roots = tmp_path / "files"
    roots.mkdir()
    app = offering(tmp_path, clock, file_roots=(roots,))
    conversation = await rehearsed(app)
    async with reach(app) as (client, _):
        arguments = {"conversation_id": conversation, "path": str(roots / "call.mp3")}
        refused = await client.call_tool("save_conversation_audio", arguments)
    assert text(refused) == (
        f"Conversation '{conversation}' has no recording: it was a rehearsal, which is held in text. Read its transcript."
    )
    assert list(roots.iterdir()) == []


@pytest.mark.embedded_only("makes its hosted platform itself")
async def test_a_recording_is_saved_as_a_new_file_in_an_open_folder(tmp_path: Path) -> None:
    async def audio(_: Request) -> Response:
        return Response(b"ID3 sound", media_type="audio/mpeg")

    roots = tmp_path / "files"
    roots.mkdir()
    (roots / "old.mp3").write_bytes(b"old")
    (roots / "link.mp3").symlink_to(tmp_path / "outside.mp3")
    platform = Starlette(routes=[Route("/v1/convai/conversations/{id}/audio", audio)])
    async with serving(platform) as url:
        chosen = settings(tmp_path / "home", api_url=url, api_key="k" * 20, toolsets=("all",), file_roots=(roots,))
        async with reach(App(chosen, "hosted")) as (client, _):

            async def save(path: Path) -> str:
                arguments = {"conversation_id": "conv_1", "path": str(path)}
                return text(await client.call_tool("save_conversation_audio", arguments))

            new = roots / "call.mp3"
            saved = await save(new)
            assert new.read_bytes() == b"ID3 sound"
            again = await save(new)
            refused = [await save(roots / name) for name in ("old.mp3", "link.mp3", "../outside.mp3", "none/call.mp3")]
    assert saved.splitlines() == [
        "conversation_id: conv_1", f"path: {new}", "media_type: audio/mpeg", "bytes: 9",
    ]  # fmt: skip
    assert again == "call.mp3 exists there already. Choose another name."
    outside = f"Give the path of a new file in {roots}; its folder must exist."
    assert refused == [
        "old.mp3 exists there already. Choose another name.",
        "link.mp3 exists there already. Choose another name.",
        outside,
        outside,
    ]
    assert (roots / "old.mp3").read_bytes() == b"old"
    assert not (tmp_path / "outside.mp3").exists()
