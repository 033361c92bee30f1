from collections.abc import AsyncGenerator, Callable

import pytest
from pydantic import SecretStr

from callwright.engine.dialogue.chat_completions import ChatCompletions
from callwright.engine.dialogue.llm import LLMSettings
from callwright.net.http import http_client

from .llm_peer import Peer

KEY = "sk-loopback-key-9f31"
Connect = Callable[..., ChatCompletions]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Make a model out of a peer; `**settings` are fields of LLMSettings."""
    async with http_client() as client:

        def made(at: Peer, **settings: object) -> ChatCompletions:
            chosen = {
                "base_url": at.base_url,
                "model": "wanted-model",
                "api_key": SecretStr(KEY),
                "backoff_seconds": 0.0,
            }
            return ChatCompletions(LLMSettings(**(chosen | settings)), client)  # pyright: ignore[reportArgumentType]

        yield made
