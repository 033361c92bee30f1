"""Every operation is embedded, shown by a test, and answers what the platform's published schema allows."""

import ast
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from httpx2 import AsyncClient, Response
from starlette.responses import HTMLResponse

from callwright.app import App
from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.engine.asgi import HANDLERS
from tests.arms import Clock, numbered, settings
from tests.contract.facts import assert_answer
from tests.engine.helpers import JSON, http
from tests.engine.test_calls import TRUNK
from tests.engine.test_phone_numbers import SIP, TWILIO
from tests.peers import serving

pytestmark = pytest.mark.anyio

IMPLEMENTED = {op: made for group in HANDLERS for op, made in group.by_operation.items()}

TOOLS: list[JSON] = [
    {
        "type": "webhook",
        "name": "look_up",
        "description": "Finds a booking.",
        "api_schema": {
            "url": "https://crm.example.com/{id}",
            "method": "POST",
            "path_params_schema": {"id": {"type": "string", "description": "Booking."}},
            "request_body_schema": {"type": "object", "properties": {"day": {"type": "string", "description": "Day."}}},
            "request_headers": {"x-team": "support", "authorization": {"secret_id": "{secret_id}"}},
        },
    },
    {"type": "client", "name": "show_map", "description": "Shows the map.", "expects_response": True},
    {"type": "system", "name": "end_call", "description": ""},
]
AGENT: JSON = {
    "name": "Ada",
    "tags": ["front desk"],
    "conversation_config": {
        "agent": {
            "first_message": "Hello {{name}}.",
            "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo", "age": 7, "vip": True}},
            "prompt": {
                "prompt": "Help.",
                "tools": TOOLS,
                "knowledge_base": [{"type": "text", "name": "Hours", "id": "{documentation_id}", "usage_mode": "auto"}],
                "custom_llm": {"url": "https://llm.example.com/v1", "api_key": {"secret_id": "{secret_id}"}},
            },
        },
        "tts": {"supported_voices": [{"label": "Joe", "voice_id": "v1"}]},
        "language_presets": {"nl": {"overrides": {"agent": {"first_message": "Hoi."}}}},
    },
    "platform_settings": {
        "evaluation": {"criteria": ["Stays calm"]},
        "data_collection": {"day": {"type": "string", "description": "The day."}},
        "auth": {"enable_auth": True, "allowlist": [{"hostname": "example.com"}]},
    },
    "workflow": {"nodes": {"start": {"type": "start", "position": {"x": 0, "y": 0}, "edge_order": []}}, "edges": {}},
}
REHEARSAL: JSON = {
    "simulation_specification": {"simulated_user_config": {"prompt": {"prompt": "When do you open?"}}},
    "extra_evaluation_criteria": ["Says goodbye"],
}
TEST: JSON = {
    "name": "Calls nobody",
    "type": "tool",
    "chat_history": [{"role": "user", "message": "Hi.", "time_in_call_secs": 0}],
    "success_condition": "",
    "success_examples": [{"response": "Hello.", "type": "success"}],
    "failure_examples": [],
    "tool_call_parameters": {
        "referenced_tool": {"id": "end_call", "type": "system"},
        "parameters": [{"path": "reason", "eval": {"type": "regex", "pattern": "^a"}}],
    },
    "dynamic_variables": {"name": "Bo"},
}
CALL: JSON = {"agent_id": "{agent_id}"}
REQUESTS: dict[str, JSON] = {
    "CreateAgentTest": TEST,
    "UpdateAgentTest": {**TEST, "name": "Calls somebody"},
    "SummariseAgentTests": {"test_ids": ["{test_id}"]},
    "RunAgentTests": {"tests": [{"test_id": "{test_id}"}]},
    "ResubmitInvocation": {"test_run_ids": ["{test_run_id}"], "agent_id": "{agent_id}"},
    "CreateMcpServer": {
        "config": {
            "name": "Calendar",
            "url": "https://mcp.invalid/mcp",
            "secret_token": {"secret_id": "{secret_id}"},
            "request_headers": {"X-Team": "desk"},
        }
    },
    "UpdateMcpServer": {"response_timeout_secs": 30, "request_meta": {"team": "desk"}},
    "UpdateMcpApprovalPolicy": {"approval_policy": "require_approval_per_tool"},
    "CreateMcpToolApproval": {"tool_name": "book", "tool_description": "Books.", "input_schema": {"type": "object"}},
    "CreateMcpToolConfig": {
        "tool_name": "book",
        "execution_mode": "async",
        "input_overrides": {"at": {"source": "constant", "constant_value": "09:00"}},
    },
    "UpdateMcpToolConfig": {"pre_tool_speech": "off"},
    "CreateAgent": AGENT,
    "UpdateAgent": {"conversation_config": {"tts": {"speed": 1.1}}},
    "SimulateConversation": REHEARSAL,
    "StreamSimulation": REHEARSAL,
    "SendFeedback": {"feedback": "like"},
    "CalculateLlmUsage": {"prompt_length": 400, "number_of_pages": 2, "rag_enabled": False},
    "CalculateAgentLlmUsage": {},
    "CreateTextDocument": {"text": "Open from nine.", "name": "Hours"},
    "CreateUrlDocument": {"url": "{page}"},
    "ComputeRagIndex": {"model": "e5_mistral_7b_instruct"},
    "UpdateDocument": {"name": "Opening hours"},
    "CreateTool": {"tool_config": TOOLS[0]},
    "UpdateTool": {"tool_config": TOOLS[1]},
    "CreatePhoneNumber": SIP,
    "UpdatePhoneNumber": {"agent_id": "{agent_id}"},
    "CreateSecret": {"type": "new", "name": "CRM", "value": "v"},
    "UpdateSecret": {"type": "update", "name": "CRM", "value": "w"},
    "CallByTwilio": {**CALL, "agent_phone_number_id": "{twilio_id}", "to_number": "+15557654321"},
    "CallBySip": {**CALL, "agent_phone_number_id": "{trunk_id}", "to_number": "+15557654321"},
    "SubmitBatchCall": {
        **CALL,
        "agent_phone_number_id": "{twilio_id}",
        "call_name": "Reminders",
        "recipients": [
            {"phone_number": "+15550000001", "conversation_initiation_client_data": {"dynamic_variables": {"n": 1}}}
        ],
    },
    "UpdateWorkspaceSettings": {
        "conversation_initiation_client_data_webhook": {
            "url": "https://crm.example.com/who",
            "request_headers": {"x-team": "desk"},
        },
        "webhooks": {"events": ["transcript"]},
    },
    "UpdateDashboardSettings": {"charts": [{"type": "criteria", "name": "Calm", "criteria_id": "calm"}]},
}
FILES = {
    "CreateFileDocument": {"file": ("hours.txt", b"Open from nine.", "text/plain")},
    "CreateDocument": {"file": ("hours.txt", b"Open from nine.", "text/plain")},
    "UploadAvatar": {"avatar_file": ("face.png", b"\x89PNG\r\n\x1a\n", "image/png")},
}
"""What bodies that are forms carry."""
ORDER = (
    "Create", "Duplicate", "Simulate", "Stream", "Send", "Compute", "Run", "Submit", "Call", "Update", "Upload", "List",
    "Get", "Calculate", "Summarise", "Resubmit", "Cancel", "Retry", "Delete",
)  # fmt: skip
KEYS = {
    "CreateTextDocument": ("documentation_id", "id"),
    "SimulateConversation": ("conversation_id",) * 2,
    "CreateAgentTest": ("test_id", "id"),
    "RunAgentTests": ("test_invocation_id", "id"),
    "CreateMcpServer": ("mcp_server_id", "id"),
    "CreateTool": ("tool_id", "id"),
    "ComputeRagIndex": ("rag_index_id", "id"),
    "SubmitBatchCall": ("batch_id", "id"),
}
QUERIES = {
    "ListConversations": "?include_simulated=true",
    "ListInvocations": "?agent_id={agent_id}",
    "GetSignedUrl": "?agent_id={agent_id}&include_conversation_id=true",
    "GetSessionToken": "?agent_id={agent_id}",
}
OTHERWISE = {
    "GetDocumentContent": (200, "text/html; charset=utf-8"),
    "GetAvatar": (200, "image/png"),
    "StreamSimulation": (200, "application/x-ndjson"),
    "GetConversationAudio": (404, "application/json"),
}
"""Status and media type of what is no JSON in the published shape."""


