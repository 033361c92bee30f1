"""What we send is what the platform's own SDK sends for the same arguments."""

import json
from collections import defaultdict
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, cast

import anyio
import pytest
from pydantic import SecretStr

from callwright.api.client import ApiClient
from callwright.contract.errors import BadRequest
from tests.peers import serving
from tests.sdk.environment import python_with

from .calls import CALLS, JSON, OPERATIONS, WITHOUT, Call
from .recorder import Recorded, Recorder

KEY = "a-key-of-the-test"
SDK_CALLS = Path(__file__).with_name("sdk_calls.py")

CHOOSING = ("CreateDocument", "CreatePhoneNumber")
"""What these need depends on what else is said, so that they have no least request."""
WHOLE = [call for call in CALLS if call.name not in CHOOSING and not call.label]
LEAN = [lean for call in WHOLE if (lean := call.lean()).arguments != call.arguments]
ROWS = CALLS + LEAN

EMPTY = "media_type: 'application/json' != None, json: {} != None"
"""We say `{}` where there is nothing to say. The SDK sends no body at all, which a server that wants one refuses."""
DIFFERENT = {
    # what a value is, is always said: other kinds may come
    "UpdateAgent, criterion without type": "json.platform_settings.evaluation.criteria.0.type: 'prompt' != absent",
    **dict.fromkeys(
        (
            "UpdateAgent, lean",
            "DuplicateAgent, lean",
            "UpdatePhoneNumber, lean",
            "UpdateWorkspaceSettings, lean",
            "UpdateDashboardSettings, lean",
            "UpdateMcpServer, lean",
            "UpdateMcpToolConfig, lean",
            "UpdateDictionary, lean",
            "CalculateAgentLlmUsage, lean",
        ),
        EMPTY,
    ),
}

MCP_NEWER = {"interruption_mode", "pre_tool_speech", "response_timeout_secs"}
MCP_TOOL_NEWER = MCP_NEWER | {"environment", "input_overrides", "response_mocks"}
NEWER = {
    "ListConversations": {"include_simulated"},  # the embedded platform's own
    "ListDictionaries": {"include_archived"},
    "UpdateMcpServer": MCP_NEWER | {"auth_connection", "disable_compression", "request_meta", "secret_token"},
    "CreateMcpToolConfig": MCP_TOOL_NEWER,
    "UpdateMcpToolConfig": MCP_TOOL_NEWER,
}
"""Arguments that SDK 2.23.0 does not have."""


class Exchange(NamedTuple):
    """What was sent for each row, and the names of the arguments that the SDK's method has."""

    ours: list[Recorded]
    theirs: list[Recorded]
    names: list[list[str]]


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    return anyio.run(_exchange)


async def _exchange() -> Exchange:
    ours, theirs = Recorder(), Recorder()
    async with serving(ours) as url, ApiClient(url, key=SecretStr(KEY)) as api:
        for call in ROWS:
            await send(call, api)
    given = json.dumps({"key": KEY, "calls": [call.to_sdk() for call in ROWS]}).encode()
    async with serving(theirs) as url:
        # -P: what lies beside the script is ours, and not for the SDK to import.
        done = await anyio.run_process(
            [str(python_with("2.23.0")), "-P", str(SDK_CALLS), url], input=given, check=False
        )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return Exchange(ours.seen, theirs.seen, [json.loads(line) for line in done.stdout.splitlines()])


async def send(call: Call, api: ApiClient) -> None:
    op = call.operation.model_validate({**call.arguments, **call.ours})
    answer = anext(api.stream(op)) if call.operation.streams() else api.send(op)
    with pytest.raises(BadRequest, match="Recorded"):
        await answer


class Absent:
    """Not there, which is not null."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


def differences(ours: object, theirs: object, at: str = "") -> list[str]:
    """`place: ours != theirs` of everything that differs."""
    said = f"{at[1:]}: {ours!r} != {theirs!r}"
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours and theirs:
        mine, other = cast(JSON, ours), cast(JSON, theirs)
        pairs = {key: (mine.get(key, ABSENT), other.get(key, ABSENT)) for key in mine | other}
    elif isinstance(ours, list) and isinstance(theirs, list):
        both = zip_longest(cast(list[Any], ours), cast(list[Any], theirs), fillvalue=ABSENT)
        pairs = {str(index): pair for index, pair in enumerate(both)}
    else:  # 1, 1.0 and True are three things on the wire
        return [] if type(cast(object, ours)) is type(cast(object, theirs)) and ours == theirs else [said]
    return [line for key, pair in pairs.items() for line in differences(*pair, f"{at}.{key}")]


def named(row: int) -> str:
    return ROWS[row].label or ROWS[row].name


def test_each_call_is_one_request(exchange: Exchange) -> None:
    assert [len(seen) for seen in exchange] == [len(ROWS)] * 3


@pytest.mark.parametrize("row", range(len(ROWS)), ids=named)
def test_our_request_is_the_sdks(row: int, exchange: Exchange) -> None:
    found = differences(asdict(exchange.ours[row]), asdict(exchange.theirs[row]))
    assert ", ".join(found) == DIFFERENT.get(ROWS[row].label, "")


def test_no_declared_difference_is_of_a_row_that_is_not_there() -> None:
    assert DIFFERENT.keys() <= {call.label for call in ROWS}


def test_every_operation_is_compared_or_unknown_to_the_sdk() -> None:
    assert {call.name for call in CALLS} | WITHOUT.keys() == OPERATIONS.keys()
    assert not {call.name for call in CALLS} & WITHOUT.keys()


def test_every_argument_that_both_know_is_compared(exchange: Exchange) -> None:
    given: dict[str, set[str]] = defaultdict(set)
    theirs: dict[str, set[str]] = {}
    for call, names in zip(ROWS, exchange.names, strict=True):
        given[call.name] |= call.arguments.keys() | call.ours.keys()
        # What is wrapped has no names of its own in the SDK, and what it fills in is no argument there.
        theirs[call.name] = {*OPERATIONS[call.name].places()} if call.wrapped else {*names, *call.ours}
    places = {name: {*OPERATIONS[name].places()} for name in given}
    assert {name: wanting for name in given if (wanting := theirs[name] & places[name] - given[name])} == {}
    assert {name: more for name in given if (more := places[name] - theirs[name])} == NEWER
