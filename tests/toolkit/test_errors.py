import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract import errors
from callwright.contract.errors import ApiError, InUse, InvalidRequest, decode


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


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = {line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.strip()[:1] in tuple("*+-")}
    kinds = {n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, ApiError)}
    assert drawn == kinds