@pytest.fixture
async def wire(tmp_path: Path, clock: Clock) -> AsyncGenerator[AsyncClient]:
    app = App(settings(tmp_path / "home", allow_private=("127.0.0.1",)), "embedded", clock=clock, ids=numbered())
    async with http(await app.engine()) as client:
        yield client
    await app.close()


@pytest.fixture
async def page() -> AsyncGenerator[str]:
    """The address of a web page."""
    async with serving(HTMLResponse("<p>Open from nine.")) as url:
        yield url


def test_every_operation_is_embedded() -> None:
    assert set(IMPLEMENTED) == set(all_operations())


def test_every_handler_is_shown_by_a_test_that_exists() -> None:
    files = (Path(__file__).parents[1] / "engine").glob("test_*.py")
    there = {
        node.name
        for file in files
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    wanting = {op.__name__: made.proof for op, made in IMPLEMENTED.items() if made.proof not in there}
    assert wanting == {}


def filled(node: Any, ids: dict[str, str]) -> Any:
    """A request with the ids of what was made before it."""
    if isinstance(node, dict):
        return {key: filled(value, ids) for key, value in node.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(node, list):
        return [filled(item, ids) for item in node]  # pyright: ignore[reportUnknownVariableType]
    return ids.get(node[1:-1], node) if isinstance(node, str) and node.startswith("{") else node


async def ask(wire: AsyncClient, op: type[Operation[Any]], ids: dict[str, str], query: str = "") -> Response:
    body = filled(REQUESTS.get(op.__name__), ids)
    return await wire.request(op.method, op.path.format(**ids) + query, json=body, files=FILES.get(op.__name__))


def place(op: type[Operation[Any]]) -> tuple[int, int, int]:
    """Things are made before what needs them, and deleted in the other direction: secrets, the rest, agents."""
    verb = next(place for place, verb in enumerate(ORDER) if op.__name__.startswith(verb))
    needs, depth = 2 * ("Agent" in op.__name__) + ("Secret" not in op.__name__), op.path.count("/")
    return (verb, needs, depth) if verb == 0 else (verb, -needs, -depth)


async def settled(wire: AsyncClient, ids: dict[str, str]) -> str:
    """The id of a run that has been run, so that it can be run again."""
    with anyio.fail_after(10):
        while True:
            [run] = (await wire.get(f"/v1/convai/test-invocations/{ids['test_invocation_id']}")).json()["test_runs"]
            if run["status"] != "pending":
                return run["test_run_id"]


async def test_every_answer_is_one_that_the_published_schema_allows(wire: AsyncClient, page: str) -> None:
    ids = {"tool_name": "book", "page": page}
    for name, number in (("twilio_id", TWILIO), ("trunk_id", TRUNK)):
        ids[name] = (await wire.post("/v1/convai/phone-numbers", json=number)).json()["phone_number_id"]
    asked: set[type[Operation[Any]]] = set()
    for op in sorted(IMPLEMENTED, key=place):
        if op.__name__ == "ResubmitInvocation":
            ids["test_run_id"] = await settled(wire, ids)
        answer = await ask(wire, op, ids, QUERIES.get(op.__name__, "").format(**ids))
        if op.__name__ == "DuplicateAgent":
            await wire.delete(f"/v1/convai/agents/{answer.json()['agent_id']}")  # it uses what is deleted at the end
        if op.__name__ in OTHERWISE:
            assert (answer.status_code, answer.headers["content-type"]) == OTHERWISE[op.__name__]
        elif not op.measured:
            assert (answer.status_code, op.decode(answer.content) is not None) == (200, True)
        else:
            body = answer.json() if answer.content else None
            assert_answer(op, answer.status_code, body)
            if op.__name__ in REQUESTS and isinstance(body, dict):
                given, key = KEYS.get(op.__name__, ("", ""))
                found: JSON = body  # pyright: ignore[reportUnknownVariableType]
                ids |= {k: v for k, v in found.items() if k.endswith("_id") and v} | (
                    {given: found[key]} if given else {}
                )
                if "chunk_ids" in found:
                    ids["chunk_id"] = found["chunk_ids"][0]
        asked.add(op)
    assert asked == set(all_operations())


async def test_answers_have_what_only_the_newest_clients_require(wire: AsyncClient) -> None:
    ids: dict[str, str] = {}
    document = await wire.post("/v1/convai/knowledge-base/text", json=REQUESTS["CreateTextDocument"])
    secret = await wire.post("/v1/convai/secrets", json=REQUESTS["CreateSecret"])
    ids |= {"documentation_id": document.json()["id"], "secret_id": secret.json()["secret_id"]}
    ids |= (await wire.post("/v1/convai/agents/create", json=filled(AGENT, ids))).json()
    path = f"/v1/convai/agents/{ids['agent_id']}"
    ids["conversation_id"] = (await wire.post(f"{path}/simulate-conversation", json=REHEARSAL)).json()[
        "conversation_id"
    ]

    [row] = (await wire.get("/v1/convai/agents")).json()["agents"]
    kinds: dict[str, type] = {key: type(row[key]) for key in ("voice_id", "updated_at_unix_secs", "archived")}
    assert kinds == {"voice_id": str, "updated_at_unix_secs": int, "archived": bool}
    for answer in (await wire.get(path), await wire.patch(path, json={"name": "Bea"})):
        assert answer.json()["workflow"].keys() >= {"nodes", "edges", "prevent_subagent_loops"}
    conversation = (await wire.get(f"/v1/convai/conversations/{ids['conversation_id']}")).json()
    assert conversation["has_auxiliary_audio"] is False
    assert conversation["metadata"]["cost_fiat"] is None
    content = await wire.get(f"/v1/convai/knowledge-base/{ids['documentation_id']}/content")
    assert (content.headers["content-type"], content.text) == ("text/html; charset=utf-8", "Open from nine.")
