"""One whole rehearsal, in the shape in which the platform gives it."""

import json

import pytest
from inline_snapshot import snapshot

from callwright.contract.conversation.analysis import Analysis
from callwright.contract.conversation.transcript import Turn as Recorded
from callwright.engine.dialogue.simulated_user import STOP

from .conftest import Connect
from .llm_peer import peer
from .rehearsals import parts, rehearsal, rehearse, renting
from .turns import agent, by_model, call, result, user

pytestmark = pytest.mark.anyio

ENDED = {"result_type": "end_call_success", "status": "success", "reason": "done", "message": "Goodbye!"}


async def test_a_whole_rehearsal_has_transcript_and_analysis_in_the_platforms_shape(connect: Connect) -> None:
    async with peer(parts(renting, "Is one free on Friday?", f"Thank you. {STOP}")) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert done.transcript == [
        agent("Hello, Northshore here."),
        user("Is one free on Friday?"),
        agent("Let me see.", **by_model("peer-1", read=330, written=7)),
        agent(None, tool_calls=[call("free_canoes", 1, '{"day": "Friday"}')]),
        agent(None, tool_results=[result("free_canoes", 1, '{"free": 3}')]),
        agent("Three are free. The deposit is forty euros.", **by_model("peer-1", read=393, written=11)),
        user("Thank you."),
        agent(
            None,
            tool_calls=[call("end_call", 2, '{"reason": "done", "message": "Goodbye!"}', "system")],
            **by_model("peer-1", read=424, written=11),
        ),
        agent(None, tool_results=[result("end_call", 2, json.dumps(ENDED), "system", result=ENDED)]),
        agent("Goodbye!"),
    ]
    assert done.analysis == snapshot(
        {
            "evaluation_criteria_results": {
                "polite": {"criteria_id": "polite", "result": "success", "rationale": "It was."},
                "informed": {"criteria_id": "informed", "result": "success", "rationale": "It was."},
            },
            "data_collection_results": {
                "day": {
                    "data_collection_id": "day",
                    "value": "Friday",
                    "json_schema": {"type": "string", "description": "The wanted day."},
                    "rationale": "Asked for at the start.",
                },
                "shop": {
                    "data_collection_id": "shop",
                    "value": "Northshore",
                    "json_schema": {"type": "string", "dynamic_variable": "shop"},
                    "rationale": "The dynamic variable shop.",
                },
            },
            "call_successful": "success",
            "transcript_summary": "A canoe was asked for.",
            "call_summary_title": "Canoe on Friday",
        }
    )
    read = [Recorded.model_validate(one) for one in done.transcript]
    assert [one.model_dump(mode="json", exclude_unset=True) for one in read] == done.transcript
    assert all(one.model_fields_set == set(Recorded.model_fields) for one in read)
    assert Analysis.model_validate(done.analysis).model_dump(mode="json", exclude_unset=True) == done.analysis
    assert done.ended == snapshot("The agent ended the conversation: done")
