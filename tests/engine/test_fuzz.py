"""Whatever is sent, the answer is one of the platform's: never a defect, and never one that cannot be read."""

import json
import os
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any, cast

import pytest
from httpx2 import AsyncClient

from callwright.contract.operation import Operation
from tests.laws.test_answers import FILES, IMPLEMENTED, REQUESTS, filled, furnished

pytestmark = pytest.mark.anyio

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
"""Of each operation. A long form is run from time to time."""

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, "", " ", "a" * 5000, "\u202e", "🚲", "{{x}}",
    "{{", "../../etc", "%2e%2e", "'; DROP TABLE agent; --", "http://localhost", "agent_1", "+15551234567", [], [None], [[]], {}, {"": None},
    {"type": "system"}, {"type": 7}, {"id": {}}, {"secret_id": "x"}, {"secret_id": None}, {"url": []}, {"url": "https://[::1"}, {"a": {"b": {"c": None}}},
]  # fmt: skip


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    if isinstance(node, dict):
        found += [p for key, child in cast(dict[str, Any], node).items() for p in places(child, (*at, key))]
    elif isinstance(node, list):
        found += [p for index, child in enumerate(cast(list[Any], node)) for p in places(child, (*at, index))]
    return found


def broken(body: Any, chance: random.Random) -> Any:
    """The same request with something odd in some places of it."""
    body = json.loads(json.dumps(body))
    for _ in range(chance.randrange(1, 4)):
        *parents, last = chance.choice(places(body)[1:] or [("x",)])
        node: Any = body
        for key in parents:
            node = node[key]
        holds = isinstance(node, dict)
        if holds and chance.random() < 0.2:
            last = chance.choice(["type", "id", "url", "name", "newer", ""])
        if holds or isinstance(node, list):
            cast(Any, node)[last] = deepcopy(chance.choice(ODD))
    return body


@pytest.mark.parametrize("op", IMPLEMENTED, ids=lambda op: op.__name__)
async def test_no_request_is_a_defect(wire: AsyncClient, op: type[Operation[Any]]) -> None:
    chance = random.Random(op.__name__)
    ids = await furnished(wire)
    send = requests(op, filled(REQUESTS.get(op.__name__), ids), chance)
    for _ in range(EXAMPLES):
        query, body = send()
        files = uploads(op, chance)
        answer = await wire.request(op.method, op.path.format(**ids), params=query, json=body, files=files)
        assert answer.status_code < 500, (query, body, answer.text)
        if answer.status_code == 422:
            assert {problem["loc"][0] for problem in answer.json()["detail"]} <= {"body", "query", "path"}, answer.text
    for list_ in ("agents", "knowledge-base", "phone-numbers", "secrets", "conversations?include_simulated=true"):
        assert (await wire.get(f"/v1/convai/{list_}")).status_code == 200
    for row in (await wire.get("/v1/convai/agents")).json()["agents"]:
        assert (await wire.get(f"/v1/convai/agents/{row['agent_id']}")).status_code == 200


def requests(op: type[Operation[Any]], body: Any, chance: random.Random) -> Callable[[], tuple[dict[str, str], Any]]:
    names = [name for name, place in op.places().items() if place == "query"]

    def make() -> tuple[dict[str, str], Any]:
        query = {name: str(chance.choice(ODD)) for name in names if chance.random() < 0.3}
        return query, None if body is None else broken(body, chance)

    return make


def uploads(op: type[Operation[Any]], chance: random.Random) -> dict[str, tuple[str, bytes, str]] | None:
    """The operation's files with odd contents under names and kinds that may not fit them."""
    names, kinds = (
        ["a.txt", "a.pdf", "a.docx", "a.epub", "a.html", "a.png", "\u202e", ""],
        ["text/plain", "image/png", "x"],
    )
    data = [b"", b"words", b"%PDF-1.4", b"PK\x03\x04", chance.randbytes(300), b"\x89PNG\r\n\x1a\n"]
    given = FILES.get(op.__name__)
    return (
        None
        if given is None
        else {name: (chance.choice(names), chance.choice(data), chance.choice(kinds)) for name in given}
    )
