"""A small platform of its own, so that these tests do not depend on the real resources."""

from typing import Annotated

from callwright.contract.common import Id, Wire, WriteOnly
from callwright.contract.guards import inward, outward
from callwright.contract.operation import Blob, Operation, Query


class Thing(Wire):
    name: str
    size: int = 0


class Hook(Wire):
    url: str


class Auth(Wire):
    enabled: bool


class GetThing(Operation[Thing], method="GET", path="/v1/things/{thing_id}"):
    thing_id: Annotated[str, Id]
    fields: list[str] | None = None


class SumUp(Operation[Thing], method="POST", path="/v1/things/sum", effect="read"):
    parts: list[str]


class CreateThing(
    Operation[Thing], method="POST", path="/v1/things", guarded=(*outward("hook.url"), *inward("auth.enabled"))
):
    name: str
    hook: Hook | None = None
    auth: Auth | None = None
    secret: WriteOnly | None = None
    dry_run: Annotated[bool, Query()] = False


class DeleteThing(Operation[None], method="DELETE", path="/v1/things/{thing_id}"):
    thing_id: str


class RingThing(Operation[Thing], method="POST", path="/v1/things/{thing_id}/ring", effect="dial"):
    thing_id: str


class GetPicture(Operation[Blob], method="GET", path="/v1/things/{thing_id}/picture"):
    thing_id: str


class PutPicture(Operation[Thing], method="POST", path="/v1/things/{thing_id}/picture"):
    thing_id: str
    file: Blob
    name: str | None = None
    tags: list[str] | None = None
    options: dict[str, int] | None = None


class LinkPicture(Operation[Thing], method="POST", path="/v1/things/{thing_id}/link"):
    thing_id: str
    address: str | None = None
    wide: bool | None = None
    size: int | None = None
    file: Blob | None = None


GET = GetThing(thing_id="t1")
CREATE = CreateThing(name="n")
DELETE = DeleteThing(thing_id="t1")
RING = RingThing(thing_id="t1")
