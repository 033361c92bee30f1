"""One tool call: it sends only its declared operations, under the approval policy, and records each change."""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import anyio
import anyio.lowlevel
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import SecretStr

from ..api.client import ApiClient
from ..api.shared import Request, SharedReads, request_of
from ..concurrency import uninterrupted
from ..contract.errors import ApiError, Refused, Unavailable
from ..contract.operation import Operation, Stream
from ..ledger.ledger import ApprovedBy, Intent, Ledger
from ..replies.names import unknown_names
from ..replies.text import short
from ..tasks.task import current
from ..undo.changes import Change, differences, part_of, standing
from ..undo.undo import previous, reader_of, target_of
from .dial_limits import asking, people_rung, refuse_beyond, rings_only_known
from .open_hosts import refuse_secrets_to_anywhere
from .outside import Page
from .policy import Caps, Policy

R = TypeVar("R")
T = TypeVar("T")
ENTERED = "(entered by a person)"
"""Placeholder in a request for a value that is filled in only when the request is sent."""
Report = Callable[[str], Awaitable[None]]


class NeedsApproval(Exception):
    """The policy requires a person's approval before `op` is sent. No change was sent up to here."""

    def __init__(self, op: Operation[Any], reason: str, *, enters: bool = False) -> None:
        """`enters`: the person also enters a value that is not among the arguments of the call."""
        super().__init__(reason)
        self.op, self.reason, self.enters = op, reason, enters


class WouldSend(Exception):
    """A dry run has reached its first change: the operation `op`, which was not sent."""

    def __init__(self, op: Operation[Any]) -> None:
        super().__init__(type(op).__name__)
        self.op = op


class Answer(NamedTuple):
    op: Operation[Any]
    result: Any


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
    command: str | None
    """Command line with which a person runs this program; None where only the operator of the server can."""
    ledger: Callable[[], Awaitable[Ledger]]
    told: Callable[[Mapping[str, str]], Awaitable[None]]
    """Callback with the ids of the changed resources, by name."""
    page: Page | None
    """Where a person answers outside the conversation; None where there is no such page."""
    variables: Mapping[str, str]
    """Environment variables that the operator named as sources of secrets."""
    dry_run: bool = False
    """Reads are sent, and the first change is raised as WouldSend."""
    approved: str | None = None
    """Digest of the operation that was approved."""
    approved_by: ApprovedBy = "policy"
    enters: str | None = None
    """Field of the operation whose value a person enters."""
    entered: SecretStr | None = None
    changes: list[str] = field(default_factory=list[str])
    """Ids of the changes that this call recorded."""
    changed: list[Change] = field(default_factory=list[Change])
    """The values that its update replaced, where these could be read."""
    answers: dict[type[Operation[Any]], Answer] = field(default_factory=dict[type[Operation[Any]], Answer])
    """The last answer to each kind of operation, in full: its view shows only a part."""
    given: frozenset[str] = frozenset()
    """Field names inside the documents among its arguments."""
    unknown: list[str] = field(default_factory=list[str])
    """Paths of the fields in these documents that the contract does not know."""

    @property
    def hosted(self) -> bool:
        """Whether the platform is another's, which sends by itself."""
        return self.platform.partition(" ")[0] == "hosted"

    @cached_property
    def reads_ask(self) -> str | None:
        """The reason why reads of this call need approval; None if they need none."""
        return self.policy.reason(self.tool, self.effect, "read", ())

    def reason(self, op: Operation[Any]) -> str | None:
        """The reason why `op` needs approval; None if it needs none, or is exempt."""
        exempt = self.policy.exempt
        # A call of known people alone is judged as any other request is: what it brings along may still ask.
        effect = "create" if op.effect == "dial" and rings_only_known(op, exempt) else op.effect
        return self.policy.reason(self.tool, self.effect, effect, asking(op, exempt, self._stands(op)), op.act())

    def _stands(self, op: Operation[Any]) -> dict[str, Any] | None:
        """The stored resource that `op` updates, as this call has read it; None if it was not read."""
        reader = reader_of(op) if op.effect == "update" else None
        read = self.answers.get(type(reader)) if reader else None
        return part_of(op, read.result) if read and read.op == reader else None

    def digest(self, op: Operation[Any]) -> str:
        """Keyed digest of a request: with a plain hash, a short secret argument could be guessed from the log."""
        said = [self.platform, self.who, self.tool, self.arguments, op.method, op.url(), op.query(), _wire(op)]
        return hmac.digest(self.key, json.dumps(said, sort_keys=True, default=str).encode(), "sha256").hex()


