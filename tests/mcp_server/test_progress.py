"""A client that asked for progress hears that a long call is alive."""

from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from callwright.app import App
from callwright.toolkit import toolset

from ..peers import serving
from ..transports import ERAS, facts, reach, settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_a_rehearsal_that_waits_for_its_model_reports_progress(
    tmp_path: Path, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolset, "HEARTBEAT_SECONDS", 0.01)
    beats: list[str | None] = []
    steps: list[float] = []
    alive = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)
        beats.append(message)
        if message and message.startswith("working for"):
            alive.set()

    async def model(_: Request) -> JSONResponse:
        await alive.wait()  # it answers (with a refusal) only after the client has heard of progress
        return JSONResponse({"error": {"message": "no such model"}}, status_code=400)

    async with serving(Starlette(routes=[Route("/v1/chat/completions", model, methods=["POST"])])) as url:
        app = App(settings(tmp_path, llm_base_url=f"{url}/v1", llm_model="m"), "embedded")
        async with reach(app, era) as (client, _):
            agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
            arguments = {"agent_id": agent["agent_id"], "caller": "hello"}
            with anyio.fail_after(20):
                done = facts(await client.call_tool("simulate_conversation", arguments, progress_callback=on_progress))
    assert steps == sorted(set(steps))
    assert {beat for beat in beats if beat and not beat.startswith("working for")} == {"turn 1: agent"}
    assert done["analysis"]["call_successful"] == "unknown"
    assert "no such model" in done["ended_because"]
