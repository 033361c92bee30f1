"""Log messages to clients: what is about their own calls, from the level that they chose."""

from typing import Any

import anyio
import pytest
from dirty_equals import IsFloat
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import LoggingMessageNotificationParams

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.contract.agents import ListAgents
from callwright.http_server.serving import Listen, mcp_app
from callwright.mcp_server.server import build_server

from ..http_server.tokens_fixture import entering, served, token
from ..peers import serving
from ..transports import ERAS, MODERN, facts

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")]

Heard = list[tuple[str, str | None, Any]]


@pytest.fixture(autouse=True)
def _as_the_command_line_sets_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "callwright")


def listening(heard: Heard) -> Any:
    async def on_log(params: LoggingMessageNotificationParams) -> None:
        heard.append((params.level, params.logger, params.data))

    return on_log


def line(tool: str, effect: str, request_id: str) -> tuple[str, str, dict[str, Any]]:
    told = {"tool": tool, "principal": "local", "request_id": request_id, "effect": effect, "outcome": "done"}
    said = {"message": f"{tool} done", **told, "approval": "policy", "duration_ms": IsFloat(gt=0)}
    return "info", "callwright.calls", said


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_capability_is_declared(app: App, era: str) -> None:
    async with Client(build_server(app), mode=era) as client:
        assert client.server_capabilities.logging is not None


async def test_an_older_client_hears_from_the_level_that_it_sets(app: App) -> None:
    heard: Heard = []
    async with Client(build_server(app), mode="legacy", logging_callback=listening(heard)) as client:
        facts(await client.call_tool("list_agents", {}))
        assert heard == []
        await client.set_logging_level("info")  # pyright: ignore[reportDeprecated]
        facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
        assert heard == [line("create_agent", "create", "4")]
        await client.set_logging_level("warning")  # pyright: ignore[reportDeprecated]
        facts(await client.call_tool("list_agents", {}))
        assert len(heard) == 1


async def test_a_modern_client_hears_where_the_request_says_so(app: App) -> None:
    heard: Heard = []
    for level in ("info", "error", None):
        async with Client(
            build_server(app), mode=MODERN, log_level=level, logging_callback=listening(heard)
        ) as client:  # fmt: skip
            facts(await client.call_tool("list_agents", {}))
    assert [(level, data["tool"]) for level, _, data in heard] == [("info", "list_agents")]


async def test_a_modern_client_cannot_set_a_level(app: App) -> None:
    async with Client(build_server(app), mode=MODERN) as client:
        with pytest.raises(MCPError, match=r"[Mm]ethod not found|logging/setLevel"):
            await client.set_logging_level("info")  # pyright: ignore[reportDeprecated]


async def test_a_defect_is_told_without_its_reason(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: ListAgents) -> str:
        raise RuntimeError("token=kanarie-123456")

    monkeypatch.setattr(ListAgents, "url", fails)
    heard: Heard = []
    async with Client(build_server(app), mode="legacy", logging_callback=listening(heard)) as client:
        await client.set_logging_level("error")  # pyright: ignore[reportDeprecated]
        assert (await client.call_tool("list_agents", {})).is_error
    assert [(level, data["message"]) for level, _, data in heard] == [("error", "list_agents defect")]
    assert "kanarie" not in repr(heard)


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_hears_of_the_calls_of_others(app: App, era: str) -> None:
    mine, theirs = Principal("mine", workspace="mine"), Principal("theirs", workspace="theirs")
    heard: dict[str, Heard] = {"mine": [], "theirs": []}

    async def work(url: str, name: str) -> None:
        async with entering(url, token(name), era, on_log=listening(heard[name]), log_level="info") as client:
            if era != MODERN:
                await client.set_logging_level("info")  # pyright: ignore[reportDeprecated]
            for _ in range(5):
                facts(await client.call_tool("list_agents", {}))

    async with served(app, mine, theirs) as url, anyio.create_task_group() as tasks:
        for name in heard:
            tasks.start_soon(work, url, name)
    assert {name: {data["principal"] for _, _, data in said} for name, said in heard.items()} == {
        "mine": {"mine"},
        "theirs": {"theirs"},
    }
    assert [len(said) for said in heard.values()] == [5, 5]


async def test_a_server_without_sessions_promises_no_messages(app: App) -> None:
    async with serving(mcp_app(app, Listen(token=False, stateless=True)), lifespan="on") as url:
        async with Client(f"{url}/mcp", mode="legacy") as client:
            assert client.server_capabilities.logging is None
        heard: Heard = []
        async with Client(
            f"{url}/mcp", mode=MODERN, log_level="debug", logging_callback=listening(heard)
        ) as client:  # fmt: skip
            facts(await client.call_tool("list_agents", {}))
        assert heard == []
