"""The request of a webhook tool: every value in its place, and nowhere else."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from httpx2 import URL
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from callwright.engine.tool_calls.requests import build

JSON = dict[str, Any]

TOLD = {"type": "string", "description": "d"}


def tool(**api: Any) -> JSON:
    return {"type": "webhook", "name": "crm", "api_schema": {"url": "https://api.example.com/x", **api}}


def refused(config: JSON, arguments: JSON | None = None, **variables: Any) -> str:
    try:
        made = build(config, arguments or {}, variables)
    except ValueError as wrong:
        return str(wrong)
    raise AssertionError(f"It was built: {made!r}")


WHOLE = tool(
    method="POST",
    url="https://eu.example.com/shops/{shop}/orders/{order}?v={{version}}#there",
    path_params_schema={"shop": {"type": "string", "dynamic_variable": "shop"}, "order": TOLD},
    query_params_schema={
        "properties": {
            "dry": {"type": "boolean", "description": "d"},
            "channel": {"type": "string", "constant_value": "voice of {{shop}}"},
            "left_out": TOLD,
        }
    },
    request_body_schema={
        "type": "object",
        "properties": {
            "count": {"type": "integer", "description": "d"},
            "conversation_id": {"type": "string", "is_system_provided": True},
            "who": {"type": "object", "properties": {"name": TOLD, "vip": {"type": "boolean", "constant_value": True}}},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": TOLD}}},
            "note": TOLD,
        },
    },
    request_headers={
        "X-Shop": "{{shop}}",
        "X-Version": {"variable_name": "version"},
        "Authorization": {"secret_id": "secret_1"},
        "X-Api-Key": "literal-key",
    },
)


def test_every_part_of_a_request_is_built_from_its_sources() -> None:
    arguments = {
        "order": "A/7 ü", "dry": True, "count": 3, "lines": [{"sku": "a", "more": 1}], "who": {"name": "Ann", "vip": False},
    }  # fmt: skip
    variables = {"shop": "North & Sons", "version": 2, "system__conversation_id": "conv_1"}
    made = build(WHOLE, arguments, variables)
    assert made.secret_headers == {"Authorization": "secret_1"}
    assert made.details == snapshot(
        {
            "type": "webhook",
            "method": "POST",
            "url": "https://eu.example.com/shops/North%20%26%20Sons/orders/A%2F7%20%C3%BC?v=2&dry=true&channel=voice%20of%20North%20%26%20Sons",
            "headers": {
                "X-Shop": "North & Sons",
                "X-Version": "2",
                "X-Api-Key": "***",
                "Content-Type": "application/json",
                "Authorization": "***",
            },
            "path_params": {"shop": "North & Sons", "order": "A/7 ü"},
            "query_params": {"dry": "true", "channel": "voice of North & Sons"},
            "body": '{"count": 3, "conversation_id": "conv_1", "who": {"name": "Ann", "vip": true}, "lines": [{"sku": "a"}]}',
        }
    )


def test_a_tools_own_placeholders_stand_under_the_conversations_variables() -> None:
    config = tool(url="https://e.example/{{a}}/{{b}}") | {
        "dynamic_variables": {"dynamic_variable_placeholders": {"a": "own", "b": "own"}}
    }
    assert build(config, {}, {"b": "given"}).url == "https://e.example/own/given"


def fixing(url: str, **fixed: str) -> JSON:
    return tool(url=url) | {"dynamic_variables": {"dynamic_variable_placeholders": fixed}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (fixing("{{base}}/users", base="https://api.example.com/v1/"), "https://api.example.com/v1/users"),
        (fixing("https://{{host}}:8443/a", host="api.example.com"), "https://api.example.com:8443/a"),
    ],
)
def test_only_the_tool_itself_fills_a_variable_in_its_host(config: JSON, expected: str) -> None:
    callers: JSON = {"base": "https://evil.example", "host": "evil.example"}
    assert build(config, {}, callers).url == expected
    assert refused(config | {"dynamic_variables": {}}, **callers).endswith("a person approves it there.")


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("https://api.example.com", {}, "https://api.example.com"),
        ("https://api.example.com/?q={{q}}", {"q": "a&b=c#d"}, "https://api.example.com/?q=a%26b%3Dc%23d"),
    ],
)
def test_variables_fill_any_part_of_a_url(url: str, variables: JSON, expected: str) -> None:
    assert build(tool(url=url), {}, variables).url == expected


@pytest.mark.parametrize(
    ("config", "variables", "said"),
    [
        (tool(url="https://e.example/{{a}}"), {}, "The tool needs dynamic variables that have no value: a. Nothing was sent."),
        (tool(request_headers={"X": {"variable_name": "k"}}), {}, "The tool needs dynamic variables that have no value: k. Nothing was sent."),
        (
            tool(query_params_schema={"properties": {"n": {"type": "integer", "dynamic_variable": "n"}}}), {"n": "many"},
            "n: 'many' is not of type integer. Nothing was sent.",
        ),
        (tool(url="https://e.example/{a}"), {}, "Nothing fills {a} in the URL of the tool."),
        (fixing("https://{{h}}.example/", h="evil.example/"), {}, "{{h}} stands for a host, and its value is none."),
        (fixing("https://{{h}}.example/", h="me@evil"), {}, "{{h}} stands for a host, and its value is none."),
        (fixing("{{b}}.example.com/x", b="https://evil"), {}, "The variable b does not hold the beginning of a URL."),
        (fixing("{{b}}/x", b="https://a.example/../b"), {}, "The variable b does not hold the beginning of a URL."),
        (fixing("{{b}}/x", b="ftp://a.example"), {}, "The variable b does not hold the beginning of a URL."),
        (tool(url="https://e.example/a/{{d}}/b"), {"d": ".."}, "The value of {{d}} is empty or only dots; it would change where the request goes."),
        (tool(url="https://e.example/a/{{d}}"), {"d": ""}, "The value of {{d}} is empty or only dots; it would change where the request goes."),
        (tool(url="https://e.example/a/{{d}}%2e"), {"d": "."}, "The value of {{d}} is empty or only dots; it would change where the request goes."),
        (tool(request_headers={"X": "{{v}}"}), {"v": "a\r\nHost: b"}, "The value of the header X has line breaks or control characters."),
        (tool(request_headers={"Host": "b.example"}), {}, "The tool sets the header 'Host', which cannot be set."),
        (tool(request_headers={"X: y": "b"}), {}, "The tool sets the header 'X: y', which cannot be set."),
        (tool(query_params_schema={"properties": {"q": {"type": "string", "constant_value": "{{q}}"}}}), {"q": "\ud800"}, "A value holds half a character. Nothing was sent."),
    ],
)  # fmt: skip
def test_what_would_leave_its_place_or_is_not_there_is_refused_in_words(
    config: JSON, variables: JSON, said: str
) -> None:
    assert refused(config, **variables) == said


NASTY = st.text(st.sampled_from("/\\.?#%&=@:;{} \r\n\t\x00\"'<>aé2F💥"), max_size=12) | st.text(max_size=12)


@given(NASTY, NASTY)
def test_a_value_never_escapes_its_path_segment(first: str, second: str) -> None:
    config = tool(
        url="https://api.example.com/users/{id}/notes/{{note}}/end", path_params_schema={"id": TOLD, "unused": TOLD}
    )
    try:
        made = build(config, {"id": first}, {"note": second})
    except ValueError:
        return
    sent = URL(made.url)
    assert (sent.scheme, sent.host, sent.query, sent.fragment) == ("https", "api.example.com", b"", "")
    segments = sent.raw_path.decode().split("/")
    assert [unquote(segment) for segment in segments] == ["", "users", first, "notes", second, "end"]


@given(NASTY, st.dictionaries(NASTY, NASTY, max_size=3))
def test_arguments_reach_only_the_places_that_the_schema_gives_them(value: str, others: dict[str, str]) -> None:
    config = tool(
        method="POST",
        query_params_schema={"properties": {"q": TOLD, "fixed": {"type": "string", "constant_value": "c"}}},
        request_body_schema={
            "properties": {"b": TOLD, "c": {"type": "object", "properties": {"d": TOLD}}, "n": {"type": "integer", "constant_value": 7}}
        },
        request_headers={"X-Fixed": "f"},
    )  # fmt: skip
    arguments = {
        **others,
        "q": value,
        "b": value,
        "c": {**others, "d": value},
        "fixed": value,
        "n": value,
        "X-Fixed": value,
    }
    try:
        made = build(config, arguments, {})
    except ValueError:
        return
    sent = urlsplit(str(URL(made.url)))
    assert (sent.scheme, sent.netloc, sent.path) == ("https", "api.example.com", "/x")
    assert parse_qsl(sent.query, keep_blank_values=True) == [("q", value), ("fixed", "c")]
    assert json.loads(made.body or "") == {"b": value, "c": {"d": value}, "n": 7}
    assert made.headers == [("X-Fixed", "f"), ("Content-Type", "application/json")]


@given(NASTY)
def test_a_header_stays_one_line(value: str) -> None:
    try:
        made = build(tool(request_headers={"X-A": "a{{v}}"}), {}, {"v": value})
    except ValueError:
        return
    [(name, text)] = made.headers
    assert name == "X-A"
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text)
