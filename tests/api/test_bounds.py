"""Which guarded places count as outward."""

import os
import subprocess
import sys
from typing import Any

import pytest

from callwright.bounds import UNBOUNDED, Bounds
from callwright.contract.agents import UpdateAgent
from callwright.contract.guards import Guarded
from callwright.contract.phone_numbers import UpdatePhoneNumber

from ..samples.guarding import HOOK, TRANSFER, graph, prompt

OUTWARD: dict[str, dict[str, Any]] = {
    "conversation_config.agent.prompt.tools.0.api_schema.url": prompt(tools=[HOOK]),
    "conversation_config.agent.prompt.built_in_tools.transfer_to_number.params.transfers": prompt(
        built_in_tools={"transfer_to_number": TRANSFER}
    ),
    "conversation_config.agent.prompt.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "platform_settings.workspace_overrides": {"platform_settings": {"workspace_overrides": {"webhooks": {"x": "y"}}}},
    "something": {"something": {"new": "https://evil.example"}},
    # names that the request chooses loosen nothing
    "conversation_config.language_presets.privacy.overrides.agent.prompt.tool_ids": {
        "conversation_config": {
            "language_presets": {"privacy": {"overrides": {"agent": {"prompt": {"tool_ids": ["tool_4"]}}}}}
        }
    },
    "workflow.nodes.auth.additional_tool_ids": graph(
        auth={"type": "override_agent", "label": "Desk", "additional_tool_ids": ["tool_4"]}
    ),
    "workflow.nodes.privacy.tools": graph(privacy={"type": "tool", "tools": [{"tool_id": "tool_4"}]}),
    "platform_settings.auth.callback": {"platform_settings": {"auth": {"callback": {"url": "https://evil.example"}}}},
    "platform_settings.overrides.to": {"platform_settings": {"overrides": {"to": "//evil.example"}}},
}
INWARD: dict[str, dict[str, Any]] = {
    "platform_settings.auth": {"platform_settings": {"auth": {"enable_auth": True}}},
    "platform_settings.overrides": {"platform_settings": {"overrides": {"custom_llm_extra_body": True}}},
    "platform_settings.privacy": {"platform_settings": {"privacy": {"record_voice": True}}},
    "workflow.nodes.desk.agent_id": graph(desk={"type": "standalone_agent", "agent_id": "agent_1"}),
}


def places(body: dict[str, Any]) -> tuple[Guarded, ...]:
    return UpdateAgent.model_validate({"agent_id": "agent_1", **body}).guarded_places()


@pytest.mark.parametrize("path", OUTWARD)
def test_no_outbound_refuses_a_path_along_which_data_may_leave(path: str) -> None:
    assert path in str(Bounds(no_outbound=True).allow("update", places(OUTWARD[path])))


@pytest.mark.parametrize("path", INWARD)
def test_no_outbound_leaves_inward_paths_to_the_approval(path: str) -> None:
    found = places(INWARD[path])
    assert path in [place.shown for place in found]
    assert Bounds(no_outbound=True).allow("update", found) is None


def test_which_agent_answers_a_number_is_inward() -> None:
    found = UpdatePhoneNumber(phone_number_id="phnum_1", agent_id="agent_1").guarded_places()
    assert [(place.shown, place.outward) for place in found] == [("agent_id", False)]


def test_without_bounds_everything_is_allowed() -> None:
    assert UNBOUNDED.allow("dial", [place for body in OUTWARD.values() for place in places(body)]) is None


def test_the_module_is_light_enough_for_the_start() -> None:
    code = "import sys, callwright.bounds; print('pydantic' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "server"},
    )
    assert run.stdout == "False\n"
