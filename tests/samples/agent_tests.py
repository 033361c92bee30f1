"""Sample calls of the operations on tests of agents."""

from callwright.contract.agent_tests import (
    CreateAgentTest,
    DeleteAgentTest,
    GetAgentTest,
    GetInvocation,
    ListAgentTests,
    ListInvocations,
    ResubmitInvocation,
    RunAgentTests,
    SummariseAgentTests,
    UpdateAgentTest,
)
from tests.laws.largest_answers import ROWS

from . import guarding, plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateAgentTest,
        tool="create_agent_test",
        request=plain.TEST,
        makes=("test_id", "id"),
        sdk=[Sdk(f"{whole.P}.tests.create", whole.TEST)],
        calls=[
            probing.TESTING,
            {"name": "n", "config": probing.TURNS | {"type": "tool", "tool_call_parameters": probing.PROBE}},
        ],
        phrases=["write a test for one reply"],
    ),
    Sample(CreateAgentTest, tool="create_test_from_conversation", phrases=["turn that failed call into a test"]),
    Sample(
        ListAgentTests,
        tool="list_agent_tests",
        lists="tests",
        sdk=[Sdk(f"{whole.P}.tests.list", {"cursor": "c", "page_size": 3, "search": "ü"})],
        calls=[probing.PAGE | {"search": "a"}],
    ),
    Sample(
        GetAgentTest,
        tool="get_agent_test",
        sdk=[Sdk(f"{whole.P}.tests.get", {"test_id": "t1"})],
        read_as={
            "id": probing.T,
            "name": "n",
            "chat_history": [],
            "success_condition": "",
            "success_examples": [],
            "failure_examples": [],
        },
    ),
    Sample(
        UpdateAgentTest,
        tool="update_agent_test",
        request={**plain.TEST, "name": "Calls somebody"},
        sdk=[Sdk(f"{whole.P}.tests.update", {"test_id": "t1", **whole.TEST})],
        calls=[
            probing.TESTING | {"test_id": probing.T},
            {"test_id": probing.T, "config": {"type": "tool", "tool_call_parameters": probing.PROBE}},
        ],
        beside_ids={"name": "Mallory"},
    ),
    Sample(DeleteAgentTest, tool="delete_agent_test", sdk=[Sdk(f"{whole.P}.tests.delete", {"test_id": "t1"})]),
    Sample(
        SummariseAgentTests,
        tool="get_agent_test_summaries",
        request={"test_ids": ["{test_id}"]},
        sdk=[Sdk(f"{whole.P}.tests.summaries", {"test_ids": ["t1", "t2"]})],
        calls=[{"test_ids": [probing.T]}],
        largest={"test_ids": [f"test_{n}" for n in range(ROWS)]},
    ),
    Sample(
        RunAgentTests,
        tool="run_agent_tests",
        request={"tests": [{"test_id": "{test_id}"}]},
        makes=("test_invocation_id", "id"),
        sdk=[
            Sdk(
                f"{whole.P}.agents.run_tests",
                {
                    "agent_id": whole.A,
                    "tests": [{"test_id": "t1", "workflow_node_id": "n"}, {"test_id": "t2"}],
                    "agent_config_override": whole.OVERRIDE,
                },
            )
        ],
        calls=[{"agent_id": probing.A, "override": probing.AGENT | probing.PROBE}],
        guarded={
            pattern: {"agent_id": "agent_1", "test_ids": ["test_5"], "override": override, "wait_seconds": 0}
            for pattern, override in guarding.TESTED.items()
        },
        phrases=["run the tests on the agent"],
    ),
    Sample(
        ListInvocations,
        tool="list_test_invocations",
        query="?agent_id={agent_id}",
        sdk=[Sdk(f"{whole.P}.tests.invocations.list", {"agent_id": whole.A, "page_size": 4, "cursor": "c"})],
        calls=[probing.PAGE | {"agent_id": probing.A}],
    ),
    Sample(
        GetInvocation,
        tool="get_test_invocation",
        sdk=[Sdk(f"{whole.P}.tests.invocations.get", {"test_invocation_id": "i1"})],
        read_as={
            "id": probing.R,
            "agent_id": probing.A,
            "test_runs": [
                {
                    "test_run_id": "trun_1",
                    "test_id": probing.T,
                    "test_invocation_id": probing.R,
                    "agent_id": probing.A,
                    "status": "failed",
                }
            ],
        },
        phrases=["results of the last test run"],
    ),
    Sample(
        ResubmitInvocation,
        tool="resubmit_test_invocation",
        request={"test_run_ids": ["{test_run_id}"], "agent_id": "{agent_id}"},
        sdk=[
            Sdk(
                f"{whole.P}.tests.invocations.resubmit",
                {
                    "test_invocation_id": "i1",
                    "test_run_ids": ["r1"],
                    "agent_id": whole.A,
                    "agent_config_override": whole.OVERRIDE,
                },
            )
        ],
        calls=[{"invocation_id": probing.R, "run_ids": ["trun_1"], "override": probing.AGENT | probing.PROBE}],
        guarded={
            pattern: {"invocation_id": "tinv_6", "run_ids": ["trun_7"], "override": override}
            for pattern, override in guarding.TESTED.items()
        },
    ),
]
