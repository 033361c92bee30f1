"""The OpenAPI document that is made from the contract."""

from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import pytest

from callwright.contract import all_operations
from callwright.contract.openapi import document

DOCUMENT = document()


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
    listed = {(m.upper(), path): op["operationId"] for path, ops in DOCUMENT["paths"].items() for m, op in ops.items()}
    assert listed.keys() == {(op.method, op.path) for op in all_operations()}
    assert len(set(listed.values())) == len(listed) == len(all_operations())
    assert listed["PATCH", "/v1/convai/agents/{agent_id}"] == "update_agent"


def test_every_reference_resolves_and_every_schema_is_used() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    used = {ref.removeprefix("#/components/schemas/") for ref in references(DOCUMENT)}
    assert used == schemas.keys()


def test_every_schema_is_a_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_names_are_plain_words() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if not name.isalnum()] == []


@pytest.mark.parametrize("op", all_operations(), ids=lambda op: op.__name__)
def test_parameters_and_body_share_the_fields_of_the_operation(op: Any) -> None:
    found = DOCUMENT["paths"][op.path][op.method.lower()]
    places = {p["name"]: p["in"] for p in found["parameters"]}
    for media_type, content in found.get("requestBody", {}).get("content", {}).items():
        assert (media_type == "multipart/form-data") == op.multipart()
        for name, schema in content["schema"]["properties"].items():
            places[name] = "file" if schema == {"type": "string", "format": "binary"} else "body"
    assert places == op.places()
    assert all(p["required"] for p in found["parameters"] if p["in"] == "path")
    assert found["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/InvalidRequest")


def test_limits_open_values_secrets_and_effects_are_said() -> None:
    speech = DOCUMENT["components"]["schemas"]["Speech"]["properties"]
    assert speech["speed"] == {"type": "number", "minimum": 0.7, "maximum": 1.2}
    assert speech["model_id"]["x-known-values"][0] == "eleven_turbo_v2"
    secret = DOCUMENT["paths"]["/v1/convai/secrets"]["post"]
    assert secret["requestBody"]["content"]["application/json"]["schema"]["properties"]["value"]["writeOnly"]
    assert secret["x-effect"] == "secret"
    assert DOCUMENT["security"] == [{"key": []}]
    assert DOCUMENT["components"]["securitySchemes"]["key"]["name"] == "xi-api-key"
    assert list(DOCUMENT["paths"]["/v1/convai/secrets/{secret_id}"]["delete"]["responses"]) == ["204", "422", "default"]
