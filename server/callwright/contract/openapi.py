"""The contract as an OpenAPI 3.1 document, for people, generators and other programs."""

import re
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from .. import __version__
from . import RESOURCES, operations
from .errors import InvalidRequest
from .operation import STREAM_TYPE, Blob, Operation

Schema = dict[str, Any]
_REF = "#/components/schemas/"

PUBLIC = frozenset({"GetWidget", "GetAvatar"})
"""Asked by web pages too, which have no key; what they may see is up to the agent."""
_MEDIA_TYPES = {
    "GetDocumentContent": ("text/html",),
    "GetConversationAudio": ("audio/mpeg",),
    "GetAvatar": ("image/png", "image/jpeg", "image/gif", "image/webp"),
    "DownloadDictionary": ("application/pls+xml",),
}
"""Of the answers that are not JSON."""

_ERROR: Schema = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_INVALID: Schema = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        }
    },
}


def document() -> Schema:
    """All operations, each with its parameters, body, answers and effect (`x-effect`)."""
    found = [(resource, op) for resource in RESOURCES for op in operations(resource)]
    inputs: list[tuple[tuple[str, bool], JsonSchemaMode, TypeAdapter[Any]]] = []
    for _, op in found:
        inputs.append(((op.__name__, True), "validation", TypeAdapter(op)))
        if op.answer() not in (None, Blob):
            inputs.append(((op.__name__, False), "validation", op.result()))
    schemas, root = TypeAdapter.json_schemas(inputs, ref_template=_REF + "{model}")
    shapes = {name: _tidy(shape) for name, shape in cast(dict[str, Schema], root["$defs"]).items()}
    shapes.pop(Blob.__name__)  # files stand in their bodies as OpenAPI writes them
    paths: dict[str, Schema] = {}
    for resource, op in found:
        request = shapes.pop(op.__name__)
        paths.setdefault(op.path, {})[op.method.lower()] = {
            "operationId": _snake(op.__name__),
            "tags": [resource],
            "summary": (op.__doc__ or "").strip().splitlines()[0],
            "x-effect": op.effect,
            **({"security": [{}, {"key": []}]} if op.__name__ in PUBLIC else {}),
            "parameters": _parameters(op, request),
            **_body(op, request),
            "responses": _responses(op, _tidy(schemas.get(((op.__name__, False), "validation"), {}))),
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Callwright voice agents platform", "version": __version__},
        "tags": [{"name": resource} for resource in RESOURCES],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "xi-api-key"}},
            "schemas": shapes | {"Error": _ERROR, InvalidRequest.__name__: _INVALID},
        },
    }


def _parameters(op: type[Operation[Any]], request: Schema) -> list[Schema]:
    return [
        {"name": name, "in": place, "required": name in request.get("required", []), "schema": schema}
        for name, schema in request.get("properties", {}).items()
        if (place := op.places()[name]) in ("path", "query")
    ]


def _body(op: type[Operation[Any]], request: Schema) -> Schema:
    fields = {n: s for n, s in request.get("properties", {}).items() if op.places()[n] in ("body", "file")}
    if op.method not in ("POST", "PUT", "PATCH"):
        return {}
    files = {n: {"type": "string", "format": "binary"} for n in fields if op.places()[n] == "file"}
    required = [name for name in request.get("required", []) if name in fields]
    schema: Schema = {"type": "object", "properties": fields | files, "required": required}
    media_type = "multipart/form-data" if op.multipart() else "application/json"
    return {"requestBody": {"required": bool(required), "content": {media_type: {"schema": schema}}}}


def _responses(op: type[Operation[Any]], answer: Schema) -> Schema:
    good: Schema = {"200": {"description": "Done.", "content": {"application/json": {"schema": answer}}}}
    if op.answer() is None:
        good = {"204": {"description": "Done."}}
    elif op.streams():
        good = {"200": {"description": "One such value a line.", "content": {STREAM_TYPE: {"schema": answer}}}}
    elif op.answer() is Blob:
        content: Schema = {media_type: {} for media_type in _MEDIA_TYPES[op.__name__]}
        good = {"200": {"description": "The content itself.", "content": content}}
    return good | {
        status: _refers(said, InvalidRequest.__name__ if status == "422" else "Error")
        for status, said in _refusals(op).items()
    }


def _refusals(op: type[Operation[Any]]) -> dict[str, str]:
    """What the platform may refuse, by status."""
    given = {name for name, place in op.places().items() if place != "path"}
    found = {"401": "The key is missing or wrong."}
    if given or op.effect != "read":
        found["400"] = "It cannot be done as things are: what is asked for is in use, taken, or of another kind."
    if op.__name__ in PUBLIC:
        found["403"] = "The agent is not open to whoever asks."
    if any(name.endswith(("_id", "_ids")) for name in op.places()):
        found["404"] = "Something that is named does not exist."
    if op.method in ("POST", "PUT", "PATCH"):
        found["413"] = "The body is too large."
    return dict(sorted({**found, "422": "Fields that do not fit, each with its place."}.items()))


def _refers(description: str, name: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _REF + name}}}}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _tidy(node: Any, *, names: bool = False) -> Any:
    """A schema without generated titles, and without defaults of null: those fields are absent, not null.

    `names` says that the keys of this object are fields, not keywords.
    """
    if isinstance(node, list):
        return [_tidy(item) for item in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    return {
        key: _tidy(child, names=key == "properties" and not names)
        for key, child in cast(Schema, node).items()
        if names or not (key == "title" or (key == "default" and child is None))
    }
