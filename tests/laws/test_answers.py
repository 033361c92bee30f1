"""Every operation is embedded, shown by a test, and answers what the platform's published schema allows."""

import ast
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from httpx2 import AsyncClient, Response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from callwright.app import App
from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.engine.routes import all_handlers, built, snap
from tests.contract.facts import assert_answer
from tests.engine.helpers import JSON, http
from tests.engine.test_calls import TRUNK
from tests.engine.test_phone_numbers import SIP, TWILIO
from tests.engine.test_widget import PNG
from tests.peers import serving
from tests.transports import Clock, numbered, settings

pytestmark = pytest.mark.anyio

IMPLEMENTED = {op: made for group in all_handlers() for op, made in group.by_operation.items()}

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
BROUGHT: JSON = {"conversation_initiation_client_data": {"dynamic_variables": {"name": "Bo"}}}
CALL: JSON = {"agent_id": "{agent_id}", "agent_phone_number_id": "{twilio_id}", "to_number": "+15557654321", **BROUGHT}
ALIAS: JSON = {"type": "alias", "string_to_replace": "UN", "alias": "United Nations"}
USAGE: JSON = {"prompt_length": 4000, "number_of_pages": 3, "rag_enabled": True}
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
    "CreateTool": {"tool_config": TOOLS[0]},
    "UpdateTool": {"tool_config": {**TOOLS[0], "description": "Finds a table."}},
    "CreateAgent": AGENT,
    "DuplicateAgent": {"name": "Bea"},
    "UpdateAgent": {"conversation_config": {"tts": {"speed": 1.1}}},
    "SimulateConversation": REHEARSAL,
    "StreamSimulation": REHEARSAL,
    "SendFeedback": {"feedback": "like"},
    "CreateTextDocument": {"text": "Open from nine.", "name": "Hours"},
    "CreateUrlDocument": {"url": "{page}", "name": "Page"},
    "ComputeRagIndex": {"model": "e5_mistral_7b_instruct"},
    "UpdateDocument": {"name": "Opening hours"},
    "CreatePhoneNumber": SIP,
    "UpdatePhoneNumber": {"agent_id": "{agent_id}"},
    "CallByTwilio": CALL,
    "CallBySip": {**CALL, "agent_phone_number_id": "{trunk_id}"},
    "SubmitBatchCall": {
        "call_name": "Reminders",
        "agent_id": "{agent_id}",
        "agent_phone_number_id": "{twilio_id}",
        "recipients": [{"phone_number": "+15550000001", **BROUGHT}, {"id": "bo", "phone_number": "+15550000002"}],
    },
    "UpdateWorkspaceSettings": {
        "conversation_initiation_client_data_webhook": {
            "url": "https://crm.example.com/who",
            "request_headers": {"x-team": "desk"},
        },
        "rag_retention_period_days": 5,
    },
    "UpdateDashboardSettings": {"charts": [{"name": "How it went", "type": "call_success"}]},
    "CalculateLlmUsage": USAGE,
    "CalculateAgentLlmUsage": USAGE,
    "CreateDictionaryFromRules": {"name": "Names", "rules": [ALIAS]},
    "UpdateDictionary": {"name": "People"},
    "SetDictionaryRules": {"rules": [ALIAS]},
    "AddDictionaryRules": {"rules": [{**ALIAS, "string_to_replace": "WHO"}]},
    "RemoveDictionaryRules": {"rule_strings": ["UN"]},
    "CreateSecret": {"type": "new", "name": "CRM", "value": "v"},
    "CreateAuthConnection": {"auth_type": "bearer_auth", "name": "CRM", "provider": "own", "token": "v"},
    "UpdateAuthConnection": {"auth_type": "bearer_auth", "token": "w"},
    "UpdateSecret": {"type": "update", "name": "CRM", "value": "w"},
}
FILE = ("hours.txt", b"Open from ten.", "text/plain")
PLS = b"<lexicon><lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"
FILES: dict[str, dict[str, tuple[str | None, bytes, str]]] = {
    "CreateDictionaryFromFile": {"name": (None, b"Names", "text/plain"), "file": ("names.pls", PLS, "text/xml")},
    "CreateFileDocument": {"file": FILE},
    "CreateDocument": {"file": FILE},
    "UploadAvatar": {"avatar_file": ("a.png", PNG, "image/png")},
}
ORDER = (
    "Create", "Compute", "Simulate", "Stream", "Run", "Upload", "Duplicate", "Send", "Call", "Submit", "Update", "Set", "Add",
    "Remove", "List", "Get", "Download", "Calculate", "Summarise", "Resubmit", "Retry", "Cancel", "Delete",
)  # fmt: skip
MADE: dict[str, tuple[str, str] | None] = {
    "CreateTextDocument": ("documentation_id", "id"),
    "CreateSecret": ("secret_id", "secret_id"),
    "CreateAuthConnection": ("auth_connection_id", "id"),
    "CreateTool": ("tool_id", "id"),
    "CreateMcpServer": ("mcp_server_id", "id"),
    "CreateMcpToolApproval": None,
    "CreateMcpToolConfig": None,
    "CreateAgent": ("agent_id", "agent_id"),
    "CreatePhoneNumber": ("phone_number_id", "phone_number_id"),
    "CreateAgentTest": ("test_id", "id"),
    "ComputeRagIndex": ("rag_index_id", "id"),
    "SimulateConversation": ("conversation_id", "conversation_id"),
    "RunAgentTests": ("test_invocation_id", "id"),
    "UploadAvatar": None,
    "SubmitBatchCall": ("batch_id", "id"),
    "CreateDictionaryFromRules": ("pronunciation_dictionary_id", "id"),
}
"""What makes one of each: the parameter that takes its id, and where the answer has it."""
NOT_JSON = {
    "GetDocumentContent": (200, "text/html; charset=utf-8"),
    "GetAvatar": (200, "image/png"),
    "DownloadDictionary": (200, "application/pls+xml"),
    "GetConversationAudio": (404, "application/json"),  # a rehearsal is written
    "StreamSimulation": (200, "application/x-ndjson"),
}
OF_AN_AGENT = "?agent_id={agent_id}"
QUERIES = {
    "ListConversations": "?include_simulated=true",
    **dict.fromkeys(("ListInvocations", "GetSignedUrl", "GetSessionToken"), OF_AN_AGENT),
}


