"""Which tools are offered: the everyday ones, those of named toolsets, or all."""

from typing import Any

import pytest

from callwright.approval.policy import Policy
from callwright.bounds import Bounds
from callwright.mcp_server.tool_visibility import chosen
from callwright.settings import SettingError
from callwright.surface import Entry


def entry(name: str, toolset: str, effect: str = "read", *, default: bool = True) -> Entry:
    tool: dict[str, Any] = {"name": name, "inputSchema": {"type": "object", "properties": {}}}
    return Entry(
        module="", toolset=toolset, effect=effect, default=default, long=False, words="", operations=[], tool=tool
    )


ENTRIES = [
    entry("list_agents", "agents"),
    entry("delete_agent", "agents", "delete"),
    entry("place_call", "calls", "dial", default=False),
    entry("list_voices", "llms"),
    entry("get_prices", "llms", default=False),
    entry("get_status", "server"),
]
EVERYDAY = ["list_agents", "delete_agent", "list_voices", "get_status"]


@pytest.mark.parametrize(
    ("toolsets", "offered"),
    [
        (["default"], EVERYDAY),
        (["all"], [entry["tool"]["name"] for entry in ENTRIES]),
        (["all", "agents"], [entry["tool"]["name"] for entry in ENTRIES]),
        (["calls"], ["place_call", "get_status"]),
        (["llms"], ["list_voices", "get_prices", "get_status"]),
        (["default", "calls"], [*EVERYDAY[:2], "place_call", *EVERYDAY[2:]]),
        (["server"], ["get_status"]),
    ],
)
def test_a_named_toolset_is_whole_and_the_default_is_the_everyday_tools(
    toolsets: list[str], offered: list[str]
) -> None:
    found = chosen(ENTRIES, toolsets, Bounds(), Policy())
    assert [entry["tool"]["name"] for entry in found] == offered


def test_bounds_and_policy_cut_what_was_chosen() -> None:
    disabled = Policy(tools={"list_agents": "disabled"})
    found = chosen(ENTRIES, ["all"], Bounds(read_only=True), disabled)
    assert [entry["tool"]["name"] for entry in found] == ["list_voices", "get_prices", "get_status"]


def test_an_unknown_toolset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError) as refused:
        chosen(ENTRIES, ["default", "call"], Bounds(), Policy())
    assert str(refused.value) == "Unknown toolset 'call'. Known: agents, calls, llms, server; or default, or all."
