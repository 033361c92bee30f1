# pyright: basic
"""Tools that are stored on their own."""

from .sdk import Sdk

WEBHOOK = {
    "type": "webhook",
    "name": "look_up",
    "description": "Finds a booking.",
    "response_timeout_secs": 10,
    "assignments": [{"source": "response", "dynamic_variable": "day", "value_path": "booking.day"}],
    "dynamic_variables": {"dynamic_variable_placeholders": {"team": "desk"}},
    "api_schema": {
        "url": "https://crm.example.com/bookings/{id}",
        "method": "POST",
        "path_params_schema": {"id": {"type": "string", "description": "Number of the booking."}},
        "query_params_schema": {
            "properties": {"team": {"type": "string", "dynamic_variable": "team"}},
            "required": ["team"],
        },
        "request_body_schema": {
            "type": "object",
            "description": "What is looked for.",
            "required": ["days"],
            "properties": {
                "days": {"type": "array", "description": "Days.", "items": {"type": "string", "description": "A day."}},
                "nested": {"type": "object", "properties": {"deep": {"type": "integer", "constant_value": 7}}},
            },
        },
        "request_headers": {"X-Team": "desk"},
    },
}
CLIENT = {
    "type": "client",
    "name": "show_map",
    "description": "Shows the map.",
    "expects_response": True,
    "parameters": {"type": "object", "properties": {"place": {"type": "string", "description": "Where."}}},
}
SYSTEM = {"type": "system", "name": "skip_turn", "description": "", "params": {"system_tool_type": "skip_turn"}}


def sweep(sdk: Sdk) -> None:
    webhook, client, system = [
        sdk.call("tools.create", request={"tool_config": config}).id for config in (WEBHOOK, CLIENT, SYSTEM)
    ]
    for each in (webhook, client, system):
        sdk.call("tools.get", each)
    sdk.saw("tools", sorted(tool.tool_config.name for tool in sdk.call("tools.list").tools))
    changed = {**WEBHOOK, "description": "Finds a booking by its number."}
    sdk.call("tools.update", webhook, request={"tool_config": changed})
    sdk.saw("a changed tool", sdk.call("tools.get", webhook).tool_config.description)

    ada = sdk.call(
        "agents.create", name="Ada", conversation_config={"agent": {"prompt": {"tool_ids": [webhook]}}}
    ).agent_id
    secret = sdk.call("secrets.create", name="CRM", value="s3cr3t").secret_id
    headers = {"Authorization": {"secret_id": secret}}
    request = {**WEBHOOK, "api_schema": {**WEBHOOK["api_schema"], "request_headers": headers}}
    sdk.call("tools.update", webhook, request={"tool_config": request})
    sdk.refused("secrets.delete", secret)
    sdk.saw("tools that use the secret", [each.name for each in sdk.call("secrets.list").secrets[0].used_by.tools])
    sdk.saw("agents that have it", [each.name for each in sdk.call("tools.get_dependent_agents", webhook).agents])
    sdk.refused("tools.delete", webhook)
    sdk.call("agents.delete", ada)
    for each in (webhook, client, system):
        sdk.call("tools.delete", each)
    sdk.call("secrets.delete", secret)
    sdk.saw("tools once deleted", sdk.call("tools.list").tools)
    refusals(sdk)


def refusals(sdk: Sdk) -> None:
    for config in (
        {**WEBHOOK, "api_schema": {"url": "https://169.254.169.254/latest"}},
        {**WEBHOOK, "api_schema": {"url": "http://crm.example.com/"}},
        {**WEBHOOK, "name": "look up!"},
        {**WEBHOOK, "api_schema": {**WEBHOOK["api_schema"], "request_headers": {"A": {"secret_id": "secret_no"}}}},
        {**SYSTEM, "name": "fly", "params": {"system_tool_type": "transfer_to_number", "transfers": "home"}},
        {"type": "webhook"},
    ):
        sdk.refused("tools.create", request={"tool_config": config})
