"""What platforms answer about tools, tests, calls, dashboards and MCP servers is read whole and kept as it came."""

import json
from typing import Any

from callwright.contract.agent_tests import (
    AgentTest,
    ExactValue,
    GetAgentTest,
    ListInvocations,
)
from callwright.contract.agent_tools import (
    IntegrationTool,
    ListTools,
    LiteralOverride,
    ObjectOverride,
)
from callwright.contract.agents import StreamSimulation
from callwright.contract.calls import BatchCallDetails, GetBatchCall
from callwright.contract.common import Unknown
from callwright.contract.mcp_servers import (
    FixedInput,
    GetMcpServer,
    GetMcpToolConfig,
    ListMcpTools,
)
from callwright.contract.workspace import GetDashboardSettings

SERVER = {"name": "n", "url": "https://mcp.example.com"}
TEST: dict[str, Any] = {
    "name": "n",
    "chat_history": [{"role": "user", "time_in_call_secs": 0, "message": "Hi"}],
    "success_condition": "greets",
    "success_examples": [{"response": "Hello!", "type": "success"}],
    "failure_examples": [],
}


def test_an_mcp_tools_settings_are_read_and_sent_back_as_they_came() -> None:
    wire: dict[str, Any] = {
        "tool_name": "files.read",
        "tool_call_sound": "off",
        "input_overrides": {
            "a": {"source": "constant", "constant_value": [{"b": 1}]},
            "c": {"source": "constant", "constant_value": None},
            "d": {"source": "dynamic_variable", "dynamic_variable": "user"},
            "e": {"source": "omit"},
            "f": {"source": "spreadsheet", "cell": "A1"},
        },
        "response_timeout_secs": 900,
    }
    config = GetMcpToolConfig.decode(json.dumps(wire).encode())
    inputs = config.input_overrides or {}
    assert inputs["a"] == FixedInput(constant_value=[{"b": 1}])
    assert isinstance(inputs["f"], Unknown)
    assert config.model_dump(mode="json", exclude_unset=True) == wire


def test_a_secret_inside_an_mcp_server_shows_on_the_wire_alone() -> None:
    secret = {"id": "i", "name": "n", "encrypted_value": "canary", "nonce": "o"}
    wire: dict[str, Any] = {"id": "m", "config": SERVER | {"secret_token": secret}, "metadata": {"created_at": 1}}
    server = GetMcpServer.decode(json.dumps(wire).encode())
    assert "canary" not in repr(server) + str(server) + repr(server.model_dump())
    assert server.model_dump(mode="json", exclude_unset=True) == wire


def test_mcp_tools_are_spelt_as_mcp_spells_them() -> None:
    wire: dict[str, Any] = {
        "success": True,
        "tools": [{"name": "t", "inputSchema": {"type": "object"}, "_meta": {"a": 1}, "icons": []}],
    }
    tools = ListMcpTools.decode(json.dumps(wire).encode())
    assert tools.tools[0].meta == {"a": 1}
    assert tools.model_dump(mode="json", by_alias=True, exclude_unset=True) == wire


def test_a_tool_of_an_integration_is_read() -> None:
    config: dict[str, Any] = {
        **{"type": "api_integration_webhook", "name": "n", "description": "d", "response_timeout_secs": 20},
        **{"disable_interruptions": False, "force_pre_tool_speech": False, "assignments": [], "tool_call_sound": None},
        **{"tool_call_sound_behavior": "auto", "dynamic_variables": {}, "execution_mode": "immediate"},
        **{"tool_version": "1", "api_integration_id": "i", "api_integration_connection_id": "c"},
        "api_schema_overrides": {
            "request_body_schema": {"properties": {"a": {"constant_value": 1}, "b": {"properties": {"c": {}}}}}
        },
        "base_api_schema": {"url": "https://example.com"},
    }
    access = {"is_creator": True, "creator_name": "n", "creator_email": "e", "role": "admin"}
    wire: dict[str, Any] = {
        "tools": [{"id": "t", "tool_config": config, "access_info": access, "usage_stats": {"avg_latency_secs": 1}}]
    }
    page = ListTools.decode(json.dumps(wire).encode())
    tool = page.tools[0].tool_config
    assert isinstance(tool, IntegrationTool)
    assert tool.api_schema_overrides
    assert tool.api_schema_overrides.request_body_schema
    inside = tool.api_schema_overrides.request_body_schema.properties or {}
    assert {name: type(part) for name, part in inside.items()} == {"a": LiteralOverride, "b": ObjectOverride}
    assert page.model_dump(mode="json", exclude_unset=True) == wire


