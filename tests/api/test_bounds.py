"""Which guarded paths count as outward."""

import os
import subprocess
import sys

import pytest

from callwright.bounds import UNBOUNDED, Bounds

OUTWARD = [
    "conversation_config.agent.prompt.tools.0.api_schema.url",
    "api_schema.request_headers.privacy",
    "platform_settings.workspace_overrides.webhooks.post_call_webhook_id",
    "agent.prompt.built_in_tools.transfer_to_number.params.transfers.0.phone_number",
    "prompt.mcp_server_ids.0",
    "something.new",
]
INWARD = [
    "platform_settings.auth.enable_auth",
    "platform_settings.overrides.custom_llm",
    "platform_settings.privacy.record_voice",
    "agent_id",
]


@pytest.mark.parametrize("path", OUTWARD)
def test_no_outbound_refuses_a_path_along_which_data_may_leave(path: str) -> None:
    assert path in str(Bounds(no_outbound=True).allow("update", [path]))


@pytest.mark.parametrize("path", INWARD)
def test_no_outbound_leaves_inward_paths_to_the_approval(path: str) -> None:
    assert Bounds(no_outbound=True).allow("update", [path]) is None


def test_without_bounds_everything_is_allowed() -> None:
    assert UNBOUNDED.allow("dial", OUTWARD) is None


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
