import os
from collections.abc import AsyncGenerator
from pathlib import Path

import hypothesis
import pytest
from mcp import Client

from callwright.api.client import ApiClient
from callwright.app import App

from .arms import Clock, numbered, reach, settings

# No test may write into the keyring of whoever runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
# Nor act on a real account, or read somebody's settings.
for name in [n for n in os.environ if n.startswith(("CALLWRIGHT_", "ELEVENLABS_"))]:
    del os.environ[name]


# The same examples in every run, and no verdict by the clock: a busy machine is no defect.
hypothesis.settings.register_profile(
    "callwright", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("callwright")


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
