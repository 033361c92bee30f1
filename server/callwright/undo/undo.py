"""What a change replaces, and how to put it back. Each change that can be taken back is declared beside its tool."""

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
    """What was kept of the thing when it was changed or deleted."""
    now: Json
    """The thing as it stands, whole; empty after a delete."""

    def inverse(self) -> Json:
        """What takes the request back. Raises BadRequest where a value of it was changed again since."""
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
    """Reads the thing that `op` changes or deletes."""
    sends: Op
    """Takes the change back."""
    back: Back
    keep: Keep
    """What is kept of the thing that was read; None where it cannot be put back."""
    when: Callable[[Any], bool]
    """Whether a request of this kind can be taken back at all."""


_UNDOS: dict[str, Undo] = {}
_READERS: dict[Op, Op] = {}


def undoes(
    op: Op, *, reads: Op, sends: Op, keep: Keep = everything, when: Callable[[Any], bool] = always
) -> Callable[[B], B]:
    """Declare that the function makes the request, a `sends`, which takes an `op` back; see `Undo`."""

    def add(back: B) -> B:
        _UNDOS[op.__name__] = Undo(op, reads, sends, back, keep, when)
        _READERS[op] = reads
        return back

    return add


def is_read_by(op: Op, reads: Op) -> None:
    """Declare what reads the thing that `op` changes, where the change cannot be taken back."""
    _READERS[op] = reads


def reader_of(op: Operation[Any]) -> Operation[Any] | None:
    """The request that reads what `op` writes; None where nothing does."""
    reads = _READERS.get(type(op))
    return reads and _about_the_same(op, reads)


def _about_the_same(op: Operation[Any], reads: Op) -> Operation[Any]:
    ids = {name: getattr(op, name) for name, place in reads.places().items() if place == "path"}
    return reads.model_validate(ids)


def undo_of(operation: str) -> Undo | None:
    """What was declared for the operation of this name, by whichever tools there are."""
    if operation not in _UNDOS:
        for module in TOOLSETS:
            import_module(module)
    return _UNDOS.get(operation)


async def previous(client: ApiClient, op: Operation[Any]) -> Json | None:
    """What `op` is about to replace; None where it cannot be put back (or nothing is replaced)."""
    undo = _UNDOS.get(type(op).__name__)
    if undo is None or not undo.when(op):
        return None
    return await undo.keep(client, op, _dump(await client.send(_about_the_same(op, undo.reads))))


def target_of(op: Operation[Any], result: object = None) -> str:
    """The id of what an operation is about; for a create, the id in its answer."""
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
    """The operation that takes a recorded change back. Raises BadRequest where that cannot be done."""
    before = cast(Json | None, row["previous"])
    undo = undo_of(row["operation"]) if before is not None and row["outcome"] in ("done", "unknown") else None
    if undo is None or before is None:
        raise BadRequest(_why_not(row))
    now = {} if undo.op.effect == "delete" else _dump(await client.send(_read(undo.reads, row["target"])))
    return undo.back(Past(row["target"], cast(Json | None, row["request"]) or {}, before, now))


def _read(reads: Op, target: str) -> Operation[Any]:
    """Read the thing with the id `target`, where there are several."""
    return reads.model_validate({name: target for name, place in reads.places().items() if place == "path"})


def inverse(request: Json, before: Json, now: Json, at: str = "") -> Json:
    """The merge patch that takes `request` back: it touches only what the request touched, and null takes out.

    Raises BadRequest where one of those values was changed again since.
    """
    patch: Json = {}
    for key, value in request.items():
        old: Any = before.get(key)
        current: Any = now.get(key)
        path = f"{at}.{key}".lstrip(".")
        if all(isinstance(each, dict) for each in (value, old, current)):
            patch[key] = inverse(value, old, current, path)
        elif value is None or current == old or holds(current, value):
            patch[key] = old  # what null became is the platform's default, so it cannot be compared
        else:
            raise BadRequest(f"{path} was changed again since. Undo the later change first, or set it by hand.")
    return patch


def holds(current: object, value: object) -> bool:
    """Whether `value` is still what was sent; a platform adds its defaults to what it is sent."""
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
    """A header that is no reference to a secret may be one itself."""
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
