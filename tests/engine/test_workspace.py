"""Settings of the workspace: merged, checked whole, and in the way of deleting what they use."""

from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from inline_snapshot import snapshot

from callwright.api.client import ApiClient

from .helpers import JSON, agent, change, problems, secret
from .test_phone_numbers import SIP

pytestmark = pytest.mark.anyio

SETTINGS = "/v1/convai/settings"
DASHBOARD = "/v1/convai/settings/dashboard"


async def patch(wire: AsyncClient, **body: Any) -> Response:
    return await wire.patch(SETTINGS, json=body)


def asking(url: str, **headers: Any) -> JSON:
    return {"conversation_initiation_client_data_webhook": {"url": url, "request_headers": headers}}


async def test_workspace_settings_merge_and_null_restores_the_default(wire: AsyncClient) -> None:
    before = (await wire.get(SETTINGS)).json()
    assert before == snapshot(
        {
            "conversation_initiation_client_data_webhook": None,
            "webhooks": {"post_call_webhook_id": None, "events": [], "send_audio": False},
            "can_use_mcp_servers": True,
            "rag_retention_period_days": 10,
            "default_livekit_stack": "standard",
        }
    )
    await patch(wire, webhooks={"post_call_webhook_id": "wh_1", "send_audio": True}, newer={"kept": 1})
    changed = await patch(wire, webhooks={"events": ["transcript"], "send_audio": None}, rag_retention_period_days=30)
    assert (await wire.get(SETTINGS)).json() == changed.json()
    assert changed.json() == snapshot(
        {
            "conversation_initiation_client_data_webhook": None,
            "webhooks": {"post_call_webhook_id": "wh_1", "events": ["transcript"], "send_audio": False},
            "can_use_mcp_servers": True,
            "rag_retention_period_days": 30,
            "default_livekit_stack": "standard",
            "newer": {"kept": 1},
        }
    )
    await patch(wire, **asking("https://crm.example.com/who"))
    cleared = await patch(wire, conversation_initiation_client_data_webhook=None)
    assert cleared.json() == changed.json()


@pytest.mark.parametrize(
    ("before", "patch", "events", "send_audio"),
    [
        ({}, {"send_audio": True}, ["audio"], True),
        ({}, {"events": ["transcript", "audio"]}, ["transcript", "audio"], True),
        ({"events": ["audio", "transcript"]}, {"send_audio": False}, ["transcript"], False),
        ({"events": ["audio"]}, {"events": ["transcript"]}, ["transcript"], False),
        ({"send_audio": True}, {"send_audio": None}, [], False),
        ({"send_audio": True}, {"events": ["transcript"], "send_audio": True}, ["transcript"], False),
        ({"send_audio": True}, {"post_call_webhook_id": "wh_1"}, ["audio"], True),
    ],
)
async def test_the_older_and_the_newer_way_to_ask_for_recordings_say_the_same(
    api: ApiClient, wire: AsyncClient, before: JSON, patch: JSON, events: list[str], send_audio: bool
) -> None:
    for webhooks in (before, patch):
        answer = await wire.patch(SETTINGS, json={"webhooks": webhooks})
    found = answer.json()["webhooks"]
    assert (found["events"], found["send_audio"]) == (events, send_audio)
    ada = await agent(api, platform_settings={"workspace_overrides": {"webhooks": before}})
    changed = await change(api, ada, platform_settings={"workspace_overrides": {"webhooks": patch}})
    found = changed["platform_settings"]["workspace_overrides"]["webhooks"]
    assert (found["events"], bool(found.get("send_audio"))) == (events, send_audio)


async def test_new_trunk_numbers_take_the_stack_of_the_workspace(wire: AsyncClient) -> None:
    numbers = "/v1/convai/phone-numbers"
    first = (await wire.post(numbers, json=SIP)).json()["phone_number_id"]
    await patch(wire, default_livekit_stack="static")
    second = (await wire.post(numbers, json=SIP | {"phone_number": "+15550009999"})).json()["phone_number_id"]
    found = [(await wire.get(f"{numbers}/{id}")).json()["livekit_stack"] for id in (first, second)]
    assert found == ["standard", "static"]


