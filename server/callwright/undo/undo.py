"""Undo of recorded changes. Each tool module declares how the changes of its tools are taken back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import BaseModel

from ..api.client import ApiClient
from ..contract.errors import BadRequest
from ..contract.merge import Json
from ..contract.operation import Operation
from ..contract.talking import EndConversation, SendMessage
from ..surface import TOOLSETS

Op = type[Operation[Any]]


class Past(NamedTuple):
    """A recorded change that is to be taken back."""

    target: str
    request: Json
    before: Json
    """The part of the resource that was stored in the log when it was changed or deleted."""
    now: Json
    """The whole resource as it is now; empty after a delete."""

    def inverse(self) -> Json:
        """The merge patch that takes the request back. Raises BadRequest if a value was changed again since."""
        return inverse(self.request, self.before, self.now)


Keep = Callable[[ApiClient, Any, Json], Awaitable[Json | None]]
Back = Callable[[Past], Operation[Any]]
B = TypeVar("B", bound=Back)


async def everything(_: ApiClient, __: Operation[Any], found: Json) -> Json:
    return found


def always(_: Any) -> bool:
    return True


@dataclass(frozen=True)
class Undo:
    """How a change of one kind is taken back."""

    op: Op
    reads: Op
    """The operation that reads the resource that `op` changes or deletes."""
    sends: Op
    """The operation that takes the change back."""
    back: Back
    keep: Keep
    """Returns the part of the resource that is stored for the undo; None if it cannot be restored."""
    when: Callable[[Any], bool]
    """Whether this request can be taken back."""


_UNDOS: dict[str, Undo] = {}
_READERS: dict[Op, Op] = {}


def undoes(
    op: Op, *, reads: Op, sends: Op, keep: Keep = everything, when: Callable[[Any], bool] = always
) -> Callable[[B], B]:
    """Declare that the decorated function builds the request of type `sends` which takes an `op` back; see `Undo`."""

    def add(back: B) -> B:
        _UNDOS[op.__name__] = Undo(op, reads, sends, back, keep, when)
        _READERS[op] = reads
        return back

    return add


def is_read_by(op: Op, reads: Op) -> None:
    """Declare the operation that reads the resource that `op` changes, for changes that cannot be taken back."""
    _READERS[op] = reads


def reader_of(op: Operation[Any]) -> Operation[Any] | None:
    """The request that reads the resource that `op` writes; None if there is no such operation."""
    reads = _READERS.get(type(op))
    return reads and _about_the_same(op, reads)


def _about_the_same(op: Operation[Any], reads: Op) -> Operation[Any]:
    ids = {name: getattr(op, name) for name, place in reads.places().items() if place == "path"}
    return reads.model_validate(ids)


def undo_of(operation: str) -> Undo | None:
    """The declared undo of the operation of this name. Imports the tool modules, as these declare it."""
    if operation not in _UNDOS:
        for module in TOOLSETS:
            import_module(module)
    return _UNDOS.get(operation)


async def previous(client: ApiClient, op: Operation[Any]) -> Json | None:
    """The values that `op` will replace; None if it replaces none, or they cannot be restored."""
    undo = _UNDOS.get(type(op).__name__)
    if undo is None or not undo.when(op):
        return None
    return await undo.keep(client, op, _dump(await client.send(_about_the_same(op, undo.reads))))


def target_of(op: Operation[Any], result: object = None) -> str:
    """The id of the resource of an operation; for a create, the id in its answer."""
    ids = [str(getattr(op, name)) for name, place in op.places().items() if place == "path"]
    if ids:
        return "/".join(ids)
    if isinstance(op, SendMessage | EndConversation):
        return op.conversation_id
    if isinstance(result, BaseModel):
        for name in ("agent_id", "phone_number_id", "secret_id", "conversation_id", "id"):
            if isinstance(found := getattr(result, name, None), str):
                return found
    return ""


async def restoring(client: Any, row: Json) -> Operation[Any]:
    """The operation that takes a recorded change back. Raises BadRequest if the change cannot be undone."""
    before = cast(Json | None, row["previous"])
    undo = undo_of(row["operation"]) if before is not None and row["outcome"] in ("done", "unknown") else None
    if undo is None or before is None:
        raise BadRequest(_why_not(row))
    now = {} if undo.op.effect == "delete" else _dump(await client.send(_read(undo.reads, row["target"])))
    return undo.back(Past(row["target"], cast(Json | None, row["request"]) or {}, before, now))


def _read(reads: Op, target: str) -> Operation[Any]:
    """The operation that reads the resource with the id `target`; a singleton has no id."""
    return reads.model_validate({name: target for name, place in reads.places().items() if place == "path"})


def inverse(request: Json, before: Json, now: Json, at: str = "") -> Json:
    """The merge patch that takes `request` back: it sets only fields that the request set, and null removes a field.

    Raises BadRequest if one of these values was changed again since.
    """
    patch: Json = {}
    for key, value in request.items():
        old: Any = before.get(key)
        current: Any = now.get(key)
        path = f"{at}.{key}".lstrip(".")
        if all(isinstance(each, dict) for each in (value, old, current)):
            patch[key] = inverse(value, old, current, path)
        elif value is None or current == old or holds(current, value):
            patch[key] = old  # a null became the platform's default, which is unknown here and cannot be compared
        else:
            raise BadRequest(f"{path} was changed again since. Undo the later change first, or set it by hand.")
    return patch


def holds(current: object, value: object) -> bool:
    """Whether `current` still equals the sent `value`, apart from defaults that the platform has added."""
    if isinstance(current, dict) and isinstance(value, dict):
        found = cast(Json, current)
        return all(holds(found.get(key), wanted) for key, wanted in cast(Json, value).items())
    if isinstance(current, list) and isinstance(value, list):
        pairs = list(zip(cast(list[Any], current), cast(list[Any], value), strict=False))
        return len(pairs) == len(cast(list[Any], current)) == len(cast(list[Any], value)) and all(
            holds(have, wanted) for have, wanted in pairs
        )
    return current == value


def has_plain_headers(caller: Json) -> bool:
    """Whether a header holds text instead of a reference to a secret; such text may itself be a secret."""
    return any(isinstance(value, str) for value in cast(Json, caller.get("request_headers") or {}).values())


def _why_not(row: Json) -> str:
    if row["outcome"] not in ("done", "unknown"):
        return f"That change was not made ({row['outcome']}): there is nothing to undo."
    return (
        f"A {row['operation']} cannot be undone: no previous value was kept, because there was none, it holds what"
        " the platform never gives back, or CALLWRIGHT_STATE_KEY was another one then. What was"
        " created can be deleted with its delete tool."
    )


def _dump(model: BaseModel) -> Json:
    return model.model_dump(mode="json", exclude_unset=True)
