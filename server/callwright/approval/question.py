"""Build the text of an approval question: the facts of the operation, without secrets.

Whether a value is a secret follows from the type that the contract gives its place. Names decide only where the
contract knows no type: keys are chosen by whoever wrote the document.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..api.client import ApiClient
from ..contract.operation import Operation
from ..contract.walk import Path, inside, spelt
from ..replies.masking import HIDDEN, secrets_in
from ..replies.text import short
from .effective import bound_to

Preview = Callable[[ApiClient, Any], Awaitable[str]]
LONGEST = 6_000
LONGEST_DIAL = 18_000
"""Of a question about calls, which names everybody who would be rung."""
LONGEST_FIELD = 200
"""Characters of a field that is not guarded. Guarded values are shown whole."""


async def question_of(op: Operation[Any], preview: Preview | None, title: str, api: ApiClient) -> str:
    """The preview of the operation, or else its fields; every guarded place with its value; what a yes is bound to.

    Raises ToolError if the guarded places do not all fit in one question: a person must see each of them.
    """
    said = await preview(api, op) if preview else f"{title}: {fields(op)}."
    if guarded := op.guarded_places():
        hidden = secrets_in(type(op), op.body() or {})
        shown = [f"{place.shown} = {_shown(place.path, place.value, hidden)}" for place in guarded]
        said += f" It sets {'; '.join(shown)}."
    said += await bound_to(op, api)
    longest = LONGEST_DIAL if op.effect == "dial" else LONGEST
    if len(said) > longest:
        way = "Split it into several calls." if len(guarded) > 1 else "Make the value shorter."
        raise ToolError(
            f"Not done: a person could not see all of it in one question ({len(guarded)} places need approval). {way}"
        )
    return short(said, longest)


def changed_fields(op: Operation[Any], most: int = 12) -> str:
    """The names of the fields that a request sets, for a question; values only of guarded fields."""
    named = sorted(spelt(path) for path, _ in leaves(op.body() or {}))
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return f"{', '.join(short(name, 100) for name in named[:most])}{more}"


def leaves(node: Mapping[str, Any], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The fields that are set in a document, or in the part of it that stands `at` a path."""
    for key, value in node.items():
        below = list(leaves(cast(Mapping[str, Any], value), (*at, key))) if isinstance(value, dict) else []
        yield from below or [((*at, key), value)]


def fields(op: Operation[Any], part: Mapping[str, Any] | None = None) -> str:
    """The fields that a request sets (or this part of its body), with their values; secrets are hidden."""
    hidden = secrets_in(type(op), op.body() or {})
    # Python mode keeps write-only values masked, wherever they travel.
    sent = part if part is not None else op.model_dump(exclude_unset=True, by_alias=True) | (op.body() or {})
    shown = {name: _shown((name,), value, hidden) for name, value in sent.items()}
    return ", ".join(f"{name} = {short(text, LONGEST_FIELD)}" for name, text in shown.items()) or "no arguments"


def _shown(path: Path, value: object, hidden: set[Path]) -> str:
    if isinstance(value, dict):
        inner = inside(cast(dict[str, object], value))
        return "{" + ", ".join(f"{spelt((key,))}: {_shown((*path, key), item, hidden)}" for key, item in inner) + "}"
    if isinstance(value, list):
        items = inside(cast(list[object], value))
        return "[" + ", ".join(_shown((*path, index), item, hidden) for index, item in items) + "]"
    if value is None:
        return "nothing"
    return HIDDEN if path in hidden else repr(value)
