"""The text of a question: what would happen, in facts, without secrets."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from ..api.client import ApiClient
from ..contract.operation import Operation
from .scope import NeedsApproval
from .text import short

Preview = Callable[[ApiClient, Any], Awaitable[str]]
LIMIT = 1500

_SECRET_WORDS = ("key", "token", "secret", "password", "credential", "header", "auth")


async def question_of(need: NeedsApproval, preview: Preview | None, title: str, api: ApiClient) -> str:
    """The operation's own preview, else its fields; and each guarded path with its new value."""
    said = await preview(api, need.op) if preview else f"{title}: {_fields(need.op)}."
    guarded = need.op.guarded_paths()
    if guarded:
        body = need.op.body() or {}
        shown = [f"{path} = {_masked(path, _at(body, path))}" for path in guarded[:8]]
        more = f" and {len(guarded) - 8} more" if len(guarded) > 8 else ""
        said += f" It sets {'; '.join(shown)}{more}."
    return said if len(said) <= LIMIT else f"{said[: LIMIT - 1]}…"


def _fields(op: Operation[Any]) -> str:
    # Python mode: write-only values stay masked.
    given = op.model_dump(exclude_unset=True)
    return ", ".join(f"{name} = {_masked(name, value)}" for name, value in given.items()) or "no arguments"


def _masked(path: str, value: object) -> str:
    parts = path.lower().split(".")
    if any(word in part for part in parts for word in _SECRET_WORDS) and not isinstance(value, bool):
        return "(hidden)"
    if isinstance(value, dict):
        inner = cast(dict[str, object], value)
        return short("{" + ", ".join(f"{k}: {_masked(f'{path}.{k}', v)}" for k, v in inner.items()) + "}", 200)
    return short(repr(value), 200)


def _at(node: Any, path: str) -> object:
    for part in path.split("."):
        node = cast(list[Any], node)[int(part)] if isinstance(node, list) else cast(dict[str, Any], node)[part]
    return cast(object, node)
