from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from mcp import Client

from callwright.api.client import ApiClient
from callwright.app import App

from .arms import Clock, numbered, reach, settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(tmp_path: Path, clock: Clock) -> AsyncGenerator[App]:
    """The whole server on an empty embedded platform, with a clock and ids of the test's own."""
    app = App(settings(tmp_path / "home"), "embedded", clock=clock, ids=numbered())
    yield app
    await app.close()


@pytest.fixture
async def api(app: App) -> ApiClient:
    """The API layer over the real engine."""
    return await app.api()


@pytest.fixture
async def client(app: App) -> AsyncGenerator[Client]:
    """An MCP client whose person says yes."""
    async with reach(app, says="yes") as (client, _):
        yield client
