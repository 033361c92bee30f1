"""Every operation is embedded, shown by a test, and answers what the platform's published schema allows."""

import ast
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from httpx2 import AsyncClient, Response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from callwright.app import App
from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.engine.http.routes import all_handlers, built, snap
from tests.contract.facts import assert_answer
from tests.engine.helpers import JSON, http
from tests.engine.test_calls import TRUNK
from tests.engine.test_phone_numbers import TWILIO
from tests.peers import serving
from tests.samples import SAMPLES, plain
from tests.transports import Clock, numbered, settings

pytestmark = pytest.mark.anyio

IMPLEMENTED = {op: made for group in all_handlers() for op, made in group.by_operation.items()}

REQUESTS = {row.op.__name__: row.request for row in SAMPLES if row.request is not None}
FILES = {row.op.__name__: row.files for row in SAMPLES if row.files is not None}
ORDER = (
    "Create", "Compute", "Simulate", "Stream", "Run", "Upload", "Duplicate", "Send", "Call", "Submit", "Update", "Set", "Add",
    "Remove", "List", "Get", "Download", "Calculate", "Summarise", "Resubmit", "Retry", "Cancel", "Delete",
)  # fmt: skip
MADE = {row.op.__name__: row.makes for row in SAMPLES if row.makes is not None}
"""What makes one of each: the parameter that takes its id, and where the answer has it."""
NOT_JSON = {row.op.__name__: row.answers for row in SAMPLES if row.answers is not None}
QUERIES = {row.op.__name__: row.query for row in SAMPLES if row.query}


@pytest.fixture
async def page() -> AsyncGenerator[str]:
    """The address of a web page on this machine."""

    async def hours(_: Request) -> HTMLResponse:
        return HTMLResponse("<html><body><p>Open from eleven.</p></body></html>")

    async with serving(Starlette(routes=[Route("/hours", hours)])) as base:
        yield f"{base}/hours"


@pytest.fixture
async def wire(tmp_path: Path, clock: Clock) -> AsyncGenerator[AsyncClient]:
    """An engine that may read pages of this machine."""
    app = App(settings(tmp_path / "home", allow_private=("127.0.0.1",)), "embedded", clock=clock, ids=numbered())
    async with http(await app.engine()) as client:
        yield client
    await app.close()


def test_every_operation_is_embedded() -> None:
    assert set(IMPLEMENTED) == set(all_operations())
    assert built() == snap(), "run scripts/snap"


