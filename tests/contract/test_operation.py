from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import Field, SecretStr, ValidationError

from callwright.contract.agents import (
    ConversationConfig,
    CreateAgent,
    GetAgent,
    ListAgents,
    SimulateConversation,
    UpdateAgent,
)
from callwright.contract.calls import CancelBatchCall
from callwright.contract.knowledge_base import DeleteDocument, GetDocumentContent, ListDocuments
from callwright.contract.operation import Blob, Operation, Query, Stream
from callwright.contract.phone_numbers import ListPhoneNumbers, UpdatePhoneNumber
from callwright.contract.secrets import CreateSecret, DeleteSecret


class Upload(Operation[None], method="POST", path="/v1/files/{folder}"):
    folder: str
    file: Blob
    name: str | None = None


@pytest.mark.parametrize(
    "bad", ["", ".", "..", "../secrets", "a/b", "a%2Fb", "a\\b", "a\n", "a b", "a?x", "é", "a" * 129]
)
def test_an_id_cannot_reach_another_endpoint(bad: str) -> None:
    with pytest.raises(ValidationError):
        GetAgent(agent_id=bad)


@pytest.mark.parametrize("bad", ["", ".", "..", "...", "a/b", "a\\b", "a\n", "a\ud800", "/" * 999])
def test_neither_can_a_free_path_segment(bad: str) -> None:
    with pytest.raises(ValueError, match=r"^.{,70} cannot stand in a path$"):
        Upload(folder=bad, file=Blob("text/plain", b"")).url()


@given(st.text())
def test_whatever_a_segment_is_the_url_keeps_its_template(folder: str) -> None:
    try:
        url = Upload(folder=folder, file=Blob("text/plain", b"")).url()
    except ValueError:
        return
    assert url.isascii()
    assert url.count("/") == 3
    assert url.startswith("/v1/files/")
    assert not {"?", "#"} & set(url)


def test_absent_and_null_are_two_things() -> None:
    assert UpdateAgent(agent_id="a").body() == {}
    assert UpdateAgent(agent_id="a", name=None).body() == {"name": None}
    assert ListAgents(search=None, page_size=5).query() == {"page_size": 5}
    assert UpdatePhoneNumber(phone_number_id="p", agent_id=None).body() == {"agent_id": None}


def test_fields_travel_where_they_belong() -> None:
    assert DeleteDocument(documentation_id="d", force=True).query() == {"force": True}
    assert DeleteDocument(documentation_id="d").body() is None
    upload = Upload(folder="f", file=Blob("text/plain", b"x", "x.txt"), name="X")
    assert (upload.multipart(), upload.body(), upload.files()) == (
        True,
        {"name": "X"},
        {"file": Blob("text/plain", b"x", "x.txt")},
    )


def test_what_takes_no_body_sends_none() -> None:
    assert CancelBatchCall(batch_id="b").body() is None
    assert CancelBatchCall.parse({"batch_id": "b"}, {}, {"new": 1}).body() == {"new": 1}
    assert UpdateAgent(agent_id="a").body() == {}


def test_unknown_fields_are_kept_and_shadow_nothing() -> None:
    op = UpdateAgent.parse({"agent_id": "a"}, {"x": "1"}, {"agent_id": "b", "url": 1, "method": "GET", "new": {"y": 2}})
    assert (op.agent_id, op.method, op.url()) == ("a", "PATCH", "/v1/convai/agents/a")
    assert op.body() == {"x": "1", "url": 1, "method": "GET", "new": {"y": 2}}


def test_a_query_parameter_that_stands_once_is_a_list_of_one() -> None:
    assert ListDocuments.parse({}, {"types": "url"}, {}).types == ["url"]
    assert ListDocuments.parse({}, {"types": ["url", "text"]}, {}).query() == {"types": ["url", "text"]}


def test_a_write_only_value_shows_on_the_wire_alone() -> None:
    op = CreateSecret(type="new", name="n", value=SecretStr("canary"))
    assert "canary" not in repr(op) + str(op) + repr(op.model_dump())
    assert op.body() == {"type": "new", "name": "n", "value": "canary"}


def test_answers_are_what_the_class_says() -> None:
    assert (GetDocumentContent.answer(), DeleteSecret.answer()) == (Blob, None)
    assert ListPhoneNumbers.decode(b"[]") == []
    assert DeleteSecret.decode(b"") is None


def test_a_stream_is_read_value_by_value() -> None:
    class Count(Operation[Stream[list[int]]], method="GET", path="/v1/count"):
        pass

    assert (Count.streams(), GetAgent.streams()) == (True, False)
    assert Count.decode_item(b"[1, 2]") == [1, 2]
    with pytest.raises(TypeError, match="Count answers one value after another"):
        Count.decode(b"[1]")
    with pytest.raises(ValidationError):
        Count.decode_item(b"{}")


