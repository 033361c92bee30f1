"""The platform's published facts: what its operations are, as an unchanged copy, and answers checked against them."""

import json
from pathlib import Path
from typing import Any, cast

import jsonschema

from callwright.contract.operation import Operation

Schema = dict[str, Any]

_HERE = Path(__file__).parent
OPENAPI = cast(Schema, json.loads((_HERE / "openapi.json").read_text("utf-8")))
_LATER = cast(Schema, json.loads((_HERE / "extra-ops.json").read_text("utf-8")))
SCHEMAS: dict[str, Schema] = OPENAPI["components"]["schemas"] | _LATER["components"]["schemas"]


def fact(op: type[Operation[Any]]) -> Schema:
    """The published operation: parameters, request body, responses."""
    for document in (OPENAPI, _LATER):
        if found := document["paths"].get(op.path, {}).get(op.method.lower()):
            return found
    raise AssertionError(f"{op.method} {op.path} is not published")


def published() -> list[tuple[str, str]]:
    """Method and path of every published operation."""
    return [(m.upper(), path) for d in (OPENAPI, _LATER) for path, methods in d["paths"].items() for m in methods]


def success(op: type[Operation[Any]]) -> tuple[int, Schema | None]:
    """Status and schema of the good answer; no schema where it is not JSON."""
    [(status, response)] = [(int(s), r) for s, r in fact(op)["responses"].items() if s.startswith("2")]
    return status, response["content"]["application/json"]["schema"] if "content" in response else None


def resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def assert_answer(op: type[Operation[Any]], status: int, body: object) -> None:
    """A concrete JSON answer of the embedded platform is one that the published schema allows."""
    expected, schema = success(op)
    assert status == expected, body
    if status == 204:
        assert body is None
        return
    assert schema is not None, f"{op.__name__} does not answer JSON"
    root = {**_loose(schema), "components": {"schemas": {name: _loose(s) for name, s in SCHEMAS.items()}}}
    validator: Any = jsonschema.Draft202012Validator(root)
    wrong = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]
    assert not wrong, "\n".join(wrong)


def _loose(node: Any) -> Any:
    """`oneOf` as `anyOf`: its arms overlap (every integer is a number), and the facts use it for any union."""
    if isinstance(node, dict):
        return {("anyOf" if key == "oneOf" else key): _loose(child) for key, child in cast(Schema, node).items()}
    return [_loose(child) for child in cast(list[Any], node)] if isinstance(node, list) else node
