"""Executes webhook tools: sends the request, and converts the response to an outcome for the model."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

import anyio

from ...contract.errors import ApiError, BadRequest
from ...contract.merge import JsonView
from ...net.guard import AllowList
from ...net.headers import line
from ...net.http import (
    URL,
    AsyncClient,
    DecodingError,
    InvalidURL,
    Response,
    Timeout,
    TooLarge,
    TransportError,
    read_body,
)
from ...net.pinned import guarded_client
from ...secrecy import masked
from ..dialogue.tools import Outcome, Tool
from ..dialogue.variables import Variables
from .logins import Login, Logins
from .requests import MASKED, Prepared, build

Reveal = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""Decrypts secrets by id. Raises ApiError."""

DEFAULT_SECONDS = 20
"""The default of the platform's `response_timeout_secs`."""
LONGEST_SECONDS = 300.0
LARGEST = 1024 * 1024
"""The maximum size in bytes of one response."""
LONGEST = 20_000
"""The maximum number of characters of a response that the model reads."""
LONGEST_ERROR = 2_000
MOST_REDIRECTS = 3
UNAUTHORIZED = 401

_TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml|yaml|javascript)|application/x-www-form-urlencoded")


def webhook_client(allow: AllowList, proxy_url: str | None) -> AsyncClient:
    """The guarded client of one conversation's webhook tools. Each call has the time limit of its own tool."""
    return guarded_client(
        allow, proxy_url=proxy_url, timeout=Timeout(LONGEST_SECONDS), largest=LARGEST, longest=LONGEST_SECONDS
    )


@dataclass(frozen=True)
class Webhooks:
    """`Executor` of webhook tools."""

    client: AsyncClient
    reveal: Reveal
    logins: Logins

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView | None:
        try:
            return build(tool.config, arguments, variables).details
        except ValueError:
            return None

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        try:
            prepared = build(tool.config, arguments, variables)
            secrets = await self.reveal(prepared.secret_headers.values())
            headers = [(name, line(name, secrets[id])) for name, id in prepared.secret_headers.items()]
        except ValueError as wrong:
            return Outcome(str(wrong), is_error=True, called=False)
        except ApiError as gone:
            return Outcome(f"A secret of the tool cannot be read: {gone}", is_error=True, called=False)
        hidden = _confidential(prepared, headers)
        seconds = tool.config.get("response_timeout_secs") or DEFAULT_SECONDS
        try:
            with anyio.fail_after(seconds):
                outcome = await self._called(prepared, headers, hidden)
        except TimeoutError:
            return Outcome(f"The server did not answer within {seconds} s.", is_error=True)
        except BadRequest as refused:
            return Outcome(f"The request was not made. {refused}", is_error=True, called=False)
        except InvalidURL:
            return Outcome("The URL of the tool cannot be called.", is_error=True, called=False)
        except TooLarge:
            said = f"The server answered more than {LARGEST:,} bytes, which are not read."
            return Outcome(said, is_error=True)
        except (TransportError, DecodingError) as why:
            return Outcome(f"The request failed ({type(why).__name__}).", is_error=True)
        return _without(hidden, outcome)

    async def _called(self, prepared: Prepared, headers: list[tuple[str, str]], hidden: set[str]) -> Outcome:
        """Send the request, authenticated if the tool names an auth connection, and once more with a new login after a
        401. Secrets of the login are added to `hidden`.
        """
        if prepared.auth_connection_id is None:
            return (await self._send(prepared, headers, hidden))[0]
        try:
            login = await self.logins.of(prepared.auth_connection_id)
        except ApiError as why:
            return Outcome(f"The request was not made. {why}", is_error=True, called=False)
        hidden |= login.confidential
        outcome, status = await self._send(prepared, headers, hidden, login)
        if status != UNAUTHORIZED:
            return outcome
        try:
            again = await self.logins.of(prepared.auth_connection_id, refused=login)
        except ApiError as why:
            return Outcome(f"The server answered {UNAUTHORIZED}. {why}", is_error=True)
        if again == login:
            return outcome
        hidden |= again.confidential
        return (await self._send(prepared, headers, hidden, again))[0]

    async def _send(
        self,
        prepared: Prepared,
        secret_headers: list[tuple[str, str]],
        hidden: Collection[str],
        login: Login | None = None,
    ) -> tuple[Outcome, int | None]:
        """The outcome, and the last status. Redirects are followed only on the same origin, because headers may carry
        keys, and only for methods that may be repeated.
        """
        url = URL(prepared.url)
        given = [*prepared.headers, *secret_headers]
        if login:
            given = [each for each in given if each[0].lower() != login.name.lower()] + [(login.name, login.value)]
        headers = [(name.encode(), value.encode()) for name, value in given]
        body = None if prepared.body is None else prepared.body.encode()
        for _ in range(MOST_REDIRECTS + 1):
            async with self.client.stream(prepared.method, url, headers=headers, content=body) as answer:
                there = _redirected(prepared.method, url, answer)
                if there is None:
                    return await _told(answer, hidden), answer.status_code
                url = there
        return Outcome(f"The server redirected more than {MOST_REDIRECTS} times.", is_error=True), None


def _confidential(prepared: Prepared, secret_headers: Collection[tuple[str, str]]) -> set[str]:
    """Header values hidden from the transcript, with and without a scheme such as Bearer."""
    shown: Mapping[str, str] = prepared.details["headers"]
    values = [value for name, value in (*prepared.headers, *secret_headers) if shown[name] == MASKED]
    return {*values, *(value.rpartition(" ")[2] for value in values)}


def _redirected(method: str, url: URL, answer: Response) -> URL | None:
    again = answer.status_code in (307, 308) or (method == "GET" and answer.status_code in (301, 302, 303))
    if not again or "location" not in answer.headers:
        return None
    there = url.join(answer.headers["location"])
    return there if (there.scheme, there.host, there.port) == (url.scheme, url.host, url.port) else None


async def _told(answer: Response, hidden: Collection[str]) -> Outcome:
    """Secrets are masked in the whole body: what is left of one that is cut, or of JSON, is not recognised."""
    status, kind = answer.status_code, answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if 300 <= status < 400:
        return Outcome(f"The server answered {status}, a redirect that is not followed.", is_error=True)
    if kind and not _TEXT.fullmatch(kind):
        said = f"The server answered {status} with {kind!r:.80}, which is not text and was not read."
        return Outcome(said, is_error=status >= 400)
    text = redacted(_decoded(await read_body(answer, LARGEST), answer.charset_encoding), hidden)
    if status >= 400:
        return Outcome(f"The server answered {status}.\n{cut(text, LONGEST_ERROR)}".strip(), is_error=True)
    return Outcome(cut(text) or f"The request succeeded ({status}); the answer is empty.", answer=text)


def cut(text: str, longest: int = LONGEST) -> str:
    """The text shortened to `longest` characters, with a note if it was cut."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n[The answer has {len(text):,} characters; the first {longest:,} are shown.]"


def redacted(text: str, secrets: Collection[str]) -> str:
    """The text without the secrets that were sent, in any spelling: some servers echo their requests."""
    return masked(text, secrets, MASKED)


def _without(secrets: Collection[str], outcome: Outcome) -> Outcome:
    answer = None if outcome.answer is None else redacted(outcome.answer, secrets)
    return replace(outcome, value=redacted(outcome.value, secrets), answer=answer)


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", errors="replace")
    except LookupError:
        return body.decode("utf-8", errors="replace")
