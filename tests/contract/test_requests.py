"""Requests about tools, tests, calls, documents, the workspace and MCP servers: limits, guarded paths, files."""

from typing import Any

import pytest
from pydantic import ValidationError

from callwright.contract.agent_tests import (
    CreateAgentTest,
    ResubmitInvocation,
    RunAgentTests,
)
from callwright.contract.agent_tools import (
    CreateTool,
    UpdateTool,
)
from callwright.contract.calls import CallBySip, CallByTwilio, SubmitBatchCall
from callwright.contract.knowledge_base import CreateDocument, CreateFileDocument, CreateUrlDocument
from callwright.contract.llms import CalculateAgentLlmUsage, CalculateLlmUsage
from callwright.contract.mcp_servers import (
    CreateMcpServer,
    CreateMcpToolApproval,
    CreateMcpToolConfig,
    DeleteMcpToolApproval,
    UpdateMcpApprovalPolicy,
    UpdateMcpServer,
)
from callwright.contract.operation import Blob, Operation
from callwright.contract.widget import UploadAvatar
from callwright.contract.workspace import UpdateWorkspaceSettings

CALL = {"agent_id": "a", "agent_phone_number_id": "p"}
BATCH = {"call_name": "n", "agent_id": "a", "agent_phone_number_id": "p"}
SERVER = {"name": "n", "url": "https://mcp.example.com"}
TEST: dict[str, Any] = {
    "name": "n",
    "chat_history": [{"role": "user", "time_in_call_secs": 0, "message": "Hi"}],
    "success_condition": "greets",
    "success_examples": [{"response": "Hello!", "type": "success"}],
    "failure_examples": [],
}