def test_every_handler_is_shown_by_a_test_that_exists() -> None:
    files = (Path(__file__).parents[1] / "engine").glob("test_*.py")
    there = {
        node.name
        for file in files
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    wanting = {op.__name__: made.proof for op, made in IMPLEMENTED.items() if made.proof not in there}
    assert wanting == {}


def filled(node: Any, ids: dict[str, str]) -> Any:
    """A request with the ids of what was made before it."""
    if isinstance(node, dict):
        return {key: filled(value, ids) for key, value in node.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(node, list):
        return [filled(item, ids) for item in node]  # pyright: ignore[reportUnknownVariableType]
    return ids.get(node[1:-1], node) if isinstance(node, str) and node.startswith("{") else node


async def ask(wire: AsyncClient, op: type[Operation[Any]], ids: dict[str, str], **headers: str) -> Response:
    body, query, files = filled(REQUESTS.get(op.__name__), ids), QUERIES.get(op.__name__, ""), FILES.get(op.__name__)
    return await wire.request(op.method, (op.path + query).format(**ids), json=body, files=files, headers=headers)


async def ready(wire: AsyncClient, **headers: str) -> dict[str, str]:
    """What requests refer to before anything of theirs is made."""
    path = "/v1/convai/phone-numbers"
    numbers = [(await wire.post(path, json=body, headers=headers)).json() for body in (TWILIO, TRUNK)]
    twilio, trunk = [number["phone_number_id"] for number in numbers]
    return {"tool_name": "book", "twilio_id": twilio, "trunk_id": trunk}


def learned(op: type[Operation[Any]], answer: Response) -> dict[str, str]:
    """The ids that an answer brings, by the name of the parameter that takes them."""
    if not (where := MADE.get(op.__name__)):
        return {}
    body: JSON = answer.json()
    more = {"chunk_id": body["chunk_ids"][0]} if "chunk_ids" in body else {}
    if "version_id" in body:
        more |= {"dictionary_id": body["id"], "version_id": body["version_id"]}
    return {where[0]: body[where[1]]} | more


async def furnished(wire: AsyncClient, **headers: str) -> dict[str, str]:
    """One of each, and of what every path and request needs; ids by the name of the parameter that takes them."""
    operations = {op.__name__: op for op in IMPLEMENTED}
    ids = await ready(wire, **headers)
    for name in MADE:
        answer = await ask(wire, operations[name], ids, **headers)
        assert answer.is_success, (name, answer.text)
        ids |= learned(operations[name], answer)
    return ids | {"test_run_id": await settled(wire, ids, **headers)}


def place(op: type[Operation[Any]]) -> tuple[int, bool, int]:
    """Things are made before what needs them, and deleted in the other direction."""
    verb = next(place for place, verb in enumerate(ORDER) if op.__name__.startswith(verb))
    about_agents, listed = "Agent" in op.__name__, [*IMPLEMENTED].index(op)
    deletes = op.method == "DELETE"
    return verb, about_agents is not deletes, -listed if deletes else listed


async def settled(wire: AsyncClient, ids: dict[str, str], **headers: str) -> str:
    """The id of a run that has been run, so that it can be run again."""
    path = f"/v1/convai/test-invocations/{ids['test_invocation_id']}"
    with anyio.fail_after(60):
        while True:
            [run] = (await wire.get(path, headers=headers)).json()["test_runs"]
            if run["status"] != "pending":
                return run["test_run_id"]


async def test_every_answer_is_one_that_the_published_schema_allows(wire: AsyncClient, page: str) -> None:
    ids = await ready(wire) | {"page": page}
    asked: set[type[Operation[Any]]] = set()
    for op in sorted(IMPLEMENTED, key=place):
        if op.__name__ == "ResubmitInvocation":
            ids["test_run_id"] = await settled(wire, ids)
        answer = await ask(wire, op, ids)
        if op.__name__ in NOT_JSON:
            assert (answer.status_code, answer.headers["content-type"]) == NOT_JSON[op.__name__], answer.text
        elif not op.measured:
            assert answer.status_code == 200, answer.text
            assert op.decode(answer.content)
            ids |= learned(op, answer)
        else:
            assert_answer(op, answer.status_code, answer.json() if answer.content else None)
            ids |= learned(op, answer)
        if op.__name__ == "DuplicateAgent":  # the copy would keep what is deleted later
            assert (await wire.delete(f"/v1/convai/agents/{answer.json()['agent_id']}")).is_success
        asked.add(op)
    assert asked == set(all_operations())


async def test_answers_have_what_only_the_newest_clients_require(wire: AsyncClient) -> None:
    ids: dict[str, str] = {}
    document = await wire.post("/v1/convai/knowledge-base/text", json=REQUESTS["CreateTextDocument"])
    secret = await wire.post("/v1/convai/secrets", json=REQUESTS["CreateSecret"])
    ids |= {"documentation_id": document.json()["id"], "secret_id": secret.json()["secret_id"]}
    ids |= (await wire.post("/v1/convai/agents/create", json=filled(plain.AGENT, ids))).json()
    path = f"/v1/convai/agents/{ids['agent_id']}"
    ids["conversation_id"] = (await wire.post(f"{path}/simulate-conversation", json=plain.REHEARSAL)).json()[
        "conversation_id"
    ]

    [row] = (await wire.get("/v1/convai/agents")).json()["agents"]
    kinds: dict[str, type] = {key: type(row[key]) for key in ("voice_id", "updated_at_unix_secs", "archived")}
    assert kinds == {"voice_id": str, "updated_at_unix_secs": int, "archived": bool}
    for answer in (await wire.get(path), await wire.patch(path, json={"name": "Bea"})):
        assert answer.json()["workflow"].keys() >= {"nodes", "edges", "prevent_subagent_loops"}
    conversation = (await wire.get(f"/v1/convai/conversations/{ids['conversation_id']}")).json()
    assert conversation["has_auxiliary_audio"] is False
    assert conversation["metadata"]["cost_fiat"] is None
    content = await wire.get(f"/v1/convai/knowledge-base/{ids['documentation_id']}/content")
    assert (content.headers["content-type"], content.text) == ("text/html; charset=utf-8", "Open from nine.")