@pytest.fixture
async def page() -> AsyncGenerator[str]:
    """The address of a web page on this machine."""

    async def hours(_: Request) -> HTMLResponse:
        return HTMLResponse("<html><body><p>Open from eleven.</p></body></html>")

    async with serving(Starlette(routes=[Route("/hours", hours)])) as base:
        yield f"{base}/hours"


@pytest.fixture
async def wire(tmp_path: Path, clock: Clock) -> AsyncGenerator[AsyncClient]:
    """An engine that may read pages of this machine."""
    app = App(settings(tmp_path / "home", allow_private=("127.0.0.1",)), "embedded", clock=clock, ids=numbered())
    async with http(await app.engine()) as client:
        yield client
    await app.close()


def test_every_operation_is_embedded() -> None:
    assert set(IMPLEMENTED) == set(all_operations())
    assert built() == snap(), "run scripts/snap"


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


async def ask(wire: AsyncClient, op: type[Operation[Any]], ids: dict[str, str]) -> Response:
    body, query = filled(REQUESTS.get(op.__name__), ids), QUERIES.get(op.__name__, "")
    return await wire.request(op.method, (op.path + query).format(**ids), json=body, files=FILES.get(op.__name__))


async def ready(wire: AsyncClient) -> dict[str, str]:
    """What requests refer to before anything of theirs is made."""
    numbers = [(await wire.post("/v1/convai/phone-numbers", json=body)).json() for body in (TWILIO, TRUNK)]
    twilio, trunk = [number["phone_number_id"] for number in numbers]
    return {"tool_name": "book", "twilio_id": twilio, "trunk_id": trunk}


def learned(op: type[Operation[Any]], answer: Response) -> dict[str, str]:
    """The ids that an answer brings, by the name of the parameter that takes them."""
    if not (where := MADE.get(op.__name__)):
        return {}
    body: JSON = answer.json()
    more = {"chunk_id": body["chunk_ids"][0]} if "chunk_ids" in body else {}
    if "version_id" in body:
        more |= {"dictionary_id": body["id"], "version_id": body["version_id"]}
    return {where[0]: body[where[1]]} | more


async def furnished(wire: AsyncClient) -> dict[str, str]:
    """One of each, and of what every path and request needs."""
    operations = {op.__name__: op for op in IMPLEMENTED}
    ids = await ready(wire)
    for name in MADE:
        answer = await ask(wire, operations[name], ids)
        assert answer.is_success, (name, answer.text)
        ids |= learned(operations[name], answer)
    return ids | {"test_run_id": await settled(wire, ids)}


def place(op: type[Operation[Any]]) -> tuple[int, bool, int]:
    """Things are made before what needs them, and deleted in the other direction."""
    verb = next(place for place, verb in enumerate(ORDER) if op.__name__.startswith(verb))
    about_agents, listed = "Agent" in op.__name__, [*IMPLEMENTED].index(op)
    deletes = op.method == "DELETE"
    return verb, about_agents is not deletes, -listed if deletes else listed


async def settled(wire: AsyncClient, ids: dict[str, str]) -> str:
    """The id of a run that has been run, so that it can be run again."""
    with anyio.fail_after(10):
        while True:
            [run] = (await wire.get(f"/v1/convai/test-invocations/{ids['test_invocation_id']}")).json()["test_runs"]
            if run["status"] != "pending":
                return run["test_run_id"]


async def test_every_answer_is_one_that_the_published_schema_allows(wire: AsyncClient, page: str) -> None:
    ids = await ready(wire) | {"page": page}
    asked: set[type[Operation[Any]]] = set()
    for op in sorted(IMPLEMENTED, key=place):
        if op.__name__ == "ResubmitInvocation":
            ids["test_run_id"] = await settled(wire, ids)
        answer = await ask(wire, op, ids)
        if op.__name__ in NOT_JSON:
            assert (answer.status_code, answer.headers["content-type"]) == NOT_JSON[op.__name__], answer.text
        elif not op.measured:
            assert answer.status_code == 200, answer.text
            assert op.decode(answer.content)
            ids |= learned(op, answer)
        else:
            assert_answer(op, answer.status_code, answer.json() if answer.content else None)
            ids |= learned(op, answer)
        if op.__name__ == "DuplicateAgent":  # the copy would keep what is deleted later
            assert (await wire.delete(f"/v1/convai/agents/{answer.json()['agent_id']}")).is_success
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
