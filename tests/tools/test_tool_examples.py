"""The guide's own examples of tools, in the dialect of its editor, with our words in them."""

import json
from pathlib import Path

import pytest

from tests.engine.helpers import JSON
from tests.transports import Clock, unknown_inside

from .test_agent_tools import call, refusal, served, stored

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


def value(id: str, type: str = "string", *, required: bool = True) -> JSON:
    return {
        "id": id, "type": type, "description": f"The {id}.", "dynamic_variable": "", "constant_value": "",
        "required": required, "value_type": "llm_prompt",
    }  # fmt: skip


def group(id: str, *inside: JSON, required: bool = True) -> JSON:
    return {"id": id, "type": "object", "description": id, "required": required, "properties": list(inside)}


def many(id: str, item: JSON) -> JSON:
    inner = {key: found for key, found in item.items() if key not in ("id", "required")}
    return {"id": id, "type": "array", "description": id, "required": True, "items": inner}


def example(
    name: str, url: str, method: str = "GET", path: tuple[JSON, ...] = (), query: tuple[JSON, ...] = (),
    body: JSON | None = None, *, secret: str = "YOUR SECRET",
) -> JSON:  # fmt: skip
    headers: list[JSON] = [{"type": "value", "name": "Content-Type", "value": "application/json"}]
    if secret:
        headers.append({"type": "secret", "name": "Authorization", "secret_id": secret})
    schema = {
        "url": url, "method": method, "path_params_schema": list(path), "query_params_schema": list(query),
        "request_body_schema": body, "request_headers": headers,
    }  # fmt: skip
    variables: JSON = {"dynamic_variable_placeholders": {}}
    return {
        "type": "webhook", "name": name, "description": f"Does {name}.", "api_schema": schema,
        "response_timeout_secs": 20, "dynamic_variables": variables,
    }  # fmt: skip


DESK, CRM = "https://your-subdomain.zendesk.com/api/v2", "https://api.hubapi.com/crm/v3/objects"
FORCE = "https://your-domain.my.salesforce.com/services/data/v58.0"
FILTER = group("filters", value("value"), value("propertyName"), value("operator"))
TYPES = group("types", value("associationCategory"), value("associationTypeId", "number"))
ASSOCIATION = group("associations", group("to", value("id")), many("types", TYPES))
TICKET = ("content", "subject", "hs_pipeline", "hs_ticket_priority", "hs_pipeline_stage")
LEAD = ("FirstName", "Phone", "Company", "Title", "Industry", "Description")
ITEM = {"type": "string", "description": "The property.", "constant_value": ""}
EXAMPLES = [
    example("zendesk_get_ticket_comments", DESK + "/tickets/{ticket_id}/comments.json", path=(value("ticket_id", required=False),)),
    example("zendesk_get_resolved_tickets", DESK + "/search.json?query=type:ticket+status:solved"),
    example(
        "zendesk_open_ticket", DESK + "/tickets.json", "POST",
        body=group("body", group("ticket", group("comment", value("body")), value("subject"), group("requester", value("email"), value("name"))), required=False),
    ),
    example("search_contact", CRM + "/contacts/search", "POST", body=group("body", many("filterGroups", group("x", many("filters", FILTER))))),
    example("get_previous_calls", CRM + "/contacts/{CONTACT_ID}/associations/calls?limit=100", path=(value("CONTACT_ID"),)),
    example("get_call_content", CRM + "/calls/batch/read", "POST", body=group("body", many("inputs", group("x", value("id"))), many("properties", ITEM))),
    {"id": "tool_01", **example("create_ticket", CRM + "/tickets", "POST", body=group("body", many("associations", ASSOCIATION), group("properties", *map(value, TICKET)), required=False))},
    example("salesforce_search_records", FORCE + "/query/", query=(value("q"),), secret=""),
    example("salesforce_get_record", FORCE + "/sobjects/{object_type}/{record_id}", path=(value("object_type"), value("record_id")), secret=""),
    example(
        "salesforce_create_record", FORCE + "/sobjects/{object_type}/", "POST", path=(value("object_type"),), secret="",
        body=group("record_data", value("LastName"), value("Email"), *(value(name, required=False) for name in LEAD)),
    ),
]  # fmt: skip


def filled(config: JSON, secret: str) -> JSON:
    """The example with the reader's own host and secret."""
    said = (
        json.dumps(config)
        .replace("YOUR SECRET", secret)
        .replace("your-subdomain", "acme")
        .replace("your-domain", "acme")
    )
    return json.loads(said)


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda config: config["name"])
async def test_an_example_of_the_guide_is_taken_as_it_is_pasted(tmp_path: Path, clock: Clock, config: JSON) -> None:
    async with served(tmp_path, clock) as (client, _):
        secret = (await call(client, "create_secret", name="key", value="v"))["secret_id"]
        pasted = await client.call_tool("create_tool", {"config": config})
        made = await call(client, "create_tool", config=filled(config, secret))
        whole = await stored(client, made["tool_id"])
    as_given = "YOUR SECRET" in json.dumps(config) or "your-" in json.dumps(config)
    assert pasted.is_error is as_given
    assert made["name"] == config["name"]
    assert "value_type" not in json.dumps(whole)
    api, given = whole["api_schema"], config["api_schema"]
    assert sorted(api["path_params_schema"]) == sorted(item["id"] for item in given["path_params_schema"])
    assert isinstance(api["request_headers"], dict)
    if given["request_body_schema"]:
        body = api["request_body_schema"]
        assert list(body["properties"]) == [item["id"] for item in given["request_body_schema"]["properties"]]
        needed = [item["id"] for item in given["request_body_schema"]["properties"] if item["required"]]
        assert body["required"] == needed
    query: JSON = api.get("query_params_schema") or {}
    assert query.get("required", []) == [item["id"] for item in given["query_params_schema"]]


async def test_a_pasted_placeholder_is_refused_by_its_place(tmp_path: Path, clock: Clock, either_platform: str) -> None:
    header = "tool_config.api_schema.request_headers.Authorization.secret_id"
    async with served(tmp_path, clock) as (client, _):
        assert await refusal(client, "create_tool", config=EXAMPLES[0]) == (
            f"{unknown_inside(either_platform, header, 'secret', 'YOUR SECRET')}; tool_config.api_schema.url: The host is a placeholder; put your own in its place"
        )
