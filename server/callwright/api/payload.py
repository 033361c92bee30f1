"""What a request carries: JSON, or a form where a file goes with it."""

from typing import Any, cast

from pydantic_core import to_json

from ..contract.operation import Operation


def payload(op: Operation[Any]) -> dict[str, Any]:
    body = op.body()
    if body is None:
        return {}
    if not op.multipart():
        return {"content": to_json(body), "headers": {"content-type": "application/json"}}
    # Plain fields are parts as well: beside no file, httpx2 would turn its `data` into a form of another media type.
    fields = [(name, (None, text)) for name, value in body.items() for text in _form_texts(value)]
    files = [(name, (blob.filename or name, blob.data, blob.media_type)) for name, blob in op.files().items()]
    return {"files": [*fields, *files]}


def _form_texts(value: object) -> list[str]:
    """A form knows text and lists of text; whatever is deeper travels as JSON in one field, null not at all."""
    if value is None:
        return []
    items = cast(list[object], value) if isinstance(value, list) else [value]
    if any(isinstance(item, dict | list) for item in items):
        return [to_json(value).decode()]
    return [item if isinstance(item, str) else to_json(item).decode() for item in items]