def test_a_test_is_read_with_its_checks() -> None:
    check = {
        "parameters": [
            {"path": "order.id", "eval": {"type": "exact", "expected_value": "+447771117777"}},
            {"path": "n", "eval": {"type": "anything"}},
        ],
        "referenced_tool": {"id": "t", "type": "webhook"},
        "verify_absence": False,
    }
    wire = TEST | {"id": "i", "type": "tool", "tool_call_parameters": check}
    test = GetAgentTest.decode(json.dumps(wire).encode())
    assert isinstance(test, AgentTest)
    assert test.tool_call_parameters
    assert test.tool_call_parameters.parameters[0].eval == ExactValue(type="exact", expected_value="+447771117777")
    assert test.model_dump(mode="json", exclude_unset=True) == wire


def test_a_test_of_a_newer_kind_is_read() -> None:
    wire: dict[str, Any] = {
        "id": "i",
        "name": "n",
        "type": "simulation",
        "simulation_scenario": "Ask for a refund.",
        "chat_history": [],
    }
    test = GetAgentTest.decode(json.dumps(wire).encode())
    assert test.success_examples == []
    assert test.model_dump(mode="json", exclude_unset=True).items() >= wire.items()


def test_what_the_newest_clients_need_is_there() -> None:
    batch: dict[str, Any] = {
        **{"id": "b", "name": "n", "agent_id": "a", "agent_name": "A", "status": "pending", "recipients": []},
        **{"created_at_unix": 1, "scheduled_time_unix": 1, "last_updated_at_unix": 1, "phone_provider": "twilio"},
        **{"total_calls_dispatched": 0, "total_calls_scheduled": 0, "total_calls_finished": 0, "retry_count": 0},
        **{"telephony_call_config": {"ringing_timeout_secs": 60}, "timezone": None, "whatsapp_params": None},
    }
    found = GetBatchCall.decode(json.dumps(batch).encode())
    assert isinstance(found, BatchCallDetails)
    assert found.model_dump(mode="json", exclude_unset=True) == batch
    invocations = {
        "results": [
            {
                **{"id": "i", "created_at_unix_secs": 1, "test_run_count": 1, "passed_count": 1, "failed_count": 0},
                **{"pending_count": 0, "cancelled_count": 0, "title": "t"},
            }
        ],
        "has_more": False,
    }
    page = ListInvocations.decode(json.dumps(invocations).encode())
    assert page.model_dump(mode="json", exclude_unset=True) == invocations


def test_a_rehearsal_comes_in_parts() -> None:
    turn = {"role": "user", "message": "Hi", "time_in_call_secs": 0}
    judged = {"analysis": {"call_successful": "unknown", "transcript_summary": "s"}}
    parts = [StreamSimulation.decode_item(json.dumps(v).encode()) for v in ([turn], {"simulated_conversation": [turn]})]
    assert parts[0] == parts[1]
    assert parts[0].analysis is None
    last = StreamSimulation.decode_item(json.dumps(judged).encode())
    assert last.analysis
    assert last.analysis.transcript_summary == "s"


def test_a_chart_of_a_newer_dashboard_is_kept() -> None:
    wire: dict[str, Any] = {
        "charts": [{"name": "n", "type": "criteria", "criteria_id": "c"}, {"name": "m", "type": "heat_map"}]
    }
    settings = GetDashboardSettings.decode(json.dumps(wire).encode())
    assert settings.model_dump(mode="json", exclude_unset=True) == wire
