"""Tools as editors and guides write them become what the API takes; ten that were published are the proof."""

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import ValidationError

from callwright.contract.agent_tools import CreateTool, UpdateTool
from callwright.contract.tool_dialect import normalise_tool, placeholders

TOOLS = cast(list[dict[str, Any]], json.loads((Path(__file__).parent / "editor-tools.json").read_text("utf-8")))
BY_NAME = {case["api"]["name"]: case for case in TOOLS}


def webhook(**schema: Any) -> dict[str, Any]:
    return {"type": "webhook", "name": "w", "description": "d", "api_schema": {"url": "https://example.com", **schema}}


def test_of_two_values_of_one_name_none_is_lost() -> None:
    twice = [{"id": "day", "type": "string", "description": text} for text in ("First.", "Second.")]
    for name in ("path_params_schema", "query_params_schema", "request_body_schema"):
        with pytest.raises(ValidationError):
            CreateTool.parse({}, {}, {"tool_config": webhook(**{name: twice})})


def test_there_are_ten() -> None:
    assert len(BY_NAME) == 10


@pytest.mark.parametrize("name", BY_NAME)
def test_a_published_tool_becomes_what_the_api_takes(name: str) -> None:
    editor, api = BY_NAME[name]["editor"], BY_NAME[name]["api"]
    before = copy.deepcopy(editor)
    assert normalise_tool(editor)[0] == api
    assert editor == before
    assert CreateTool.parse({}, {}, {"tool_config": editor}).body() == {"tool_config": api}


@pytest.mark.parametrize("name", BY_NAME)
def test_what_the_api_takes_stays_as_it_is(name: str) -> None:
    api = BY_NAME[name]["api"]
    config, notes = normalise_tool(api)
    assert config == api
    assert notes == [f"{place} is a placeholder and must be filled in." for place in placeholders(api)]


def test_the_report_says_what_was_changed_and_what_is_missing() -> None:
    assert normalise_tool(BY_NAME["zendesk_get_ticket_comments"]["editor"])[1] == snapshot(
        [
            "ticket_id stands in the path, so it is required.",
            "api_schema.path_params_schema was a list; it became a map by name.",
            "api_schema.request_headers was a list; it became a map by name.",
            "api_schema.url is a placeholder and must be filled in.",
            "api_schema.request_headers.Authorization is a placeholder and must be filled in.",
        ]
    )
    op = CreateTool.parse({}, {}, {"tool_config": BY_NAME["get_call_content"]["editor"]})
    assert op.warnings == snapshot(
        [
            "id tool_1 is not read; a new tool gets its own.",
            "api_schema.request_headers was a list; it became a map by name.",
            "api_schema.request_body_schema was written in an editor's way; lists of properties became maps by name.",
            "api_schema.request_headers.Authorization is a placeholder and must be filled in.",
        ]
    )


def test_the_chosen_source_of_a_value_is_the_only_one_that_stays() -> None:
    sources = {"description": "words ", "dynamic_variable": "user_id", "constant_value": "1"}
    query = [
        {"id": kind, "type": "string", "required": kind == "constant", "value_type": kind, **sources}
        for kind in ("llm_prompt", "dynamic_variable", "constant")
    ]
    config, _ = normalise_tool(webhook(query_params_schema=query))
    assert config["api_schema"]["query_params_schema"] == {
        "properties": {
            "llm_prompt": {"type": "string", "description": "words"},
            "dynamic_variable": {"type": "string", "dynamic_variable": "user_id"},
            "constant": {"type": "string", "constant_value": "1"},
        },
        "required": ["constant"],
    }


def test_headers_of_every_kind_are_read() -> None:
    headers = [
        {"type": "value", "name": "x-team", "value": "a"},
        {"type": "secret", "name": "authorization", "secret_id": "s1"},
        {"type": "dynamic_variable", "name": "x-user", "variable_name": "user"},
    ]
    config, _ = normalise_tool(webhook(request_headers=headers))
    assert config["api_schema"]["request_headers"] == {
        "x-team": "a",
        "authorization": {"secret_id": "s1"},
        "x-user": {"variable_name": "user"},
    }


def test_a_client_tool_may_list_its_parameters() -> None:
    client = {"type": "client", "name": "open_page", "description": "d"}
    listed = [{"id": "path", "type": "string", "description": "Where to", "required": True, "value_type": "llm_prompt"}]
    op = UpdateTool.parse({"tool_id": "t"}, {}, {"tool_config": client | {"parameters": listed}})
    assert op.body() == {
        "tool_config": client
        | {
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string", "description": "Where to"}},
                "required": ["path"],
            }
        }
    }


def test_a_system_tool_gets_its_kind() -> None:
    config, notes = normalise_tool({"type": "system", "name": "end_call", "description": ""})
    assert config == {
        "type": "system",
        "name": "end_call",
        "description": "",
        "params": {"system_tool_type": "end_call"},
    }
    assert notes == []


def test_a_path_that_does_not_match_its_parameters_is_said() -> None:
    _, notes = normalise_tool(
        webhook(url="https://example.com/{order}", path_params_schema={"id": {"type": "string", "description": "d"}})
    )
    assert notes == [
        "id is in path_params_schema, but not in the url.",
        "order stands in the url, but path_params_schema does not say what it is.",
    ]


def test_what_others_could_read_is_said() -> None:
    headers = {"Authorization": "Bearer abc", "X-Api-Key": {"secret_id": "s"}, "x-token": "{{token}}"}
    _, notes = normalise_tool(webhook(url="http://example.com", request_headers=headers))
    assert notes == [
        "api_schema.url is not encrypted; use https.",
        "api_schema.request_headers.Authorization holds its value in the clear; store it as a secret.",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "required", "properties", "items", "name", "value", "value_type", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON, JSON)
def test_no_shape_breaks_it_nothing_is_changed_in_place_and_twice_is_once(a: Any, b: Any, c: Any, d: Any) -> None:
    tools = [
        a,
        {"type": "client", "parameters": a, "api_schema": b},
        {"type": "system", "name": a, "params": b},
        webhook(url=d, path_params_schema=a, query_params_schema=b, request_body_schema=c, request_headers=d),
        webhook(request_headers=[{"name": "a", "value": b}, a], request_body_schema={"properties": [c, d]}),
    ]
    for tool in tools:
        before = copy.deepcopy(tool)
        once, _ = normalise_tool(tool)
        assert tool == before
        assert normalise_tool(once)[0] == once
