"""What a client is told where no model answers."""

import json
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON, Fault, Reply, Say, peer

from .talking import Stage, stage

pytestmark = pytest.mark.anyio


async def told(at: Stage, **prompt: object) -> tuple[str, int]:
    """The kind of error that ends a conversation with the first question, and the code."""
    async with at.connected(await at.agent({"agent": {"prompt": prompt}})) as caller:
        await caller.answer()
        await caller.say("Hi")
        error, (code, _) = await caller.refusal()
    return error["error_type"], code


async def test_a_model_that_is_too_slow_is_told_from_one_that_fails(tmp_path: Path) -> None:
    def silent(_: JSON) -> Reply:
        return Say(stalls=True)

    async with stage(tmp_path, silent, llm_attempts=1, llm_silence_seconds=1) as at:
        assert await told(at) == ("llm_timeout", 1002)


async def test_an_endpoint_of_the_agents_own_is_told_from_other_models(tmp_path: Path) -> None:
    async with stage(tmp_path, lambda _: Fault(401), with_model=False, allow_private=("127.0.0.1",)) as at:
        assert await told(at, llm="custom-llm", custom_llm={"url": at.llm.base_url}) == ("custom_llm_error", 1002)


async def test_a_model_that_fails_with_all_its_backups_is_told_from_one_that_has_none(tmp_path: Path) -> None:
    routes = tmp_path / "routes.json"
    async with peer(lambda _: Fault(401)) as llm:
        routes.write_text(json.dumps({name: {"base_url": llm.base_url} for name in ("gpt-4o", "gpt-4o-mini")}))
        async with stage(tmp_path / "home", lambda _: Say(), llm_routes=routes, with_model=False) as at:
            assert await told(at, llm="gpt-4o-mini") == ("cascade_brain_error", 1002)
            assert await told(at, llm="gpt-4o") == ("llm_error", 1002)
    assert [request["model"] for request in llm.requests] == ["gpt-4o-mini", "gpt-4o", "gpt-4o"]
