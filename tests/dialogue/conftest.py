from collections.abc import AsyncGenerator, Callable

import pytest
from pydantic import SecretStr

from callwright.engine.dialogue.cascade import Cascade
from callwright.engine.dialogue.chat_completions import ChatCompletions
from callwright.engine.dialogue.llm import LLM, LLMSettings
from callwright.net.http import http_client

from .llm_peer import Peer

KEY = "sk-loopback-key-9f31"
Connect = Callable[..., LLM]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Make a model out of a peer; `**settings` are fields of LLMSettings, and `attempts`."""
    async with http_client() as client:

        def made(at: Peer, *, attempts: int = 3, **settings: object) -> LLM:
            chosen = {"base_url": at.base_url, "model": "wanted-model", "api_key": SecretStr(KEY)} | settings
            one = ChatCompletions(LLMSettings(**chosen), client)  # pyright: ignore[reportArgumentType]
            return Cascade([lambda: one], attempts=attempts, backoff_seconds=0)

        yield made
