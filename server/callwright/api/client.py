"""The client of the platform API: sends operations over the network or into the embedded engine."""

import logging
import math
import random
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import anyio
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import from_json, to_json

from ..bounds import UNBOUNDED, Bounds
from ..contract.errors import ApiError, BadRequest, RateLimited, Refused, Unavailable, Unreachable, Unreadable, decode
from ..contract.operation import Blob, Operation, Stream
from ..net.http import CONNECT_SECONDS, URL, InvalidURL, Request, Response, Timeout, Transport, http_client, read_body
from ..secrecy import SHORTEST, masked
from ..telemetry.calling import hush
from ..telemetry.spans import Span, answered, failed, upstream_request
from .payload import payload
from .retry import Answer, Fault, pause, told_to_wait
from .values import values

if TYPE_CHECKING:
    from ..contract.talking import StartConversation
    from ..net.sockets import Socket

R = TypeVar("R")
T = TypeVar("T")

log = logging.getLogger(__name__)

TOTAL_SECONDS = 30.0
"""The default deadline of one call, retries included."""
READ_SECONDS = 20.0
"""The longest pause within a call of default length: it leaves time for a second attempt."""
LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_TEXT = 500
KEY_HEADER = "xi-api-key"
SUBPROTOCOL = "convai"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ApiClient:
    """Calls one platform: `await client.send(GetAgent(agent_id=...))`.

    `key` is sent only to the host of `base_url`. `transport` replaces the network (the embedded engine).
    `deadline` is in seconds and covers a whole call. `observe` receives the status of each response, or `none`.
    `sleep`, `clock` (Unix time) and `random` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: SecretStr | None = None,
        transport: Transport | None = None,
        deadline: float = TOTAL_SECONDS,
        bounds: Bounds = UNBOUNDED,
        proxy_url: str | None = None,
        observe: Callable[[str], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        base = URL(base_url)
        if base.scheme not in ("https", "http") or not base.host or base.userinfo or base.query or base.fragment:
            raise ValueError("The platform's address must be http(s)://host, without user, query or fragment.")
        if key and not transport and base.scheme == "http" and base.host not in _LOOPBACK:
            raise ValueError("The platform's address must be https: a key does not leave this machine unencrypted.")
        if key and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("The platform's key must be printable ASCII without spaces.")
        self._base = str(base).rstrip("/")
        self._origin = (base.scheme, base.host, base.port)
        self._prefix = base.raw_path.decode().rstrip("/")
        self._key, self._deadline, self._bounds = key, deadline, bounds
        self._observe = observe
        self._sleep, self._clock, self._random = sleep, clock, random
        proxy = None if base.host in _LOOPBACK else proxy_url
        self._transport = transport
        self._http = http_client(transport, proxy_url=proxy, headers={"accept-encoding": "gzip"})

    def __repr__(self) -> str:
        return f"ApiClient({self._base!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, op: Operation[R], *, deadline: float | None = None) -> R:
        """The result of `op`. Raises ApiError. `deadline`: seconds for this call in total, retries included."""
        self._check_bounds(op)
        seconds = self._deadline if deadline is None else deadline
        ends = anyio.current_time() + seconds
        return self._result(op, await _until(ends, seconds, op, self._attempts(op, seconds)))

    async def stream(self, op: Operation[Stream[T]], *, deadline: float | None = None) -> AsyncGenerator[T]:
        """The values in the response to `op` as they arrive. Raises ApiError at any of them. `deadline`: total seconds.

        There is no retry once the response has begun. `aclosing` the values lets the platform stop early.
        """
        self._check_bounds(op)
        seconds = self._deadline if deadline is None else deadline
        ends = anyio.current_time() + seconds
        response = self._opened(op, await _until(ends, seconds, op, self._attempts(op, seconds, whole=False)))
        try:
            async with aclosing(values(response, LARGEST_ANSWER)) as lines:
                while (line := await _until(ends, seconds, op, self._next(op, lines))) is not None:
                    yield self._value(op, line)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    @asynccontextmanager
    async def converse(self, op: "StartConversation") -> "AsyncGenerator[Socket]":
        """The WebSocket of a new conversation, which ends with the context. Raises ApiError.

        Errors of the conversation itself are reported on the socket. There are no retries.
        """
        from ..contract.conversations import GetSignedUrl

        self._check_bounds(op)
        url = URL((await self.send(GetSignedUrl(agent_id=op.agent_id))).signed_url)
        same = (url.host, url.port) == self._origin[1:] and url.path == self._prefix + op.path
        if not same or url.scheme != self._origin[0].replace("http", "ws", 1):
            raise Refused("The platform's WebSocket is on another host, where this server does not go.")
        async with AsyncExitStack() as stack:
            socket = await self._socket(op, url, stack)
            if isinstance(socket, ApiError):
                raise socket
            await socket.send(to_json(op.frame()).decode())
            yield socket

    async def _socket(self, op: "StartConversation", url: URL, stack: AsyncExitStack) -> "Socket | ApiError":
        from ..net.sockets import WebSocketUpgradeError, opened

        headers = {KEY_HEADER: self._key.get_secret_value()} if self._key else {}
        try:
            return await stack.enter_async_context(opened(self._http, self._transport, url, headers, SUBPROTOCOL))
        except WebSocketUpgradeError as exc:
            status = exc.response.status_code
            said = f"The platform refused the WebSocket ({status}): check the key, and whether the agent is open to it."
            return decode(status, to_json({"detail": {"message": said}}))
        except Exception as exc:
            return self._fault(op, Fault.of(exc))

    def _check_bounds(self, op: Operation[Any]) -> None:
        guarded = op.guarded_places() if self._bounds.no_outbound else ()
        if reason := self._bounds.allow(op.effect, guarded):
            raise Refused(reason)

    async def _attempts(self, op: Operation[Any], seconds: float, *, whole: bool = True) -> Answer:
        if op.effect != "read":
            hush(*_secrets_in(op))
        _, host, port = self._origin
        attempt = 0
        while True:
            attempt += 1
            with upstream_request(op.method, op.path, host, port, attempt - 1) as span:
                outcome = await self._attempt(self._request(op, seconds), whole=whole)
                self._tell(op, attempt, outcome, span)
            wait = pause(op.effect, attempt, outcome, random=self._random, now=self._clock())
            if wait is None or anyio.current_time() + wait > anyio.current_effective_deadline():
                break
            await self._sleep(wait)
        if isinstance(outcome, Fault):
            raise self._fault(op, outcome)
        return outcome

    def _tell(self, op: Operation[Any], attempt: int, outcome: Answer | Fault, span: Span) -> None:
        status = outcome.status if isinstance(outcome, Answer) else None
        said = outcome.name if isinstance(outcome, Fault) else status
        log.debug("%s %s, attempt %d: %s", op.method, op.path, attempt, said)
        if self._observe:
            self._observe(str(status or "none"))
        if status:
            answered(span, status)
        else:
            failed(span, str(said))

    async def _attempt(self, request: Request, *, whole: bool) -> Answer | Fault:
        """Every exception becomes an outcome: sockets, TLS and parsers raise errors that not all layers wrap."""
        try:
            response = await self._http.send(request, stream=True)
            if response.is_success and not whole:
                return Answer(response.status_code, response.headers, b"", response)
            try:
                body = await read_body(response, LARGEST_ANSWER)
            finally:
                await response.aclose()
        except Exception as exc:
            return Fault.of(exc)
        return Answer(response.status_code, response.headers, body)

    def _request(self, op: Operation[Any], seconds: float) -> Request:
        silence = READ_SECONDS if seconds <= TOTAL_SECONDS else seconds
        try:
            request = self._http.build_request(
                op.method,
                URL(self._base + op.url(), params=op.query()),  # the client would parse the URL twice
                timeout=Timeout(silence, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
                **payload(op),
            )
        except (ValueError, InvalidURL) as exc:
            raise BadRequest(self._clean(str(exc))) from None
        self._check_target(op, request)
        if self._key:
            request.headers[KEY_HEADER] = self._key.get_secret_value()
        return request

    def _check_target(self, op: Operation[Any], request: Request) -> None:
        """Check that the request goes to the operation's own endpoint on the configured host, whatever its fields."""
        url = request.url
        path = url.raw_path.partition(b"?")[0].decode()
        same = (url.scheme, url.host, url.port) == self._origin and path.startswith(self._prefix)
        if not same or not _template(type(op)).fullmatch(path[len(self._prefix) :]):
            raise Refused(f"{type(op).__name__} would leave its own endpoint.")

    def _result(self, op: Operation[R], answer: Answer) -> R:
        self._refuse(op, answer)
        kind: object = op.answer()
        if kind is None:
            return cast(R, None)
        if kind is Blob:
            return cast(R, _blob(answer))
        result, misfit = _read(op, answer)
        if misfit:
            raise Unreadable(self._clean(misfit))
        return cast(R, result)

    def _refuse(self, op: Operation[Any], answer: Answer) -> None:
        if answer.status >= 400:
            raise self._error(op, answer)
        if not 200 <= answer.status < 300:
            raise Unreadable(f"The platform answered {answer.status}, a redirect, and redirects are not followed.")

    def _opened(self, op: Operation[Any], answer: Answer) -> Response:
        if answer.stream is None:
            self._refuse(op, answer)
            raise Unreadable("The platform's answer is empty.")
        return answer.stream

    async def _next(self, op: Operation[Any], lines: AsyncGenerator[bytes]) -> bytes | None:
        try:
            return await anext(lines, None)
        except Exception as exc:
            fault = Fault.of(exc)
        raise self._fault(op, fault)

    def _value(self, op: Operation[Stream[T]], line: bytes) -> T:
        """One value of a stream. An error after the response has begun is a value with its own status."""
        if failure := _failure(line):
            raise self._error(op, failure)
        try:
            return op.decode_item(line)
        except ValidationError as exc:
            misfit = _misfit(exc, "")
        raise Unreadable(self._clean(misfit))

    def _error(self, op: Operation[Any], answer: Answer) -> ApiError:
        # A platform may quote the value that it refuses, which may be a secret.
        text = answer.body.decode(errors="replace")
        text = masked(text, _secrets_in(op))
        error = decode(answer.status, self._redact(text).encode())
        wait = told_to_wait(answer, self._clock())
        if wait is not None and isinstance(error, RateLimited | Unavailable):
            told = f"{math.ceil(wait)} s" if math.isfinite(wait) else "without end"
            return type(error)(f"{str(error)[: LONGEST_TEXT - 60]} The platform asks to wait {told}.")
        return error

    def _fault(self, op: Operation[Any], fault: Fault) -> ApiError:
        if fault.never_left:
            return Unreachable(f"The platform cannot be reached ({fault.name}).")
        if fault.unreadable:
            return Unreadable(
                f"The platform's answer cannot be read: {self._clean(fault.unreadable)}", in_doubt=_acts(op)
            )
        broke = "broke off" if fault.network else "failed"
        return Unreachable(f"The exchange with the platform {broke} ({fault.name}).", in_doubt=_acts(op))

    def _clean(self, text: str) -> str:
        return self._redact(text)[:LONGEST_TEXT]

    def _redact(self, text: str) -> str:
        return masked(text, [self._key.get_secret_value()], "[key]") if self._key else text


