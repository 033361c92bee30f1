"""The rules of tests: kept, found, attached, and refused where no run could decide them."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agent_tests import (
    CreateAgentTest,
    DeleteAgentTest,
    GetAgentTest,
    ListAgentTests,
    SummariseAgentTests,
    UpdateAgentTest,
)
from callwright.contract.errors import NotFound
from tests.transports import Clock

from .helpers import JSON, agent, change, dump, problems, refused

pytestmark = pytest.mark.anyio

PATH = "/v1/convai/agent-testing"
ASKED: JSON = {"role": "user", "message": "When do you open?", "time_in_call_secs": 1}
SCENARIO: JSON = {
    "name": "Opening hours",
    "chat_history": [ASKED],
    "success_condition": "Names the hours.",
    "success_examples": [{"response": "From nine to five.", "type": "success"}],
    "failure_examples": [{"response": "No idea.", "type": "failure"}],
}
CALL: JSON = {
    **SCENARIO,
    "name": "Emergency goes to the right number",
    "type": "tool",
    "success_condition": "",
    "tool_call_parameters": {
        "referenced_tool": {"id": "transfer_to_number", "type": "system"},
        "parameters": [{"path": "transfer_number", "eval": {"type": "exact", "expected_value": "+447771117777"}}],
    },
}


async def made(api: ApiClient, body: JSON = SCENARIO, **changed: object) -> str:
    """The id of a new test."""
    return (await api.send(CreateAgentTest.model_validate({**body, **changed}))).id


async def test_a_test_reads_back_as_it_was_created(api: ApiClient) -> None:
    scenario = dump(await api.send(GetAgentTest(test_id=await made(api))))
    assert scenario == snapshot(
        {
            "id": "test_1",
            "name": "Opening hours",
            "type": "llm",
            "chat_history": [{"role": "user", "message": "When do you open?", "time_in_call_secs": 1}],
            "success_condition": "Names the hours.",
            "success_examples": [{"response": "From nine to five.", "type": "success"}],
            "failure_examples": [{"response": "No idea.", "type": "failure"}],
            "tool_call_parameters": None,
            "dynamic_variables": {},
            "from_conversation_metadata": None,
        }
    )
    call = dump(await api.send(GetAgentTest(test_id=await made(api, CALL, dynamic_variables={"name": "Ada"}))))
    assert call["tool_call_parameters"] == {**CALL["tool_call_parameters"], "verify_absence": False}
    assert (call["type"], call["dynamic_variables"]) == ("tool", {"name": "Ada"})


async def test_an_update_replaces_the_whole_test(api: ApiClient, clock: Clock) -> None:
    test = await made(api, dynamic_variables={"name": "Ada"})
    clock.forward(seconds=5)
    answer = dump(await api.send(UpdateAgentTest.model_validate({"test_id": test, **CALL})))
    assert answer == dump(await api.send(GetAgentTest(test_id=test)))
    assert (answer["type"], answer["dynamic_variables"]) == ("tool", {})
    [row] = dump(await api.send(ListAgentTests()))["tests"]
    assert row == snapshot(
        {
            "id": "test_1",
            "name": "Emergency goes to the right number",
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "created_at_unix_secs": 1800000000,
            "last_updated_at_unix_secs": 1800000005,
            "type": "tool",
        }
    )
    assert isinstance(await refused(api, UpdateAgentTest.model_validate({"test_id": "test_no", **CALL})), NotFound)


async def test_tests_are_listed_page_by_page_and_found_by_name(api: ApiClient, clock: Clock) -> None:
    for name in ("Ä one", "Two", "ä three"):
        await made(api, name=name)
        clock.forward(seconds=1)
    first = await api.send(ListAgentTests(page_size=2))
    rest = await api.send(ListAgentTests(page_size=2, cursor=first.next_cursor))
    assert [row.name for row in (*first.tests, *rest.tests)] == ["ä three", "Two", "Ä one"]
    assert (first.has_more, rest.has_more, rest.next_cursor) == (True, False, None)
    found = await api.send(ListAgentTests(search="Ä"))
    assert [row.name for row in found.tests] == ["ä three", "Ä one"]


async def test_tests_are_summed_up_by_their_ids(api: ApiClient) -> None:
    one, two = await made(api), await made(api, CALL)
    found = await api.send(SummariseAgentTests(test_ids=[two, one, "test_no"]))
    assert {id: (row.name, row.type) for id, row in found.tests.items()} == {
        two: ("Emergency goes to the right number", "tool"),
        one: ("Opening hours", "llm"),
    }


async def test_deleting_an_attached_test_names_the_agents(api: ApiClient) -> None:
    test = await made(api)
    attached = {"testing": {"attached_tests": [{"test_id": test}]}}
    ada = await agent(api, name="Ada", platform_settings=attached)
    error = await refused(api, DeleteAgentTest(test_id=test))
    assert (error.status, error.code) == (400, "test_in_use")
    assert str(error) == f"Test 'Opening hours' is attached to 'Ada' ({ada}). Detach it there first."
    await change(api, ada, platform_settings={"testing": {"attached_tests": []}})
    await api.send(DeleteAgentTest(test_id=test))
    assert isinstance(await refused(api, GetAgentTest(test_id=test)), NotFound)


async def test_an_agent_is_not_given_a_test_that_does_not_exist(wire: AsyncClient) -> None:
    attached = {"testing": {"attached_tests": [{"test_id": "test_no"}]}}
    body = {"conversation_config": {}, "platform_settings": attached}
    assert problems(await wire.post("/v1/convai/agents/create", json=body)) == [
        "body.platform_settings.testing.attached_tests.0: There is no test 'test_no'."
    ]


def with_pattern(pattern: str) -> JSON:
    return {"tool_call_parameters": {"parameters": [{"path": "id", "eval": {"type": "regex", "pattern": pattern}}]}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "simulation"}, "body.type: This platform runs tests of the types llm and tool."),
        (
            {"success_condition": " "},
            "body.success_condition: A test of the type llm needs a condition to be judged by.",
        ),
        (
            {"type": "tool"},
            "body.tool_call_parameters: A test of the type tool says which tool must be called.",
        ),
        (
            with_pattern("("),
            "body.tool_call_parameters.parameters.0.eval.pattern: This is no regular expression: missing ), unterminated"
            " subpattern at position 0.",
        ),
        (
            with_pattern("a" * 501),
            "body.tool_call_parameters.parameters.0.eval.pattern: A pattern has at most 500 characters, and this one has"
            " 501.",
        ),
    ],
)
async def test_what_no_run_could_decide_is_refused_at_its_place(wire: AsyncClient, body: JSON, said: str) -> None:
    assert problems(await wire.post(f"{PATH}/create", json={**SCENARIO, **body})) == [said]
    assert (await wire.get(PATH)).json()["tests"] == []


async def test_tests_of_another_workspace_do_not_exist(api: ApiClient) -> None:
    for op in (GetAgentTest(test_id="test_no"), DeleteAgentTest(test_id="test_no")):
        assert isinstance(await refused(api, op), NotFound)
