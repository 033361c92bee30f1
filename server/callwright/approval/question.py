"""Build the text of an approval question: the facts of the operation, without secrets."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..api.client import ApiClient
from ..contract.operation import Operation
from ..replies.masking import HIDDEN, is_secret
from ..replies.text import short

Preview = Callable[[ApiClient, Any], Awaitable[str]]
LONGEST = 6_000
LONGEST_VALUE = 300


async def question_of(op: Operation[Any], preview: Preview | None, title: str, api: ApiClient) -> str:
    """The preview of the operation, or else its fields; and every guarded path with its new value.

    Raises ToolError if the guarded paths do not all fit in one question: a person must see each of them.
    """
    # Python mode keeps write-only values masked.
    said = await preview(api, op) if preview else f"{title}: {fields(op.model_dump(exclude_unset=True))}."
    body, guarded = op.body() or {}, op.guarded_paths()
    if guarded:
        shown = [f"{path} = {_shown(path.split('.'), value_at(body, path))}" for path in guarded]
        said += f" It sets {'; '.join(shown)}."
    if len(said) > LONGEST:
        raise ToolError(
            f"Not done: a person could not see all of it in one question ({len(guarded)} places need approval)."
            " Split it into several calls."
        )
    return short(said, LONGEST)


def changed_fields(op: Operation[Any], most: int = 12) -> str:
    """The dotted names of the fields that a request sets, for a question; values only of guarded fields."""
    named = sorted(leaves(op.body() or {}))
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return f"{', '.join(short(name, 100) for name in named[:most])}{more}"


def leaves(node: dict[str, Any], at: str = "") -> list[str]:
    """Dotted names of the fields that are set in a document."""
    found: list[str] = []
    for key, value in node.items():
        below = leaves(cast(dict[str, Any], value), f"{at}{key}.") if isinstance(value, dict) else []
        found += below or [f"{at}{key}"]
    return found


def fields(given: dict[str, Any]) -> str:
    """Names with their values; secrets are hidden."""
    return ", ".join(f"{name} = {short(_shown([name], value), 200)}" for name, value in given.items()) or "no arguments"


def _shown(path: list[str], value: object) -> str:
    if isinstance(value, dict):
        inner = cast(dict[str, object], value)
        return "{" + ", ".join(f"{short(k)}: {_shown([*path, k], v)}" for k, v in inner.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown([*path, str(i)], v) for i, v in enumerate(cast(list[object], value))) + "]"
    if value is None:
        return "nothing"
    if is_secret(path, value):
        return HIDDEN
    return short(repr(value), LONGEST_VALUE)


def value_at(node: Any, path: str) -> object:
    """The value at a dotted path; a key may itself hold dots."""
    if isinstance(node, list):
        index, _, rest = path.partition(".")
        items = cast(list[Any], node)
        if not index.isdecimal() or int(index) >= len(items):
            return _ABSENT
        child = items[int(index)]
        return value_at(child, rest) if rest else cast(object, child)
    for key, child in cast(dict[str, Any], node).items() if isinstance(node, dict) else ():
        if path == key:
            return child
        if path.startswith(f"{key}.") and (found := value_at(child, path[len(key) + 1 :])) is not _ABSENT:
            return found
    return _ABSENT


_ABSENT = object()
