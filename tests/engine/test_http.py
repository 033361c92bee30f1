"""The platform at the wire: who is let in, and what becomes of requests that are no requests."""

import json
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import Connection, text

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import ListAgents
from callwright.engine.http.app import BODY_LIMIT
from tests.peers import serving

from .helpers import agent, http, problems, read
from .helpers import text as a_text

pytestmark = pytest.mark.anyio

CREATE = "/v1/convai/agents/create"
KEY = "the-engine-key-4711"


@pytest.mark.parametrize("key", [None, "", "the-engine-key-471", KEY + " ", "Bearer " + KEY, "ключ"])
async def test_without_the_right_key_nobody_is_let_in(app: App, key: str | None) -> None:
    headers = {} if key is None else {b"xi-api-key": key.encode()}
    async with http(await app.engine(KEY)) as wire:
        for method, path in (("GET", "/v1/convai/agents"), ("POST", CREATE), ("DELETE", "/v1/convai/agents/a")):
            answer = await wire.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()) == snapshot(
                (401, {"detail": {"status": "unauthorized", "message": "The header xi-api-key is missing or wrong."}})
            )


async def test_the_right_key_is_let_in_over_a_real_socket(app: App) -> None:
    async with serving(await app.engine(KEY)) as url, AsyncClient(base_url=url, headers={"XI-API-Key": KEY}) as wire:
        made = await wire.post(CREATE, json={"conversation_config": {}})
        assert made.status_code == 200
        answer = await wire.get(f"/v1/convai/agents/{made.json()['agent_id']}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        head = await wire.head("/v1/convai/agents")
        assert (head.status_code, head.content) == (200, b"")


async def test_a_path_that_is_not_there_is_a_json_404(wire: AsyncClient) -> None:
    for path in ("/", "/v1/convai/nothing", "/v1/convai/agents/a/b", "/v1/convai/agents/create"):
        answer = await wire.get(path)
        assert (answer.status_code, answer.json()["detail"]["status"]) == (404, "not_found"), path


async def test_a_wrong_method_names_the_right_ones(wire: AsyncClient) -> None:
    answer = await wire.put("/v1/convai/agents/agent_1")
    assert (answer.status_code, answer.json(), sorted(answer.headers["allow"].split(", "))) == snapshot(
        (
            405,
            {"detail": {"status": "method_not_allowed", "message": "Method Not Allowed"}},
            ["DELETE", "GET", "HEAD", "PATCH"],
        )
    )


@pytest.mark.parametrize("id", ["a.b", "a%2e%2e", "a%00", "%C3%A9", "a" * 129, "a%20b"])
async def test_an_id_that_is_no_id_is_refused_in_the_path(wire: AsyncClient, id: str) -> None:
    assert [p.split(":")[0] for p in problems(await wire.get(f"/v1/convai/agents/{id}"))] == ["path.agent_id"]


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nope", b"\xff\xfe", b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}', b"[]", b'"text"', b"null", b"1", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":[' + b"[" * 5000 + b"]" * 5000 + b"]}",
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
async def test_a_body_that_is_no_json_object_is_refused(api: ApiClient, wire: AsyncClient, body: bytes) -> None:
    for answer in (await wire.post(CREATE, content=body), await wire.patch("/v1/convai/agents/agent_1", content=body)):
        [problem] = problems(answer)
        assert problem.startswith("body")
    assert (await api.send(ListAgents())).agents == []


async def test_what_is_deep_but_not_too_deep_is_kept(wire: AsyncClient) -> None:
    deep = json.loads("[" * 150 + "]" * 150)
    made = await wire.post(
        CREATE, json={"conversation_config": {}, "deep": deep, "big": 10**40, "text": "\u2028\U0001f6b2"}
    )
    assert made.status_code == 200, made.text
    answer = (await wire.get(f"/v1/convai/agents/{made.json()['agent_id']}")).json()
    assert (answer["deep"], answer["big"], answer["text"]) == (deep, 10**40, "\u2028\U0001f6b2")


async def test_a_huge_body_is_refused_before_it_is_read(wire: AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100_000):
            sent += 65_536
            yield b" " * 65_536

    answer = await wire.post(CREATE, content=endless())
    assert (answer.status_code, answer.json()) == snapshot(
        (413, {"detail": {"status": "too_large", "message": "The body is larger than 30 MB."}})
    )
    assert sent <= BODY_LIMIT + 2 * 65_536


async def test_a_parameter_that_nobody_knows_is_accepted_and_not_stored(api: ApiClient, wire: AsyncClient) -> None:
    made = await wire.post(
        f"{CREATE}?branch_id=b1&enable_versioning=true", json={"conversation_config": {}, "newer": 1}
    )
    answer = await read(api, made.json()["agent_id"])
    assert (answer["newer"], answer.keys() & {"branch_id", "enable_versioning"}) == (1, set())
    assert (await wire.get("/v1/convai/agents?archived=false&tags=a&tags=b")).status_code == 200


async def test_a_body_cannot_stand_in_for_the_path(api: ApiClient, wire: AsyncClient) -> None:
    one, two = await agent(api, name="one"), await agent(api, name="two")
    answer = await wire.patch(f"/v1/convai/agents/{one}?agent_id={two}", json={"agent_id": two, "name": "changed"})
    assert answer.json()["agent_id"] == one
    assert (await read(api, two))["name"] == "two"


@pytest.mark.parametrize("query", ["search=%00", "page_size=1&page_size=0", "sort_by=%22", "sort_direction=up"])
async def test_a_parameter_that_is_wrong_is_refused_in_the_query(wire: AsyncClient, query: str) -> None:
    assert [p.split(".")[0] for p in problems(await wire.get(f"/v1/convai/agents?{query}"))] == ["query"]


async def test_a_defect_says_nothing_of_what_happened(
    app: App, api: ApiClient, wire: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    def break_it(db: Connection) -> None:
        db.execute(text("DROP TABLE secret"))

    await (await app.database()).write(break_it)
    body = {"type": "new", "name": "n", "value": "canary-4711"}
    answer = await wire.post("/v1/convai/secrets", json=body)
    assert (answer.status_code, answer.json()) == snapshot(
        (500, {"detail": {"status": "internal_error", "message": "Internal error."}})
    )
    assert "Defect in POST /v1/convai/secrets" in caplog.text
    assert "no such table" in caplog.text
    assert "canary" not in caplog.text


async def test_what_others_wrote_is_not_run_by_a_browser(api: ApiClient, wire: AsyncClient) -> None:
    made = await a_text(api, content="<script>alert(1)</script>")
    answer = await wire.get(f"/v1/convai/knowledge-base/{made}/content")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
