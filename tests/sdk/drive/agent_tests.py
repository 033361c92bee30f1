# pyright: basic
"""Tests of agents, and their runs."""

import time

from .sdk import Sdk

HOURS = {
    "type": "llm",
    "name": "Names the hours",
    "chat_history": [{"role": "user", "message": "When do you open?", "time_in_call_secs": 1}],
    "success_condition": "Names the hours.",
    "success_examples": [{"response": "From nine to five.", "type": "success"}],
    "failure_examples": [{"response": "No idea.", "type": "failure"}],
    "dynamic_variables": {"name": "Bo"},
}
CALL = {
    **HOURS,
    "type": "tool",
    "name": "Hands over",
    "success_condition": "",
    "tool_call_parameters": {
        "referenced_tool": {"id": "transfer_to_number", "type": "system"},
        "verify_absence": False,
        "parameters": [
            {"path": "transfer_number", "eval": {"type": "exact", "expected_value": "+447771117777"}},
            {"path": "client_message", "eval": {"type": "llm", "description": "Is polite."}},
            {"path": "agent_message", "eval": {"type": "anything"}},
            {"path": "reason", "eval": {"type": "regex", "pattern": "^A"}},
        ],
    },
}


def sweep(sdk: Sdk) -> None:
    hours, call = sdk.call("tests.create", **HOURS).id, sdk.call("tests.create", **CALL).id
    sdk.call("tests.get", call)
    sdk.call("tests.update", hours, **{**HOURS, "name": "Names all hours"})
    sdk.saw("a changed test", sdk.call("tests.get", hours).name)
    sdk.saw("tests", sorted(row.name for row in sdk.call("tests.list", page_size=5).tests))
    sdk.saw("tests in short", len(sdk.call("tests.summaries", test_ids=[hours, call]).tests))
    runs(sdk, hours, call)
    for each in (hours, call):
        sdk.call("tests.delete", each)
    sdk.saw("tests once deleted", sdk.call("tests.list").tests)


def runs(sdk: Sdk, hours: str, call: str) -> None:
    ada = sdk.call("agents.create", name="Ada", conversation_config={}).agent_id
    bea = sdk.call("agents.create", name="Bea", conversation_config={}).agent_id
    made = sdk.call("agents.run_tests", ada, tests=[{"test_id": hours}, {"test_id": call}])
    done = finished(sdk, made.id)
    sdk.saw("runs without a model", [[run.status, run.condition_result.result] for run in done.test_runs])
    again = [run.test_run_id for run in done.test_runs][:1]
    sdk.call("tests.invocations.resubmit", made.id, test_run_ids=again, agent_id=ada)
    finished(sdk, made.id)
    [row] = sdk.call("tests.invocations.list", agent_id=ada, page_size=5).results
    sdk.saw("an invocation", [row.title, row.test_run_count, row.failed_count, row.pending_count])

    sdk.refused("agents.run_tests", ada, tests=[])
    sdk.refused("agents.run_tests", ada, tests=[{"test_id": "test_no"}, {"test_id": hours, "workflow_node_id": "n"}])
    sdk.refused("tests.invocations.resubmit", made.id, test_run_ids=["trun_no"], agent_id=ada)
    sdk.refused("tests.invocations.resubmit", made.id, test_run_ids=again, agent_id=bea)
    sdk.refused("tests.create", **{**HOURS, "chat_history": "Hello?", "success_condition": None})
    sdk.refused("tests.create", **{**CALL, "tool_call_parameters": None})
    sdk.refused("tests.list", cursor="of-another-list")
    sdk.refused("tests.summaries", test_ids="all")
    for each in (ada, bea):
        sdk.call("agents.delete", each)


def finished(sdk: Sdk, invocation: str):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        got = sdk.call("tests.invocations.get", invocation)
        if all(run.status != "pending" for run in got.test_runs):
            return got
    raise AssertionError("the runs never ended")