def test_a_field_that_is_called_like_a_method_has_another_name_here() -> None:
    class Fetch(Operation[None], method="POST", path="/v1/fetch/{query}"):
        page_url: str = Field(alias="url")
        words: str = Field(alias="query")
        upload: Blob | None = Field(default=None, alias="files")

    op = Fetch.parse({"query": "q"}, {}, {"url": "u", "files": Blob("text/plain", b"x"), "page_url": "other"})
    assert Fetch.places() == {"url": "body", "query": "path", "files": "file"}
    assert (op.url(), op.files()) == ("/v1/fetch/q", {"files": Blob("text/plain", b"x")})
    assert (op.page_url, op.body()) == ("u", {"url": "u", "page_url": "other"})


def test_guarded_paths_are_spelt_out_where_they_stand() -> None:
    webhook = {"type": "webhook", "name": "w", "description": "d", "api_schema": {"url": "https://example.com"}}
    transfer = {"params": {"transfers": [{"agent_id": "b", "condition": "always"}]}}
    prompt = {
        "tools": [webhook],
        "built_in_tools": {"transfer_to_agent": transfer},
        "custom_llm": {"url": "https://example.com/v1", "request_headers": {"x-team": "a"}},
        "mcp_server_ids": ["m"],
    }
    human = {"type": "phone_number", "transfer_destination": {"type": "phone", "phone_number": "+15551234567"}}
    op = CreateAgent.parse(
        {},
        {},
        {
            "conversation_config": {"agent": {"prompt": prompt}, "tts": {"speed": 1.1}},
            "workflow": {"nodes": {"human": human, "other": {"type": "standalone_agent", "agent_id": "b"}}},
            "platform_settings": {"auth": {"enable_auth": False}, "privacy": {"retention_days": 1}, "archived": True},
        },
    )
    assert [place.shown for place in op.guarded_places()] == snapshot(
        [
            "conversation_config.agent.prompt.built_in_tools.transfer_to_agent.params.transfers",
            "conversation_config.agent.prompt.custom_llm",
            "conversation_config.agent.prompt.custom_llm.request_headers",
            "conversation_config.agent.prompt.custom_llm.url",
            "conversation_config.agent.prompt.mcp_server_ids",
            "conversation_config.agent.prompt.tools.0.api_schema.url",
            "platform_settings.auth",
            "platform_settings.privacy",
            "workflow.nodes.human.transfer_destination",
            "workflow.nodes.other.agent_id",
        ]
    )


def test_a_plain_change_is_not_guarded() -> None:
    op = UpdateAgent.parse({"agent_id": "a"}, {}, {"conversation_config": {"agent": {"prompt": {"prompt": "Hi"}}}})
    assert op.guarded_places() == ()


def test_a_rehearsal_is_guarded_only_where_it_would_reach_out() -> None:
    user = {"prompt": {"prompt": "Ask.", "custom_llm": {"url": "https://example.com"}}}
    op = SimulateConversation.parse(
        {"agent_id": "a"}, {}, {"simulation_specification": {"simulated_user_config": user}}
    )
    assert [place.shown for place in op.guarded_places()] == [
        "simulation_specification.simulated_user_config.prompt.custom_llm",
        "simulation_specification.simulated_user_config.prompt.custom_llm.url",
    ]


def test_a_marked_field_of_a_post_travels_in_the_query() -> None:
    class Post(Operation[None], method="POST", path="/v1/post"):
        dry: Annotated[bool, Query()] = False
        text: str = ""

    op = Post(dry=True, text="x")
    assert (op.query(), op.body()) == ({"dry": True}, {"text": "x"})


def test_a_copy_with_another_value_sends_that_value() -> None:
    """A body is made once for each request; the copy is another request."""
    stored = CreateSecret(type="new", name="crm", value=SecretStr("(entered by a person)"))
    before = stored.body()
    entered = stored.model_copy(update={"name": "crm 2"})
    assert (before or {})["name"] == "crm"
    assert (entered.body() or {})["name"] == "crm 2"
    (before or {})["name"] = "changed by its caller"
    assert (stored.body() or {})["name"] == "crm"
    given = {"agent_id": "agent_1", "conversation_config": {"agent": {"prompt": {"tool_ids": ["tool_1"]}}}}
    update = UpdateAgent.model_validate(given)
    assert [place.shown for place in update.guarded_places()] == ["conversation_config.agent.prompt.tool_ids"]
    assert update.model_copy(update={"conversation_config": ConversationConfig()}).guarded_places() == ()
