import json
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table

from callwright.contract import errors
from callwright.contract.errors import ApiError, InUse, InvalidRequest, Listing, NotFound, body_problem, decode
from callwright.engine import schema
from callwright.engine.schema.missing import not_found
from callwright.surface import built
from callwright.toolkit.arguments import spoken


def as_json(detail: object) -> bytes:
    return json.dumps({"detail": detail}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        (
            404,
            as_json({"status": "agent_not_found", "message": "No agent a."}),
            "NotFound",
            "agent_not_found",
            "No agent a.",
        ),
        (401, as_json("Bad key."), "Unauthorized", "unauthorized", "Bad key."),
        (400, b'{"message": "No detail."}', "BadRequest", "bad_request", "No detail."),
        (403, b"<html><h1>Forbidden</h1></html>", "Forbidden", "forbidden", "The platform answered 403."),
        (409, as_json({"status": 7, "message": ["x"]}), "Conflict", "conflict", "The platform answered 409."),
        (429, b"", "RateLimited", "rate_limited", "The platform answered 429."),
        (413, as_json({"message": "Too long."}), "ApiError", "error", "Too long."),
        (500, b"null", "Unavailable", "unavailable", "The platform answered 500."),
        (503, as_json({"message": "x" * 9000}), "Unavailable", "unavailable", "x" * 500),
        (502, b"[" * 100_000, "Unavailable", "unavailable", "The platform answered 502."),
        (500, b"\xff\xfe\x00", "Unavailable", "unavailable", "The platform answered 500."),
        (404, as_json({"message": "   "}), "NotFound", "not_found", "The platform answered 404."),
    ],
)
def test_an_answer_becomes_the_error_of_its_status(
    status: int, body: bytes, kind: str, code: str, message: str
) -> None:
    error = decode(status, body)
    assert (type(error).__name__, error.status, error.code, str(error)) == (kind, status, code, message)


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            as_json([{"loc": ["body", "tts", "speed"], "msg": "Too fast", "type": "less_than_equal", "input": 3}]),
            [{"loc": ["body", "tts", "speed"], "msg": "Too fast", "type": "less_than_equal"}],
        ),
        (as_json("Nonsense."), [{"loc": ["body"], "msg": "Nonsense.", "type": ""}]),
        (as_json({"status": "x", "message": "Nonsense."}), [{"loc": ["body"], "msg": "Nonsense.", "type": ""}]),
        (b"<html>", [{"loc": ["body"], "msg": "The platform answered 422.", "type": ""}]),
        (as_json([{"loc": "body", "msg": "Odd."}]), [{"loc": ["body"], "msg": "Odd.", "type": ""}]),
        (as_json(["odd"]), [{"loc": ["body"], "msg": "odd", "type": ""}]),
    ],
)
def test_a_422_names_its_problems_whatever_its_shape(body: bytes, problems: list[object]) -> None:
    error = decode(422, body)
    assert isinstance(error, InvalidRequest)
    assert (error.problems, error.detail()) == (problems, problems)


@given(
    st.integers(400, 599),
    st.binary()
    | st.recursive(
        st.none() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["detail", "message", "loc", "msg"]), x),
    ).map(lambda x: json.dumps(x).encode()),
)
def test_no_body_breaks_the_reading_of_an_error(status: int, body: bytes) -> None:
    error = decode(status, body)
    assert isinstance(error, ApiError)
    assert error.status == status
    assert len(str(error)) <= errors.LONGEST_MESSAGE
    json.dumps(error.detail())


def test_a_refusal_because_of_use_is_no_conflict_that_clients_would_send_again() -> None:
    error = InUse("document_in_use", "The handbook is used by Ada.")
    assert error.status == 400
    assert error.detail() == {"status": "document_in_use", "message": "The handbook is used by Ada."}
    assert str(error) == "The handbook is used by Ada."


LOST = NotFound("No agent 'a'.", Listing("agent", "GET /v1/convai/agents lists them."))
LOST_INSIDE = InvalidRequest(
    [
        body_problem(["tests", 0], "There is no test 't'.", resource="test"),
        body_problem(["name"], "Field required", "missing"),
    ]
)


def test_a_remedy_for_the_model_is_told_inside_the_process_and_no_part_of_the_platforms_shape() -> None:
    assert LOST.detail() == {"status": "not_found", "message": "No agent 'a'. GET /v1/convai/agents lists them."}
    assert LOST_INSIDE.detail() == [
        {"loc": ["body", "tests", 0], "msg": "There is no test 't'.", "type": "value_error"},
        {"loc": ["body", "name"], "msg": "Field required", "type": "missing"},
    ]
    told = [decode(error.status, as_json(error.detail_inside())) for error in (LOST, LOST_INSIDE)]
    assert [str(error) for error in told] == [str(LOST), str(LOST_INSIDE)]
    assert [spoken(error) for error in told] == [
        "No agent 'a'. list_agents shows them.",
        "tests.0: There is no test 't'. list_agent_tests shows them.; name: Field required",
    ]


def test_words_of_a_hosted_platform_are_shown_as_they_are() -> None:
    told = [decode(error.status, as_json(error.detail())) for error in (LOST, LOST_INSIDE)]
    assert [spoken(error) for error in told] == [
        "No agent 'a'. GET /v1/convai/agents lists them.",
        "tests.0: There is no test 't'.; name: Field required",
    ]


@pytest.mark.parametrize("listing", [None, "agent", [], ["agent"], ["agent", 7], {"resource": "agent"}])
def test_a_remedy_that_is_none_is_left_out(listing: object) -> None:
    error = decode(404, as_json({"message": "No agent 'a'.", "listing": listing}))
    assert (error.listing, str(error)) == (None, "No agent 'a'.")


def test_for_every_resource_of_the_platform_there_is_a_tool_that_lists_its_ids() -> None:
    modules = [import_module(f"{schema.__name__}.{found.name}") for found in iter_modules(schema.__path__)]
    tables: list[Any] = [thing for module in modules for thing in vars(module).values() if isinstance(thing, Table)]
    told = {spoken(not_found(table, "x")) for table in tables if "resource" in table.info}
    tools = {entry["tool"]["name"] for entry in built()}
    assert len(told) > 10
    assert {words.partition("'x'. ")[2].partition(" shows ")[0] for words in told} <= tools


def test_a_resource_that_no_tool_lists_is_told_in_the_platforms_words() -> None:
    assert spoken(NotFound("No canoe 'c'.", Listing("canoe", "Ask the harbour."))) == "No canoe 'c'. Ask the harbour."


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = {line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.strip()[:1] in tuple("*+-")}
    kinds = {n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, ApiError)}
    assert drawn == kinds
