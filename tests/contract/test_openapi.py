"""The OpenAPI document that is made from the contract."""

import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import pytest

from callwright.contract import all_operations
from callwright.contract.common import E164, e164
from callwright.contract.openapi import PUBLIC
from callwright.engine.http.routes import all_handlers

from .published import published

REFUSALS = ("400", "401", "404", "422")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, child in cast(dict[str, Any], node).items():
            if key == "$ref" and isinstance(child, str):
                yield child
            yield from references(child)
    if isinstance(node, list):
        for child in cast(list[Any], node):
            yield from references(child)


def test_every_operation_is_there_once() -> None:
    listed = {
        (m.upper(), path): op["operationId"] for path, ops in published()["paths"].items() for m, op in ops.items()
    }
    assert listed.keys() == {(op.method, op.path) for op in all_operations()}
    assert len(set(listed.values())) == len(listed) == len(all_operations())
    assert listed["PATCH", "/v1/convai/agents/{agent_id}"] == "update_agent"


def test_every_reference_resolves_and_every_schema_is_used() -> None:
    schemas = published()["components"]["schemas"]
    used = {ref.removeprefix("#/components/schemas/") for ref in references(published())}
    assert used == schemas.keys()


def test_every_schema_is_a_schema() -> None:
    for schema in published()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_names_are_plain_words() -> None:
    assert [name for name in published()["components"]["schemas"] if not name.isalnum()] == []


@pytest.mark.parametrize("op", all_operations(), ids=lambda op: op.__name__)
def test_parameters_and_body_share_the_fields_of_the_operation(op: Any) -> None:
    found = published()["paths"][op.path][op.method.lower()]
    places = {p["name"]: p["in"] for p in found["parameters"]}
    for media_type, content in found.get("requestBody", {}).get("content", {}).items():
        assert (media_type == "multipart/form-data") == op.multipart()
        for name, schema in content["schema"]["properties"].items():
            places[name] = "file" if schema == {"type": "string", "format": "binary"} else "body"
    assert places == op.places()
    assert all(p["required"] for p in found["parameters"] if p["in"] == "path")
    assert found["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/InvalidRequest")


def test_limits_open_values_secrets_and_effects_are_said() -> None:
    speech = published()["components"]["schemas"]["Speech"]["properties"]
    assert speech["speed"] == {"type": "number", "minimum": 0.7, "maximum": 1.2}
    assert speech["model_id"]["x-known-values"][0] == "eleven_turbo_v2"
    secret = published()["paths"]["/v1/convai/secrets"]["post"]
    assert secret["requestBody"]["content"]["application/json"]["schema"]["properties"]["value"]["writeOnly"]
    assert secret["x-effect"] == "secret"
    assert published()["security"] == [{"key": []}]
    assert published()["components"]["securitySchemes"]["key"]["name"] == "xi-api-key"


def answers(method: str, path: str) -> dict[str, list[str]]:
    """Each status of an operation, and its media types."""
    responses = published()["paths"][path][method]["responses"]
    return {status: list(response.get("content", {})) for status, response in responses.items()}


def test_each_refusal_is_said_with_its_shape() -> None:
    json = ["application/json"]
    assert answers("delete", "/v1/convai/secrets/{secret_id}") == {"204": [], **dict.fromkeys(REFUSALS, json)}
    assert answers("get", "/v1/convai/llm/list") == {"200": json, "401": json, "422": json}
    shapes = published()["paths"]["/v1/convai/secrets/{secret_id}"]["delete"]["responses"]
    named = {status: shapes[status]["content"]["application/json"]["schema"]["$ref"] for status in REFUSALS}
    assert {status: ref.rsplit("/", 1)[1] for status, ref in named.items()} == {
        **dict.fromkeys(REFUSALS, "Error"),
        "422": "InvalidRequest",
    }


def test_answers_that_are_not_json_say_what_they_are() -> None:
    base = "/v1/convai"
    found = {
        path: answers(method, path)["200"]
        for method, path in [
            ("get", f"{base}/knowledge-base/{{documentation_id}}/content"),
            ("get", f"{base}/avatars/{{agent_id}}"),
            ("get", f"{base}/conversations/{{conversation_id}}/audio"),
            ("post", f"{base}/agents/{{agent_id}}/simulate-conversation/stream"),
        ]
    }
    assert [*found.values()] == [
        ["text/html"],
        ["image/png", "image/jpeg", "image/gif", "image/webp"],
        ["audio/mpeg"],
        ["application/x-ndjson"],
    ]


def test_what_needs_no_key_is_what_the_engine_answers_without_one() -> None:
    without = {
        operation["operationId"]
        for methods in published()["paths"].values()
        for operation in methods.values()
        if {} in operation.get("security", [])
    }
    public = {op.__name__ for group in all_handlers() for op, made in group.by_operation.items() if made.public}
    assert public == PUBLIC
    assert without == {"get_widget", "get_avatar"}


def test_what_is_checked_in_words_is_said_as_a_pattern_where_one_says_it() -> None:
    called = published()["paths"]["/v1/convai/twilio/outbound-call"]["post"]["requestBody"]["content"]
    number = called["application/json"]["schema"]["properties"]["to_number"]
    assert (number["type"], number["pattern"]) == ("string", E164)
    assert re.fullmatch(E164, "+15551234567")
    for wrong in ("15551234567", "+0155512345", "+1", "+1555123456789012", "+15551234567\n", "+1\u0665\u0665\u0665"):
        assert not re.fullmatch(E164, wrong)
        with pytest.raises(ValueError, match="country code"):
            e164(wrong)


def test_a_kind_must_be_said_where_a_request_is_refused_without_it() -> None:
    call = published()["paths"]["/v1/convai/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    valid: Any = jsonschema.Draft202012Validator({**call, "components": published()["components"]})
    tool = {"name": "show_map", "description": "Shows the map."}
    assert not valid.is_valid({"tool_config": tool})
    assert valid.is_valid({"tool_config": {**tool, "type": "client"}})
    assert valid.is_valid({"tool_config": {**tool, "type": "of_a_newer_platform"}})
