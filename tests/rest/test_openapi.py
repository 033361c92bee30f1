"""The engine keeps to `callwright openapi`: schemathesis makes requests from it, and holds the answers against it.

SCHEMATHESIS_EXAMPLES=200 is the long form: that many at random of each operation, and others in every run.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import schemathesis.checks
from anyio.from_thread import BlockingPortal, start_blocking_portal
from schemathesis.specs.openapi import checks

from callwright.app import App
from callwright.contract import all_operations
from tests.engine.helpers import http
from tests.laws.test_answers import REQUESTS, filled, furnished
from tests.peers import serving
from tests.transports import settings

from .cases import Case, cases, is_large, is_really_broken, operations

OF_ANY: Any = schemathesis.checks
OF_OPENAPI: Any = checks
KEY = {"xi-api-key": "an-engine-key-of-the-test"}
LONG = os.environ.get("SCHEMATHESIS_EXAMPLES")
EXAMPLES = int(LONG or 5)
CHECKS: list[Any] = [
    OF_ANY.not_a_server_error,
    OF_OPENAPI.status_code_conformance,
    OF_OPENAPI.content_type_conformance,
    OF_OPENAPI.response_schema_conformance,
    OF_OPENAPI.unsupported_method,
    OF_OPENAPI.allow_header_conformance,
]
NEVER_DONE = {
    "get_conversation_audio": "conversations of this platform are in text",
    "create_url_document": "no generated address has a page",
    "create_file_document": "generated files are pictures, or nothing that is known",
    "create_document": "the same",
    "delete_secret": "the one that there is is in use",
}
"""Operations that only refuse what is generated here, with the reason. Other tests show them at work."""
BODIES: dict[str, Any] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", op.__name__).lower(): REQUESTS.get(op.__name__) for op in all_operations()
}
"""A request that is carried out, by `operationId`."""
# Those in REQUESTS have been made.
BODIES["create_mcp_tool_config"] = {"tool_name": "cancel"}
BODIES["create_auth_connection"] = {**BODIES["create_auth_connection"], "name": "Another"}


class Host(NamedTuple):
    """One server on this machine for one engine after another: the last of `engines` answers."""

    portal: BlockingPortal
    engines: list[Any]
    url: str


class Furnished(NamedTuple):
    """A home in which there is one of everything, and its ids."""

    home: Path
    ids: dict[str, str]


@pytest.fixture(scope="module")
def host() -> Generator[Host]:
    engines: list[Any] = []

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await engines[-1](scope, receive, send)

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(serve)) as url:
        yield Host(portal, engines, url)


@pytest.fixture(scope="module")
def one_of_each(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    home = tmp_path_factory.mktemp("one-of-each") / "home"

    async def furnish() -> dict[str, str]:
        app = App(settings(home), "embedded")
        async with http(await app.engine()) as wire:
            ids = await furnished(wire)
        await app.close()
        return ids | {"agent_phone_number_id": ids["twilio_id"]}

    return Furnished(home, host.portal.call(furnish))


@pytest.fixture
def engine(host: Host, one_of_each: Furnished, tmp_path: Path) -> Generator[str]:
    """The address of an engine of the test's own, which has one of everything."""
    home = tmp_path / "home"
    shutil.copytree(one_of_each.home, home)

    @asynccontextmanager
    async def running() -> AsyncGenerator[Any]:
        app = App(settings(home), "embedded")
        yield await app.engine(KEY["xi-api-key"])
        await app.close()

    with host.portal.wrap_async_context_manager(running()) as asgi:
        host.engines.append(asgi)
        yield host.url


@pytest.mark.parametrize("name", BODIES)
def test_every_answer_is_one_that_the_document_describes(engine: str, one_of_each: Furnished, name: str) -> None:
    body: Any = filled(BODIES[name], one_of_each.ids) or {}
    answered: Counter[int] = Counter()
    done = 0
    with requests.Session() as session:
        case: Any
        for case in cases(operations()[name], one_of_each.ids, body, EXAMPLES, same=LONG is None):
            answer = case.call_and_validate(engine, session, KEY, checks=checks_of(case, done))
            answered[answer.status_code] += 1
            done = answered[200] + answered[204]
    if LONG is None:  # the same requests in every run
        assert (done == 0) == (name in NEVER_DONE), answered


def checks_of(case: Case, done: int) -> list[Any]:
    """What an answer to this case is held against, after `done` that were carried out.

    Whether an answer needed its key costs two requests more, so it is asked of a few.
    """
    of_key = [OF_OPENAPI.ignored_auth] if done < 3 else []
    of_breakage = [OF_OPENAPI.negative_data_rejection] if is_really_broken(case) else []
    return [*CHECKS, *of_key, *of_breakage]


def test_most_operations_are_not_only_refused() -> None:
    assert (len(operations()), len(NEVER_DONE)) == (105, 5)
    assert set(NEVER_DONE) < set(operations())
    assert BODIES.keys() == operations().keys()  # each is tried above


def test_only_requests_whose_schema_is_huge_are_not_broken_on_purpose() -> None:
    assert {name for name, operation in operations().items() if is_large(operation)} == {
        "create_agent", "update_agent", "simulate_conversation", "stream_simulation", "create_agent_test",
        "update_agent_test", "run_agent_tests", "resubmit_invocation",
    }  # fmt: skip
