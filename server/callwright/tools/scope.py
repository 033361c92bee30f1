"""What one tool call may send: its declared operations, under the approval policy, with a record of each change."""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..api.client import ApiClient
from ..contract.errors import ApiError, Unavailable
from ..contract.operation import Operation, Stream
from ..ledger.ledger import ApprovedBy, Intent, Ledger
from .changes import Change, differences, standing
from .names import unknown_names
from .policy import Policy
from .undo import previous, target_of

R = TypeVar("R")
T = TypeVar("T")
Report = Callable[[str], Awaitable[None]]


class NeedsApproval(Exception):
    """The call would send `op`, and the policy wants a person's word first. Nothing was sent that changes anything."""

    def __init__(self, op: Operation[Any], reason: str) -> None:
        super().__init__(reason)
        self.op, self.reason = op, reason


class WouldSend(Exception):
    """A dry run has come to what it would change: `op` was not sent."""

    def __init__(self, op: Operation[Any]) -> None:
        super().__init__(type(op).__name__)
        self.op = op


@dataclass
class Call:
    """One call of one tool by one principal."""

    tool: str
    effect: str
    sends: tuple[type[Operation[Any]], ...]
    arguments: dict[str, Any]
    who: str
    platform: str
    policy: Policy
    key: bytes
    command: str
    """What a person types to run this program."""
    ledger: Callable[[], Awaitable[Ledger]]
    told: Callable[[Mapping[str, str]], Awaitable[None]]
    """Hears the ids of whatever was changed."""
    dry_run: bool = False
    """Reads go through, and the first change is raised as WouldSend."""
    approved: str | None = None
    """Digest of the operation that was approved."""
    approved_by: ApprovedBy = "policy"
    changes: list[str] = field(default_factory=list[str])
    """Ids of the changes that this call recorded."""
    changed: list[Change] = field(default_factory=list[Change])
    """What its update replaced, where that could be read."""
    answers: dict[type[Operation[Any]], object] = field(default_factory=dict[type[Operation[Any]], object])
    """What it read last, whole: the view of it shows less."""
    given: frozenset[str] = frozenset()
    """Names inside the documents among its arguments."""
    unknown: list[str] = field(default_factory=list[str])
    """Paths of these that the contract does not know."""

    def digest(self, op: Operation[Any]) -> str:
        """Keyed: a plain hash of a short secret argument could be guessed from the log."""
        said = [self.platform, self.who, self.tool, self.arguments, op.method, op.url(), op.query(), _wire(op)]
        return hmac.digest(self.key, json.dumps(said, sort_keys=True, default=str).encode(), "sha256").hex()


class Api:
    """The tools' way to the platform."""

    def __init__(self, client: ApiClient, call: Call, report: Report) -> None:
        self._client, self._call = client, call
        self.report = report
        """Tell a client that asked for progress how far this is; to another one it says nothing."""

    @property
    def platform(self) -> str:
        """`embedded` or `hosted`."""
        return self._call.platform.partition(" ")[0]

    @property
    def changes(self) -> list[str]:
        """Ids of the changes that this call has recorded."""
        return self._call.changes

    async def send(self, op: Operation[R], *, deadline: float | None = None) -> R:
        digest = self.require(op)
        if op.effect == "read":
            result = await self._client.send(op, deadline=deadline)
            self._call.answers[type(op)] = result
            return result
        return await self._change(op, digest, deadline)

    async def stream(self, op: Operation[Stream[T]], *, deadline: float | None = None) -> AsyncGenerator[T]:
        """As `send`, for an answer that comes value by value. It counts as done when it was read to its end."""
        digest = self.require(op)
        change = await self._begin(op, digest)
        try:
            async with aclosing(self._client.stream(op, deadline=deadline)) as values:
                async for value in values:
                    yield value
        except ApiError as exc:
            await self._fail(change, exc)
            raise
        await (await self._call.ledger()).finish(change, "done", target=target_of(op))
        await self._call.told(_ids(op))

    def require(self, op: Operation[Any]) -> str:
        """The digest under which `op` may be sent now. Raises NeedsApproval where a person's word is missing."""
        call = self._call
        if type(op) not in call.sends:
            raise RuntimeError(f"{call.tool} does not declare that it sends {type(op).__name__}")
        if op.effect != "read":
            call.unknown = unknown_names(op, call.given)
        if call.dry_run and op.effect != "read":
            raise WouldSend(op)
        reason = call.policy.reason(call.tool, call.effect, op.effect, op.guarded_paths())
        digest = call.digest(op) if reason or op.effect != "read" else ""
        if reason and call.approved != digest:
            if call.changes:
                raise RuntimeError(f"{call.tool} asks after it has already changed something")
            raise NeedsApproval(op, reason)
        return digest

    async def _change(self, op: Operation[R], digest: str, deadline: float | None) -> R:
        """The intent is on disk before the act, the outcome after it."""
        change = await self._begin(op, digest)
        try:
            result = await self._client.send(op, deadline=deadline)
        except ApiError as exc:
            await self._fail(change, exc)
            raise
        await (await self._call.ledger()).finish(change, "done", target=target_of(op, result))
        await self._call.told(_ids(op))
        return result

    async def _begin(self, op: Operation[Any], digest: str) -> str:
        call = self._call
        before = await previous(self._client, op)
        if call.effect == op.effect == "update" and (stood := before or await standing(self._client, op)):
            call.changed += differences(op, stood)
        intent = Intent(
            platform=call.platform,
            who=call.who,
            tool=call.tool,
            operation=type(op).__name__,
            target=target_of(op),
            digest=digest,
            approved_by=call.approved_by,
            request=op.body() if before is not None else None,  # what cannot be undone may hold secrets
            previous=before,
        )
        change = await (await call.ledger()).begin(intent)
        call.changes.append(change)
        return change

    async def _fail(self, change: str, exc: ApiError) -> None:
        # Where the platform did not answer, nobody knows whether it acted: the row keeps saying so.
        if not isinstance(exc, Unavailable):
            await (await self._call.ledger()).finish(change, "failed")


def _ids(op: Operation[Any]) -> dict[str, str]:
    return {name: str(getattr(op, name)) for name, place in op.places().items() if place == "path"}


def _wire(op: Operation[Any]) -> Any:
    files = {name: [blob.filename, hashlib.sha256(blob.data).hexdigest()] for name, blob in op.files().items()}
    return [op.body(), files]