def problems(op: type[Operation[Any]], path: dict[str, str], body: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and words of what a request gets wrong."""
    try:
        op.parse(path, {}, body)
    except ValidationError as exc:
        return [(".".join(map(str, e["loc"])), e["msg"]) for e in exc.errors()]
    return []


NO_NUMBER = "Value error, must be a phone number with its country code, as in +15551234567"
MCP = {"mcp_server_id": "m"}
WRONG: list[tuple[type[Operation[Any]], dict[str, str], dict[str, Any], list[tuple[str, str]]]] = [
    (CallBySip, {}, CALL | {"to_number": "0301234567"}, [("to_number", NO_NUMBER)]),
    (CallByTwilio, {}, CALL | {"to_number": "+49 30 1"}, [("to_number", NO_NUMBER)]),
    (
        SubmitBatchCall,
        {},
        BATCH | {"recipients": [{"phone_number": "+4930123"}, {"phone_number": "123"}]},
        [("recipients.1.phone_number", NO_NUMBER)],
    ),
    (
        SubmitBatchCall,
        {},
        BATCH | {"recipients": [{"id": "r"}]},
        [("recipients.0", "Value error, a recipient needs a phone_number or a whatsapp_user_id")],
    ),
    (
        SubmitBatchCall,
        {},
        BATCH | {"recipients": []},
        [("recipients", "Value error, must name at least one recipient")],
    ),
    (
        CalculateLlmUsage,
        {},
        {"prompt_length": -1, "number_of_pages": 0, "rag_enabled": True},
        [("prompt_length", "Input should be greater than or equal to 0")],
    ),
    (
        UpdateMcpServer,
        MCP,
        {"response_timeout_secs": 301},
        [("response_timeout_secs", "Input should be less than or equal to 300")],
    ),
    (
        CreateMcpToolConfig,
        MCP,
        {"tool_name": "t", "response_timeout_secs": 4},
        [("response_timeout_secs", "Input should be greater than or equal to 5")],
    ),
    (
        UpdateMcpServer,
        MCP,
        {"request_headers": {"a": {}}, "request_meta": {"a": []}, "auth_connection": {}},
        [
            (
                "request_headers.a",
                'Must be a text, {"secret_id": "..."}, {"variable_name": "..."} or {"env_var_label": "..."}',
            ),
            (
                "request_meta.a",
                'Must be plain, {"secret_id": "..."}, {"variable_name": "..."} or {"env_var_label": "..."}',
            ),
            ("auth_connection", 'Must be {"auth_connection_id": "..."} or {"env_var_label": "..."}'),
        ],
    ),
    (
        CreateMcpServer,
        {},
        {"config": SERVER | {"url": {}, "secret_token": {}}},
        [
            ("config.url", 'Must be a URL or {"secret_id": "..."}'),
            ("config.secret_token", 'Must be {"secret_id": "..."}'),
        ],
    ),
    (CreateDocument, {}, {"name": "n"}, [("", "Value error, give either a url or a file")]),
    (CreateTool, {}, {"tool_config": {"name": "t"}}, [("tool_config", "'type' must say which kind this is")]),
    (
        CreateAgentTest,
        {},
        TEST | {"success_examples": [{"response": "Hello!", "type": "failure"}]},
        [("success_examples.0.type", "Input should be 'success'")],
    ),
]


@pytest.mark.parametrize(("op", "path", "body", "found"), WRONG)
def test_a_request_beyond_a_limit_is_refused_at_its_place(
    op: type[Operation[Any]], path: dict[str, str], body: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(op, path, body) == found


@pytest.mark.parametrize(
    ("op", "path", "body"),
    [
        (CallBySip, {}, CALL | {"to_number": "+4930123"}),
        (SubmitBatchCall, {}, BATCH | {"recipients": [{"whatsapp_user_id": "w"}, {"phone_number": "+4930123"}]}),
        (CalculateAgentLlmUsage, {"agent_id": "a"}, {"prompt_length": None, "rag_enabled": False}),
        (CreateMcpToolConfig, MCP, {"tool_name": "files.read", "response_timeout_secs": 5}),
        (CreateAgentTest, {}, TEST | {"type": "simulation", "dynamic_variables": {"a": None, "b": 1}}),
        (CreateMcpServer, {}, {"config": SERVER | {"approval_policy": "ask_the_owner"}}),
    ],
)
def test_a_request_within_the_limits_is_sent_as_it_came(
    op: type[Operation[Any]], path: dict[str, str], body: dict[str, Any]
) -> None:
    assert op.parse(path, {}, body).body() == body


WEBHOOK = {
    "type": "webhook",
    "name": "w",
    "description": "d",
    "api_schema": {"url": "https://example.com", "request_headers": {"a": "b"}},
}
OVERRIDE = {
    "conversation_config": {
        "agent": {"prompt": {"custom_llm": {"url": "https://example.com"}, "mcp_server_ids": ["m"]}}
    },
    "platform_settings": {},
}


@pytest.mark.parametrize(
    ("op", "path", "body", "guarded"),
    [
        (CreateTool, {}, {"tool_config": WEBHOOK}, ["api_schema.request_headers", "api_schema.url"]),
        (UpdateTool, {"tool_id": "t"}, {"tool_config": WEBHOOK}, ["api_schema.request_headers", "api_schema.url"]),
        (CreateTool, {}, {"tool_config": {"type": "client", "name": "c", "description": "d"}}, []),
        (
            CreateTool,
            {},
            {
                "tool_config": {
                    "type": "system",
                    "name": "transfer_to_agent",
                    "params": {"transfers": [{"agent_id": "b", "condition": "asked"}]},
                }
            },
            ["params.transfers"],
        ),
    ],
)
def test_where_a_tool_sends_data_a_person_is_asked(
    op: type[Operation[Any]], path: dict[str, str], body: dict[str, Any], guarded: list[str]
) -> None:
    assert [place.shown for place in op.parse(path, {}, body).guarded_places()] == [
        f"tool_config.{place}" for place in guarded
    ]


@pytest.mark.parametrize(
    ("op", "path", "body", "guarded"),
    [
        (CreateMcpServer, {}, {"config": SERVER}, ["config.url"]),
        (
            CreateMcpServer,
            {},
            {"config": SERVER | {"approval_policy": "auto_approve_all", "secret_token": {"secret_id": "s"}}},
            ["config.approval_policy", "config.secret_token", "config.url"],
        ),
        (UpdateMcpServer, MCP, {"disable_interruptions": True, "request_meta": {"a": 1}}, ["request_meta"]),
        (UpdateMcpApprovalPolicy, MCP, {"approval_policy": "auto_approve_all"}, ["approval_policy"]),
        (CreateMcpToolApproval, MCP, {"tool_name": "t", "tool_description": "d"}, ["tool_name"]),
        (
            UpdateWorkspaceSettings,
            {},
            {"webhooks": {"post_call_webhook_id": "w"}, "rag_retention_period_days": 7},
            ["webhooks"],
        ),
        (
            RunAgentTests,
            {"agent_id": "a"},
            {"tests": [{"test_id": "t"}], "agent_config_override": OVERRIDE},
            [
                "agent_config_override.conversation_config.agent.prompt.custom_llm",
                "agent_config_override.conversation_config.agent.prompt.custom_llm.url",
                "agent_config_override.conversation_config.agent.prompt.mcp_server_ids",
            ],
        ),
        (RunAgentTests, {"agent_id": "a"}, {"tests": [{"test_id": "t"}]}, []),
    ],
)
def test_a_person_is_asked_about_servers_webhooks_and_unseen_configurations(
    op: type[Operation[Any]], path: dict[str, str], body: dict[str, Any], guarded: list[str]
) -> None:
    assert [place.shown for place in op.parse(path, {}, body).guarded_places()] == guarded


def test_a_test_may_leave_out_what_its_kind_does_not_need() -> None:
    empty: dict[str, Any] = {"chat_history": [], "success_examples": [], "failure_examples": []}
    tool = CreateAgentTest.parse({}, {}, {"type": "tool", "name": "n"})
    assert tool.body() == empty | {"type": "tool", "name": "n", "success_condition": ""}
    judged = CreateAgentTest.parse({}, {}, {"name": "n", "success_condition": "greets"})
    assert judged.body() == empty | {"name": "n", "success_condition": "greets"}
    assert problems(CreateAgentTest, {}, {"type": "llm", "name": "n"}) == [("success_condition", "Field required")]


@pytest.mark.parametrize("op", [RunAgentTests, ResubmitInvocation])
def test_an_unstored_agent_is_brought_to_one_spelling(op: Any) -> None:
    fields: dict[str, Any] = {"agent_id": "a", "test_invocation_id": "i", "test_run_ids": ["r"], "tests": []}
    prompt = {"prompt": "Help.", "first_message": "Hi!", "tools": [{"type": "system", "name": "end_call"}]}
    override = {"conversation_config": {"agent": {"prompt": prompt}}, "platform_settings": {}}
    request = op.model_validate(fields | {"agent_config_override": override})
    agent = request.agent_config_override.conversation_config.agent
    assert (agent.first_message, agent.prompt.built_in_tools.end_call.name) == ("Hi!", "end_call")
    assert request.warnings == ["agent.prompt.first_message is not read there; it became agent.first_message."]


def test_a_page_to_read_is_called_url_on_the_wire() -> None:
    op = CreateUrlDocument.parse({}, {}, {"url": "https://example.com", "new": 1})
    assert (op.page_url, op.url()) == ("https://example.com", "/v1/convai/knowledge-base/url")
    assert op.body() == {"url": "https://example.com", "new": 1}
    assert CreateUrlDocument.places() == {"url": "body", "name": "body"}


def test_files_travel_beside_plain_fields() -> None:
    picture = Blob("image/png", b"png", "a.png")
    avatar = UploadAvatar.parse({"agent_id": "a"}, {}, {"avatar_file": picture})
    assert (avatar.multipart(), avatar.files(), avatar.body()) == (True, {"avatar_file": picture}, {})
    text = Blob("text/plain", b"text", "a.txt")
    assert CreateFileDocument(file=text, name="A").body() == {"name": "A"}
    older = CreateDocument.parse({}, {"agent_id": ""}, {"file": text})
    assert (older.query(), older.files(), older.body()) == ({"agent_id": ""}, {"file": text}, {})
    assert CreateDocument.parse({}, {}, {"url": "https://example.com"}).body() == {"url": "https://example.com"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a%2Fb", "a" * 257])
def test_the_name_of_an_mcp_tool_cannot_reach_another_endpoint(name: str) -> None:
    with pytest.raises(ValueError, match=r"tool_name|cannot stand in a path"):
        DeleteMcpToolApproval(mcp_server_id="m", tool_name=name).url()