def _secrets_in(value: object) -> Iterator[str]:
    """Write-only values at any depth of a request; values that are too short would redact ordinary words."""
    if isinstance(value, SecretStr):
        if len(value.get_secret_value()) >= SHORTEST:
            yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _secrets_in(inner)
    elif isinstance(value, dict):
        for inner in cast(dict[object, object], value).values():
            yield from _secrets_in(inner)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            yield from _secrets_in(inner)


@cache
def _template(op: type[Operation[Any]]) -> re.Pattern[str]:
    """A pattern of the operation's path, in which each parameter is one segment that is not made of dots."""
    parts = re.split(r"\{\w+\}", op.path)
    return re.compile(r"(?!\.+(?:/|$))[^/?#]+".join(map(re.escape, parts)))


def _blob(answer: Answer) -> Blob:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip() or "application/octet-stream"
    found = re.search(r'filename="?([^";]+)', answer.headers.get("content-disposition", ""))
    return Blob(media_type, answer.body, re.split(r"[/\\]", found[1].strip())[-1] if found else "")


def _read(op: Operation[Any], answer: Answer) -> tuple[object, str]:
    """The result, or the error in the response: fields are named, values never."""
    if not answer.body:
        return None, "The platform's answer is empty."
    try:
        return op.decode(answer.body), ""
    except ValidationError as exc:
        return None, _misfit(exc, answer.headers.get("content-type", ""))


