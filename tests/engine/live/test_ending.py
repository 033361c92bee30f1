"""What becomes of a conversation after its last word."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON

from .talking import Stage, echo, judged, stage

pytestmark = pytest.mark.anyio

POLITE: JSON = {"id": "polite", "name": "Polite", "type": "prompt", "conversation_goal_prompt": "Was polite."}
CRITERIA: JSON = {"evaluation": {"criteria": [POLITE]}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo), with_model=False, allow_private=("127.0.0.1",)) as at:
        yield at


async def test_an_endpoint_of_the_agents_own_is_told_whose_conversation_it_judges(at: Stage) -> None:
    own = {"url": at.llm.base_url, "request_headers": {"x-tenant": {"variable_name": "tenant"}}}
    ada = await at.agent(
        {"agent": {"prompt": {"llm": "custom-llm", "custom_llm": own}}},
        platform_settings={**CRITERIA, "overrides": {"custom_llm_extra_body": True}},
    )
    told: JSON = {"dynamic_variables": {"tenant": "north"}, "user_id": "u-7", "custom_llm_extra_body": {"shard": 3}}
    async with at.connected(ada, **told) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Hello")
        await caller.answer()
    analysis = (await at.conversation(id))["analysis"]
    assert analysis["evaluation_criteria_results"]["polite"] == {
        "criteria_id": "polite", "result": "success", "rationale": "It was.",
    }  # fmt: skip
    assert len(at.llm.requests) == 3  # the answer, the criterion and the summary
    assert [headers["x-tenant"] for headers in at.llm.headers] == ["north"] * 3
    assert all(body["user_id"] == "u-7" for body in at.llm.requests)
    assert all(body["elevenlabs_extra_body"] == {"shard": 3} for body in at.llm.requests)
