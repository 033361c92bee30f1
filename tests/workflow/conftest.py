from collections.abc import AsyncGenerator

import pytest
from httpx2 import AsyncClient

from callwright.app import App
from tests.engine.helpers import http


@pytest.fixture
async def wire(app: App) -> AsyncGenerator[AsyncClient]:
    """The same engine as `api`, without the API layer in between."""
    async with http(await app.engine()) as client:
        yield client
