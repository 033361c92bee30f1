"""Whatever stands in an id, a request goes to its own endpoint of the configured host, or nowhere."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from starlette.responses import RedirectResponse

from callwright.api.client import ApiClient
from callwright.contract.errors import BadRequest, Unreadable
from callwright.contract.operation import Operation
from tests.peers import serving
from tests.samples import SAMPLES

from .calls import CALLS, JSON, OPERATIONS
from .recorder import Recorder

EXAMPLES = 95
"""Ids of each operation; each is tried without and with the check of its form."""
KEY = "a-key-of-the-test"
ARGUMENTS: dict[str, JSON] = {
    **{row.op.__name__: row.arguments for row in SAMPLES if row.arguments},
    **{call.name: {**call.arguments, **call.ours} for call in CALLS},
}
BY_ID = [op for op in OPERATIONS.values() if "path" in op.places().values()]

PIECES = [
    "../", "..%2f", "%2e%2e", "%2E%2e%2F", ".%2e/", "a/b", "/", "//", "?x=1", "#f", "&", "=", ";p=1", ":", "\\", "..\\", "%5c..", "%", "%00", "%252e", "\0",
    "\t", "\r\nx-evil: 1\r\n", " HTTP/1.1", "\x7f", "\x85", "\u2028", "ü", "\uff0e\uff0e", "\u2025", "\uff0f", "\u202e", "\ud800", "🚲", "agent_1", ".", "..", "...",
    "{agent_id}", "{0.method}", "@TRAP/", "//TRAP/", "http://TRAP/", "/v1/convai/secrets", "../../secrets", "~", "*", "a" * 129, "a" * 9_000, " ", "+", "link", "create",
]  # fmt: skip
ids = st.one_of(
    st.sampled_from(["", *PIECES]), st.lists(st.sampled_from(PIECES), min_size=2, max_size=5).map("".join), st.text()
)
"""TRAP stands for another server on this machine."""


@dataclass
class Place:
    """Our client of a recording platform, and a server elsewhere that nothing must reach."""

    api: ApiClient
    platform: Recorder
    trap: Recorder
    trap_host: str


@asynccontextmanager
async def _place() -> AsyncGenerator[Place]:
    platform, trap = Recorder(), Recorder()
    async with (
        serving(platform) as url,
        serving(trap) as elsewhere,
        ApiClient(url, key=SecretStr(KEY)) as api,
    ):
        yield Place(api, platform, trap, elsewhere.removeprefix("http://"))


@pytest.fixture(scope="module")
def portal() -> Generator[BlockingPortal]:
    """An event loop beside the tests, because one example after another is tried in the same test."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def place(portal: BlockingPortal) -> Generator[Place]:
    with portal.wrap_async_context_manager(_place()) as place:
        yield place


async def attempt(place: Place, op: Operation[Any], given: dict[str, str]) -> None:
    """Send it: we refuse it before anything is sent, or its own endpoint gets it."""
    place.platform.seen.clear()
    with pytest.raises(BadRequest) as refused:
        await (anext(place.api.stream(op)) if op.streams() else place.api.send(op))
    if place.platform.seen:
        check_endpoint(place, type(op), given)
    else:
        assert str(refused.value).endswith("cannot stand in a path")


def check_endpoint(place: Place, op: type[Operation[Any]], given: dict[str, str]) -> None:
    """Segment by segment what arrived is the operation's path, with each id as one segment."""
    [request] = place.platform.seen
    wanted = op.path.split("/")
    segments = request.raw_path.split("/")
    assert len(segments) == len(wanted)
    for segment, name in zip(segments, wanted, strict=True):
        if name.startswith("{"):
            assert unquote(segment, errors="strict") == given[name[1:-1]]
            assert segment.strip(".")
            assert not set(segment) & set("?#;\\@ ")
        else:
            assert segment == name
    own = {name for name, where in op.places().items() if where == "query"}
    assert {name for name, _ in request.query} <= own
    assert (request.method, request.keys) == (op.method, [KEY])


@pytest.mark.parametrize("op", BY_ID, ids=lambda op: op.__name__)
@given(data=st.data())
@settings(max_examples=EXAMPLES)
def test_an_id_never_leaves_its_segment(
    op: type[Operation[Any]], place: Place, portal: BlockingPortal, data: st.DataObject
) -> None:
    named = [name for name, where in op.places().items() if where == "path"]
    hostile = {name: data.draw(ids, name).replace("TRAP", place.trap_host) for name in named}
    portal.call(attempt, place, op.model_validate(ARGUMENTS[op.__name__]).model_copy(update=hostile), hostile)
    with suppress(ValidationError):
        portal.call(attempt, place, op.model_validate(ARGUMENTS[op.__name__] | hostile), hostile)
    assert place.trap.seen == []


def test_enough_ids_are_tried() -> None:
    assert len(BY_ID) * EXAMPLES >= 5_000
    assert {op.__name__ for op in BY_ID} <= ARGUMENTS.keys()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_by_any_operation(status: int) -> None:
    trap = Recorder()
    async with serving(trap) as elsewhere:
        redirect = RedirectResponse(f"{elsewhere}/v1/user", status)
        async with serving(redirect) as url, ApiClient(url, key=SecretStr(KEY)) as api:
            for name, arguments in ARGUMENTS.items():
                op = OPERATIONS[name].model_validate(arguments)
                with pytest.raises(Unreadable, match="redirects are not followed"):
                    await (anext(api.stream(op)) if op.streams() else api.send(op))
    assert trap.seen == []
