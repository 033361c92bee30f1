"""The published facts are the ones that were agreed on, and an answer that departs from them is noticed."""

import hashlib
from pathlib import Path

import pytest

from callwright.contract.agents import CreateAgent, ListAgents
from callwright.contract.secrets import DeleteSecret
from tests.contract.facts import assert_answer

SHA_256 = "a2e09568e1c3653b491b5a60cc87192e6f53a42d9b33c2386cacc2ab20ca498b"


def test_the_copy_is_unchanged() -> None:
    assert hashlib.sha256((Path(__file__).parent / "openapi.json").read_bytes()).hexdigest() == SHA_256


def test_an_answer_is_measured() -> None:
    assert_answer(CreateAgent, 200, {"agent_id": "a"})
    assert_answer(ListAgents, 200, {"agents": [], "has_more": False, "next_cursor": None, "newer": 1})
    assert_answer(DeleteSecret, 204, None)


@pytest.mark.parametrize("answer", [{}, {"agent_id": 7}, []])
def test_a_wrong_answer_is_noticed(answer: object) -> None:
    with pytest.raises(AssertionError, match=r"\$"):
        assert_answer(CreateAgent, 200, answer)


def test_a_wrong_status_is_noticed() -> None:
    with pytest.raises(AssertionError):
        assert_answer(CreateAgent, 201, {"agent_id": "a"})