async def test_a_workspace_without_mcp_servers_takes_none(api: ApiClient, wire: AsyncClient) -> None:
    config = {"config": {"name": "Calendar", "url": "https://mcp.example.com/mcp"}}
    server = (await wire.post("/v1/convai/mcp-servers", json=config)).json()["id"]
    ada = await agent(api)
    using = {"conversation_config": {"agent": {"prompt": {"mcp_server_ids": [server]}}}}
    await patch(wire, can_use_mcp_servers=False)
    for answer in (
        await wire.post("/v1/convai/mcp-servers", json=config),
        await wire.patch(f"/v1/convai/agents/{ada}", json=using),
        await wire.post("/v1/convai/agents/create", json=using),
    ):
        assert (answer.status_code, answer.json()["detail"]["message"]) == (
            400,
            "This workspace uses no MCP servers: can_use_mcp_servers in its settings is false.",
        )
    assert await change(api, ada, name="Ada")
    await patch(wire, can_use_mcp_servers=True)
    assert (await wire.patch(f"/v1/convai/agents/{ada}", json=using)).status_code == 200


async def test_a_webhook_may_not_reach_inside(wire: AsyncClient) -> None:
    before = (await wire.get(SETTINGS)).json()
    refused = await patch(wire, rag_retention_period_days=3, **asking("http://127.0.0.1/who"))
    assert problems(refused) == snapshot(
        [
            "body.conversation_initiation_client_data_webhook.url: 127.0.0.1 leads into a private network or to this machine. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE."
        ]
    )
    assert (await wire.get(SETTINGS)).json() == before


async def test_a_webhook_names_secrets_that_exist_and_keeps_them(api: ApiClient, wire: AsyncClient) -> None:
    missing = await patch(wire, **asking("https://crm.example.com", authorization={"secret_id": "secret_nowhere"}))
    assert problems(missing) == snapshot(
        [
            "body.conversation_initiation_client_data_webhook.request_headers.authorization.secret_id: There is no secret 'secret_nowhere'."
        ]
    )
    held = await secret(api)
    await patch(wire, **asking("https://crm.example.com", authorization={"secret_id": held}))
    [listed] = (await wire.get("/v1/convai/secrets")).json()["secrets"]
    assert listed["used_by"]["others"] == ["conversation_initiation_webhook"]
    refused = await wire.delete(f"/v1/convai/secrets/{held}")
    assert (refused.status_code, refused.json()["detail"]["status"]) == (400, "secret_in_use")
    await patch(wire, conversation_initiation_client_data_webhook=None)
    [listed] = (await wire.get("/v1/convai/secrets")).json()["secrets"]
    assert listed["used_by"]["others"] == []
    assert (await wire.delete(f"/v1/convai/secrets/{held}")).status_code == 204


async def test_settings_of_another_shape_are_refused_whole(wire: AsyncClient) -> None:
    before = (await wire.get(SETTINGS)).json()
    wrong = await patch(wire, can_use_mcp_servers="perhaps", conversation_initiation_client_data_webhook={"url": 1})
    assert len(problems(wrong)) == 3
    assert (await wire.get(SETTINGS)).json() == before


async def test_the_dashboard_keeps_its_charts_in_order(wire: AsyncClient) -> None:
    before = (await wire.get(DASHBOARD)).json()
    assert before == {"charts": [{"type": "call_success", "name": "Successful calls"}]}
    charts = [
        {"type": "criteria", "name": "Polite", "criteria_id": "polite"},
        {"type": "call_success", "name": "Success"},
        {"type": "data_collection", "name": "Days", "data_collection_id": "day"},
    ]
    changed = await wire.patch(DASHBOARD, json={"charts": charts})
    assert changed.json() == (await wire.get(DASHBOARD)).json() == {"charts": charts}
    assert problems(await wire.patch(DASHBOARD, json={"charts": [{"type": "criteria", "name": "x"}]})) == snapshot(
        ["body.charts.0.criteria_id: Field required"]
    )
    assert (await wire.patch(DASHBOARD, json={})).json() == {"charts": charts}
