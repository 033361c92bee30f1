"""On a hosted platform, whoever talks to an agent fills the variables in the hosts of its tools."""

from pathlib import Path
from typing import Any

import pytest

from callwright.app import App
from callwright.approval.open_hosts import refuse_secrets_to_anywhere
from callwright.contract.agent_tools import CreateTool
from callwright.contract.errors import Refused
from callwright.contract.guards import holds_variable

from ..transports import reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio

OPEN = {"url": "https://{{shop}}.example/crm"}
CARRYING: dict[str, dict[str, Any]] = {
    "a secret in a header": {"request_headers": {"Authorization": {"secret_id": "secret_1"}}},
    "a key in a header": {"request_headers": {"X-Api-Key": "sk-live-5f1d9c"}},
    "a variable in a header": {"request_headers": {"X-Tenant": {"variable_name": "tenant"}}},
    "a login": {"auth_connection": {"auth_connection_id": "auth_1"}},
}


@pytest.fixture
def hosted(tmp_path: Path) -> App:
    """Nobody answers at its address: what is refused or asked about is not sent."""
    return App(settings(tmp_path / "home", toolsets=("all",), api_key="k", api_url="http://127.0.0.1:9"), "hosted")


def tool(request: dict[str, Any]) -> dict[str, Any]:
    return {"config": {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": request}}


@pytest.mark.parametrize("what", CARRYING)
async def test_a_secret_goes_to_no_host_that_a_caller_chooses(hosted: App, what: str) -> None:
    async with reach(hosted, says="yes") as (client, asked):
        refused = await client.call_tool("create_tool", tool(OPEN | CARRYING[what]))
    assert asked == []
    assert text(refused).startswith("The host of tool_config.api_schema.url is a variable, which whoever talks")


def test_headers_of_a_shape_that_only_a_newer_platform_reads_count_as_secrets() -> None:
    request = OPEN | {"request_headers": ["Authorization: k"]}
    newer = {"type": "newer", "name": "crm", "description": "Looks up.", "api_schema": request}
    with pytest.raises(Refused, match="is a variable"):
        refuse_secrets_to_anywhere(CreateTool.model_validate({"tool_config": newer}))


async def test_without_a_secret_the_question_says_who_chooses_the_host(hosted: App) -> None:
    async with reach(hosted, says="no") as (client, asked):
        refused = await client.call_tool("create_tool", tool(OPEN))
    assert refusal_facts(refused) == {"declined": True}
    assert asked[0].endswith(
        "The platform will send to whatever host fills the variable in tool_config.api_schema.url."
    )


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("https://{{shop}}.example/x", True),
        ("{{base}}/x", True),
        ("{{scheme}}://a.example", True),
        ("https://a.example/{{id}}", False),
        ("https://a.example?q={{q}}", False),
        ("https://a.example#{{f}}", False),
    ],
)
def test_a_variable_in_the_host_is_told_from_one_behind_it(url: str, is_open: bool) -> None:
    assert holds_variable(url) == is_open


async def test_a_transfer_to_a_variable_says_who_chooses_the_number(hosted: App) -> None:
    to = {"type": "phone_dynamic_variable", "phone_number": "adviser"}
    rule = {"condition": "The caller asks.", "transfer_destination": to}
    params = {"system_tool_type": "transfer_to_number", "transfers": [rule]}
    config = {"type": "system", "name": "transfer_to_number", "description": "", "params": params}
    async with reach(hosted, says="no") as (client, asked):
        await client.call_tool("create_tool", {"config": config})
    assert asked[0].endswith(
        "The platform will hand callers over to whatever fills the variable in tool_config.params.transfers."
    )