class Api:
    """The API client that a tool function gets: it checks and records each operation before it is sent."""

    def __init__(self, client: SharedReads, call: Call, report: Report) -> None:
        self._client, self._call = client, call
        self._read: set[Request] = set()
        self.report = report
        """Report progress to a client that asked for it; does nothing for other clients."""

    @property
    def platform(self) -> str:
        """`embedded` or `hosted`."""
        return self._call.platform.partition(" ")[0]

    @property
    def changes(self) -> list[str]:
        """Ids of the changes that this call has recorded."""
        return self._call.changes

    async def send(self, op: Operation[R], *, deadline: float | None = None) -> R:
        if op.effect == "read":
            self._require_reading(op)
            result = await self._client.send(op, deadline=deadline, again=self._read_before(op))
            self._call.answers[type(op)] = Answer(op, result)
            return result
        people = await self._people(op) if op.effect == "dial" else 0
        digest = self.require(op)
        return await self._change(
            op, digest, people, lambda client, op: client.send(op, deadline=deadline), to_its_end=deadline is None
        )

    def _read_before(self, op: Operation[Any]) -> bool:
        """Whether the tool has sent the same read before: it is then polling, and must not get the earlier answer."""
        asked = request_of(op)
        before = asked in self._read
        self._read.add(asked)
        return before

    async def perform(self, op: Operation[R], act: Callable[[ApiClient], Awaitable[R]]) -> R:
        """As `send`, for an operation that takes more than one request: `act` sends them."""
        return await self._change(op, self.require(op), 0, lambda client, _: act(client), to_its_end=False)

    def secret(self, given: SecretStr | None, variable: str | None, field: str) -> SecretStr:
        """The value of a secret: as given, from an environment variable the operator named, or entered by a person.

        `field`: the field of the operation for the entered value. Raises ToolError for a variable that is not named.
        """
        if given is not None:
            if variable is not None or given.get_secret_value() == ENTERED:
                raise ToolError("Give the value itself, or the variable that holds it.")
            return given
        if variable is None:
            self._call.enters = field
            return SecretStr(ENTERED)
        if variable not in self._call.variables:
            known = ", ".join(self._call.variables) or "none"
            raise ToolError(f"{short(variable)!r} is not in CALLWRIGHT_SECRET_ENV. There: {known}.")
        return SecretStr(self._call.variables[variable])

    async def stream(self, op: Operation[Stream[T]], *, deadline: float | None = None) -> AsyncGenerator[T]:
        """As `send`, for a streamed answer. The change is recorded as done when the stream was read to its end."""
        digest = self.require(op)
        change = await self._begin(op, digest)
        try:
            async with aclosing(self._client.stream(op, deadline=deadline)) as values:
                async for value in values:
                    yield value
        except ApiError as exc:
            await self._fail(change, exc)
            raise
        await self._record_done(change, op)
        await self._call.told(_ids(op))

    def require(self, op: Operation[Any]) -> str:
        """The digest under which the change `op` may be sent now. Raises NeedsApproval if it is not approved."""
        call = self._call
        self._require_declared(op)
        if why := call.policy.disables(call.tool, op.act()):
            raise Refused(f"{why}: it is disabled, and this would do the same.")
        if call.hosted:
            refuse_secrets_to_anywhere(op)
        call.unknown = unknown_names(op, call.given)
        if call.dry_run:
            raise WouldSend(op)
        reason = call.reason(op) or ("a person enters the value" if call.enters else None)
        digest = self._require_approved(op, reason, enters=call.enters is not None)
        if task := current():
            task.begin()
        return digest

    def _require_reading(self, op: Operation[Any]) -> None:
        """A read needs no approval, unless the policy requires approval of every call of this tool."""
        self._require_declared(op)
        if reason := self._call.reads_ask:
            self._require_approved(op, reason, enters=self._call.enters is not None)

    def _require_declared(self, op: Operation[Any]) -> None:
        if type(op) not in self._call.sends:
            raise RuntimeError(f"{self._call.tool} does not declare that it sends {type(op).__name__}")

    def _require_approved(self, op: Operation[Any], reason: str | None, *, enters: bool) -> str:
        call = self._call
        digest = call.digest(op)
        if reason and call.approved != digest:
            if call.changes:
                raise RuntimeError(f"{call.tool} asks after it has already changed something")
            raise NeedsApproval(op, reason, enters=enters)
        return digest

    async def _people(self, op: Operation[Any]) -> int:
        """The number of people that `op` would ring. Raises Refused beyond the caps, before a person is asked."""
        caps = self._call.policy.caps
        if caps == Caps():
            return 0
        people = await people_rung(op, self._client)
        refuse_beyond(caps, people, await (await self._call.ledger()).rung(self._call.platform), op)
        return people

    async def _change(
        self,
        op: Operation[R],
        digest: str,
        people: int,
        act: Callable[[ApiClient, Operation[R]], Awaitable[R]],
        *,
        to_its_end: bool,
    ) -> R:
        """Send a change: the intent is persisted before the request, the outcome after it.

        `to_its_end`: a request that has begun takes seconds at most, and is not broken off by a cancellation, because
        then nobody would know its outcome.
        """
        ledger, call = await self._call.ledger(), self._call
        ringing = None
        if people and (most := call.policy.caps.calls_a_day) is not None:
            ringing = await ledger.claim_calls(call.platform, people, most)
            if ringing is None:  # another call has taken the rest of the cap
                raise Refused("The policy's calls of this day have just been used up by another call.")
        change = await self._begin(op, digest)
        acting = self._acted(op, change, act, ringing)
        result = await (uninterrupted(acting) if to_its_end else acting)
        await self._call.told(_ids(op))
        return result

    async def _acted(
        self,
        op: Operation[R],
        change: str,
        act: Callable[[ApiClient, Operation[R]], Awaitable[R]],
        ringing: str | None,
    ) -> R:
        """Carry out a change whose intent is recorded, and record the outcome."""
        self._client.forget()
        try:
            result = await act(self._client, self._with_entered(op))
        except ApiError as exc:
            await self._fail(change, exc)
            if ringing and not isinstance(exc, Unavailable):
                await (await self._call.ledger()).release_calls(ringing)
            raise
        finally:
            self._client.forget()
        await self._record_done(change, op, result)
        return result

    def _with_entered(self, op: Operation[R]) -> Operation[R]:
        call = self._call
        return op.model_copy(update={call.enters: call.entered}) if call.enters else op

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
            request=op.body() if before is not None else None,  # a request that cannot be undone may hold secrets
            previous=before,
        )
        ledger = await call.ledger()
        change = await uninterrupted(ledger.begin(intent))
        call.changes.append(change)
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await ledger.finish(change, "failed")  # nothing was sent
            raise
        return change

    async def _record_done(self, change: str, op: Operation[Any], result: object = None) -> None:
        """Whatever cancels the call by now, the act is done, and the log must say so."""
        with anyio.CancelScope(shield=True):
            await (await self._call.ledger()).finish(change, "done", target=target_of(op, result))

    async def _fail(self, change: str, exc: ApiError) -> None:
        # Without an answer from the platform the outcome is unknown, and the row keeps this state.
        if not isinstance(exc, Unavailable):
            with anyio.CancelScope(shield=True):
                await (await self._call.ledger()).finish(change, "failed")


def _ids(op: Operation[Any]) -> dict[str, str]:
    return {name: str(getattr(op, name)) for name, place in op.places().items() if place == "path"}


def _wire(op: Operation[Any]) -> Any:
    files = {name: [blob.filename, hashlib.sha256(blob.data).hexdigest()] for name, blob in op.files().items()}
    return [op.body(), files]
