"""Made-up secrets, put in at every place, come out of none: results, questions, log, spans, database, WAL, files.

Where a secret goes to a host, the host says it again, in each usual spelling, in its answers and in its errors.
"""

import base64
import html
import json
import logging
import os
import random
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from mcp import Client
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from callwright.app import App
from tests.dialogue.llm_peer import peer as llm_peer
from tests.peers import serving
from tests.samples.guarding import HOOK
from tests.test_canary import forms
from tests.transports import ERAS, Clock, numbered, reach, settings, text

from .campaign import Finding, Json, Report
from .obedient.world import obeying
from .spans import recorded_spans

SHORT, LONG = 60, 1_500

ALPHABET = "abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789"
ODD = "+/~-_.=&<>\"'\\ "
"""Characters that some spelling writes differently. A header takes all of them."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON with escaped slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "JSON of escapes alone": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "percent": lambda s: quote(s, safe=""),
    "percent in small letters": lambda s: quote(s, safe="").lower() if s.islower() else quote(s),
    "HTML": html.escape,
    "hexadecimal": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of a pair": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "base64 for addresses": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}


@dataclass
class Echo:
    """A host that says again every header and every body that it gets, in one spelling."""

    spell: str = "as it is"
    status: int = 200
    pad: int = 0
    """Characters before it: answers are cut somewhere."""
    url: str = ""

    def said(self, request: Request, body: bytes) -> str:
        heard = [value.removeprefix("Bearer ") for name, value in request.headers.items() if name in HEARD]
        told = " ".join(SPELLINGS[self.spell](each) for each in [*heard, *_form_values(body)])
        return "x" * self.pad + told

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        await self._answer(request, body, self.said(request, body))(scope, receive, send)

    def _answer(self, request: Request, body: bytes, said: str) -> Response:
        if request.url.path.startswith("/mcp"):
            return _mcp(json.loads(body or b"{}"), said)
        raw_json = f'{{"error": {{"message": "{said}"}}, "detail": {{"message": "{said}"}}}}'
        if request.url.path.endswith("/chat/completions") and self.status == 200:
            broken = f'data: {{"error": {{"message": "{said}"}}}}\n\n'
            return StreamingResponse(iter([broken]), media_type="text/event-stream")
        if self.spell.startswith("JSON"):
            return Response(raw_json, self.status, media_type="application/json")
        return PlainTextResponse(said, self.status)


HEARD = ("x-key", "authorization", "xi-api-key", "api-key")


def _form_values(body: bytes) -> list[str]:
    from urllib.parse import parse_qsl

    return [value for name, value in parse_qsl(body.decode(errors="replace")) if name == "client_secret"]


def _mcp(message: Json, said: str) -> Response:
    """A server of tools whose descriptions and answers say the secret."""
    tool = {"name": "look_up", "description": said[-900:], "inputSchema": {"type": "object"}}
    results: dict[str, Json] = {
        "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}},
        "tools/list": {"tools": [tool]},
        "tools/call": {"content": [{"type": "text", "text": said}], "structuredContent": {"said": said}},
    }  # fmt: skip
    if "id" not in message:
        return Response(status_code=202)
    if (result := results.get(str(message.get("method")))) is None:
        error = {"code": -32601, "message": said[-900:]}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error})
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})


# --- places where a secret goes in


@dataclass(frozen=True)
class Place:
    """Settings and calls with which a secret goes in. `{id}` in a call is the id that the call before it answered."""

    calls: Callable[[str, str], list[tuple[str, Json]]]
    """Of the canary and the address of the echo."""
    chosen: Callable[[str, str], Json] = field(default=lambda canary, url: {})
    stands: bool = False
    """The document of a living thing holds it in clear, as a person wrote it there: the database is not searched."""
    hosted: bool = False


def _numbers(**trunk: Any) -> Json:
    return {"phone_number": "+15551234567", "label": "Desk", **trunk}


def _sip(canary: str) -> Json:
    return {
        "address": "sip.example",
        "headers": {"X-Key": canary},
        "credentials": {"username": "d", "password": canary},
    }


def _talk() -> list[tuple[str, Json]]:
    return [
        ("start_conversation", {"agent_id": "{agent_id}"}),
        ("send_message", {"conversation_id": "{conversation_id}", "text": "Hello"}),
        ("end_conversation", {"conversation_id": "{conversation_id}"}),
        ("get_conversation", {"conversation_id": "{conversation_id}", "parts": ["$"]}),
        ("simulate_conversation", {"agent_id": "{agent_id}", "caller": "Hello", "max_turns": 1}),
    ]


def _agent(**prompt: Any) -> tuple[str, Json]:
    config = {"conversation_config": {"agent": {"prompt": prompt}}}
    return "create_agent", {"name": "Ada", "prompt": "p", "config": config}


def _hook(url: str, **schema: Any) -> tuple[str, Json]:
    return "create_tool", {"config": {**HOOK, "api_schema": {"url": f"{url}/hook", **schema}}}


def _with_hook(first: list[tuple[str, Json]], **schema: Any) -> Callable[[str], list[tuple[str, Json]]]:
    return lambda url: [*first, _hook(url, **schema), _agent(tool_ids=["{tool_id}"]), *_talk()]


def _model(key: str, url: str, **more: Any) -> list[tuple[str, Json]]:
    custom = {"url": f"{url}/v1", **more}
    secret = [("create_secret", {"name": "crm", "value": key})]
    return [*secret, _agent(llm="custom-llm", custom_llm=custom), *_talk()]


def _mcp_calls(server: Json, canary: str) -> list[tuple[str, Json]]:
    made = ("create_mcp_server", {"name": "Shop", "approval_policy": "auto_approve_all", **server})
    listed = ("list_mcp_tools", {"mcp_server_id": "{mcp_server_id}"})
    used = _agent(mcp_server_ids=["{mcp_server_id}"])
    return [("create_secret", {"name": "crm", "value": canary}), made, listed, used, *_talk()]


IN_SECRET = {"request_headers": {"X-Key": {"secret_id": "{secret_id}"}}}
LOGIN = {"auth_connection": {"auth_connection_id": "{auth_connection_id}"}}


def _login(canary: str, url: str, login: Json) -> list[tuple[str, Json]]:
    return _with_hook([("create_auth_connection", {"name": "crm", "value_env": "CANARY", "login": login})], **LOGIN)(
        url
    )


def _env(canary: str, url: str) -> Json:
    return {"secret_env": {"CANARY": canary}}


PLACES: dict[str, Place] = {
    "create_secret": Place(lambda c, u: [("create_secret", {"name": "crm", "value": c}), ("list_secrets", {})]),
    "update_secret": Place(lambda c, u: [("create_secret", {"name": "a", "value": "abcd"}), ("update_secret", {"secret_id": "{secret_id}", "name": "a", "value": c})]),
    "a secret from the environment": Place(lambda c, u: [("create_secret", {"name": "crm", "value_env": "CANARY"})], _env),
    "a secret that is too long": Place(lambda c, u: [("create_secret", {"name": "x", "value": c * 900})]),
    "a secret of the wrong type": Place(lambda c, u: [("create_secret", {"name": "x", "value": [c, {"a": c}]})]),
    "a secret under a wrong name": Place(lambda c, u: [("create_secret", {"name": "x", "valeu": c})]),
    "a secret whose name is taken": Place(lambda c, u: [("create_secret", {"name": "x", "value": c}), ("create_secret", {"name": "x", "value": c})]),
    "the token of a number": Place(lambda c, u: [("import_phone_number", _numbers(twilio_sid="AC1", twilio_token=c)), ("get_phone_number", {"phone_number_id": "{phone_number_id}", "parts": ["$"]})]),
    "the token of a number from the environment": Place(lambda c, u: [("import_phone_number", _numbers(twilio_sid="AC1", twilio_token_env="CANARY"))], _env),
    "the trunk of a number": Place(lambda c, u: [("import_phone_number", _numbers(sip_outbound=_sip(c))), ("list_phone_numbers", {})]),
    "the login of callers": Place(lambda c, u: [("import_phone_number", _numbers(sip_inbound={"credentials": {"username": "d", "password": c}}))]),
    "a trunk that is changed": Place(lambda c, u: [("import_phone_number", _numbers(sip_outbound={"address": "sip.example"})), ("update_phone_number", {"phone_number_id": "{phone_number_id}", "sip_outbound": _sip(c)}), ("list_changes", {})]),
    "a trunk of the wrong type": Place(lambda c, u: [("import_phone_number", _numbers(sip_outbound={**_sip(c), "credentials": c, "transport": "udp"}))]),
    "the secret header of a webhook": Place(lambda c, u: _with_hook([("create_secret", {"name": "crm", "value": c})], **IN_SECRET)(u)),
    "the written header of a webhook": Place(lambda c, u: _with_hook([], request_headers={"X-Key": c})(u), stands=True),
    "a bearer login": Place(lambda c, u: _login(c, u, {"auth_type": "bearer_auth"}), _env),
    "a login by header": Place(lambda c, u: _login(c, u, {"auth_type": "custom_header_auth", "header_name": "X-Key"}), _env),
    "a basic login": Place(lambda c, u: _login(c, u, {"auth_type": "basic_auth", "username": "desk"}), _env),
    "a login at a token server": Place(lambda c, u: _login(c, u, {"auth_type": "oauth2_client_credentials", "client_id": "c", "token_url": f"{u}/token"}), _env),
    "the key of an agent's own model": Place(lambda c, u: _model(c, u, api_key={"secret_id": "{secret_id}"})),
    "a header of an agent's own model": Place(lambda c, u: _model(c, u, request_headers={"X-Key": {"secret_id": "{secret_id}"}})),
    "the token of an MCP server": Place(lambda c, u: _mcp_calls({"url": f"{u}/mcp", "token_secret_id": "{secret_id}"}, c)),
    "a header of an MCP server": Place(lambda c, u: _mcp_calls({"url": f"{u}/mcp", "headers": {"X-Key": {"secret_id": "{secret_id}"}}}, c)),
    "the key of the operator's model": Place(lambda c, u: [_agent(llm="gpt-4o-mini"), *_talk()], lambda c, u: {"llm_api_key": c, "llm_base_url": f"{u}/v1", "llm_model": "m"}),
    "the key of the platform": Place(lambda c, u: [("list_agents", {}), ("create_agent", {"name": "a", "prompt": "p"}), ("delete_agent", {"agent_id": "a"})], lambda c, u: {"api_key": c, "api_url": u}, hosted=True),
    "the token of the server": Place(lambda c, u: [("get_status", {}), ("list_agents", {})], lambda c, u: {"http_token": c, "engine_api_key": c}),
}  # fmt: skip
ANSWERS = (200, 400, 401, 500)


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    ways = list(product(PLACES, SPELLINGS))
    chance.shuffle(ways)
    async with _hosts() as (echo, llm):
        for number in range(count):
            place, spelling = ways[number % len(ways)]
            case: Json = {
                "place": place, "spelling": spelling, "era": chance.choice(ERAS).values[0], "canary": _canary(chance),
                "status": chance.choice(ANSWERS), "pad": chance.choice((0, 0, 0, 170, 450, 1970, 19_980)),
            }  # fmt: skip
            found, read = await _tried(case, echo, llm)
            report.counts["canaries"] += 1
            report.counts["exits read"] += read
            report.findings += [Finding(f"{place}, echoed as {spelling}: {said}", case) for said in found[:1]]
    report.counts["places"], report.counts["spellings"] = len(PLACES), len(SPELLINGS)
    return report


async def replay(case: Json) -> list[str]:
    async with _hosts() as (echo, llm):
        return (await _tried(case, echo, llm))[0]


@asynccontextmanager
async def _hosts() -> AsyncGenerator[tuple[Echo, str]]:
    echo = Echo()
    async with serving(echo) as echo.url, llm_peer(obeying) as llm:
        yield echo, llm.base_url


def _canary(chance: random.Random) -> str:
    """A secret that any header takes and that no text has by accident."""
    inner = "".join(chance.choice(ALPHABET + ODD) for _ in range(26))
    return f"kanarie{chance.choice(ALPHABET)}{inner}{chance.choice(ALPHABET)}"


async def _tried(case: Json, echo: Echo, llm: str) -> tuple[list[str], int]:
    """Where the canary came out, and how many exits were read."""
    place, canary = PLACES[case["place"]], case["canary"]
    echo.spell, echo.status, echo.pad = case["spelling"], case["status"], case["pad"]
    if place.hosted and not canary.isprintable():
        return [], 0
    exits: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="canary-") as folder, _temporary_files_in(Path(folder)), _logged() as log:
        home = Path(folder) / "home"
        key = canary.replace(" ", "_") if place.hosted or "http_token" in place.chosen(canary, "") else canary
        chosen = {"llm_base_url": llm, "llm_model": "m", **place.chosen(key, echo.url)}
        app = App(
            settings(home, toolsets=("all",), allow_private=("127.0.0.1",), **chosen),
            "hosted" if place.hosted else "embedded", clock=Clock(), ids=numbered(),
        )  # fmt: skip
        with recorded_spans() as spans:
            async with reach(app, case["era"], "yes") as (client, asked):
                said = await _called(client, place.calls(canary, echo.url))
                exits |= _files(Path(folder), place)
            exits["spans"] = spans().encode()
        exits |= {f"after the end, {name}": data for name, data in _files(Path(folder), place).items()}
        exits |= {"results": said.encode(), "questions": "\n".join(asked).encode(), "log": log().encode()}
    return [found for name, data in exits.items() for found in _shows(name, data, key)], len(exits)


async def _called(client: Client, calls: list[tuple[str, Json]]) -> str:
    said: list[str] = []
    known: dict[str, str] = {}
    for tool, arguments in calls:
        try:
            result = await client.call_tool(tool, _filled(arguments, known))
        except MCPError as exc:
            said.append(str(exc))
            continue
        said += [text(result), result.model_dump_json(), *_texts(result.structured_content)]
        facts = cast(Json, result.structured_content or {})
        known |= {name: value for name, value in facts.items() if name.endswith("_id")}
    return "\n".join(said)


def _filled(node: Any, known: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, known) for key, value in cast(Json, node).items()}
    if isinstance(node, list):
        return [_filled(item, known) for item in cast(list[Any], node)]
    return known.get(node[1:-1], node) if isinstance(node, str) and node.startswith("{") else node


def _texts(node: Any) -> Iterator[str]:
    """Every text of a document as a program reads it, and what JSON inside of it says."""
    if isinstance(node, dict):
        yield from (each for item in cast(Json, node).items() for part in item for each in _texts(part))
    elif isinstance(node, list):
        yield from (each for item in cast(list[Any], node) for each in _texts(item))
    elif isinstance(node, str):
        yield node
        if node[:1] in '[{"':
            try:
                yield from _texts(json.loads(node))
            except ValueError:
                return


def _shows(name: str, data: bytes, canary: str) -> Iterator[str]:
    wanted = {**forms(canary), **{spelling: spell(canary).encode() for spelling, spell in SPELLINGS.items()}}
    for spelling, form in wanted.items():
        if form in data:
            yield f"{name} tells it ({spelling})"
            return
    most = canary[: len(canary) * 3 // 4].encode()
    if most in data or SPELLINGS["JSON"](most.decode()).encode() in data:
        yield f"{name} tells the most of it"


def _files(folder: Path, place: Place) -> dict[str, bytes]:
    """Every file of the server: database, log of the database, keys, temporary files."""
    return {
        file.name: file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not (place.stands and file.name.startswith("callwright.db"))
    }


@contextmanager
def _temporary_files_in(folder: Path) -> Generator[None]:
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    had = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        os.environ.pop("TMPDIR") if had is None else os.environ.update(TMPDIR=had)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name} {self.format(record)} {record.args!r}")


@contextmanager
def _logged() -> Generator[Callable[[], str]]:
    """What the program's own loggers get to say at level debug, before any handler hides something of it."""
    kept, ours, off = _Kept(), logging.getLogger("callwright"), logging.root.manager.disable
    level, ours.propagate = ours.level, False
    logging.disable(logging.NOTSET)
    ours.setLevel(logging.DEBUG)
    ours.addHandler(kept)
    try:
        yield lambda: "\n".join(kept.said)
    finally:
        ours.removeHandler(kept)
        ours.setLevel(level)
        ours.propagate = True
        logging.disable(off)