def _misfit(exc: ValidationError, content_type: str) -> str:
    errors = exc.errors(include_input=False, include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        kind = content_type.partition(";")[0][:60]
        return f"The platform's answer is not JSON (it is called {kind!r})."
    fields = sorted({".".join(map(str, e["loc"])) or "all" for e in errors})
    more = f" and {len(fields) - 10} more" if len(fields) > 10 else ""
    return f"The platform's answer lacks or garbles: {', '.join(fields[:10])}{more}."


async def _until(ends: float, seconds: float, op: Operation[Any], work: Awaitable[T]) -> T:
    """Run one step of a call. A stream has several, because no scope may stay open while its reader has a value."""
    with anyio.CancelScope(deadline=ends):
        return await work
    raise Unreachable(f"No answer within {seconds:g} s.", in_doubt=_acts(op))


def _failure(line: bytes) -> Answer | None:
    """The error that ends a stream, converted to a response."""
    try:
        found: Any = from_json(line) if b'"status_code"' in line else None
        body = cast(dict[str, Any], found) if isinstance(found, dict) else {}
        return Answer(int(body["status_code"]), {}, line) if "detail" in body else None
    except (ValueError, TypeError, KeyError):
        return None


def _acts(op: Operation[Any]) -> bool:
    return op.effect != "read"
