"""The body of a request: JSON, or a form if it contains a file."""

from typing import Any, cast

from pydantic_core import to_json

from ..contract.operation import Operation


def payload(op: Operation[Any]) -> dict[str, Any]:
    body = op.body()
    if body is None:
        return {}
    if not op.multipart():
        return {"content": to_json(body), "headers": {"content-type": "application/json"}}
    # Plain fields are parts as well: without a file, httpx2 would encode its `data` as a form of another media type.
    fields = [(name, (None, text)) for name, value in body.items() for text in _form_texts(value)]
    files = [(name, (blob.filename or name, blob.data, blob.media_type)) for name, blob in op.files().items()]
    return {"files": [*fields, *files]}


def _form_texts(value: object) -> list[str]:
    """A form has text and lists of text; deeper values are sent as JSON in one field, and null is left out."""
    if value is None:
        return []
    items = cast(list[object], value) if isinstance(value, list) else [value]
    if any(isinstance(item, dict | list) for item in items):
        return [to_json(value).decode()]
    return [item if isinstance(item, str) else to_json(item).decode() for item in items]
