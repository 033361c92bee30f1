"""Streams whose chunks hold something else than what stands there in the chat-completions format."""

import json
from typing import Any

import pytest

from callwright.engine.dialogue.llm import ModelFailed, Request, ToolCall, Usage, complete

from .conftest import Connect
from .llm_peer import JSON, Raw, peer, script

pytestmark = pytest.mark.anyio

ASKED = Request([{"role": "user", "content": "Hello"}])


def streamed(*chunks: JSON) -> Raw:
    return Raw("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n")


def says(**delta: Any) -> JSON:
    return {"choices": [{"index": 0, "delta": delta}]}


WRONG: list[JSON] = [
    {"usage": {"prompt_tokens": "many"}},
    {"usage": {"prompt_tokens": {"sum": 3}}},
    {"usage": {"completion_tokens": -1}},
    {"usage": {"completion_tokens": float("inf")}},
    {"usage": {"prompt_tokens": 10**400}},
    {"usage": {"prompt_tokens_details": {"cached_tokens": float("nan")}}},
    {"usage": 7},
    {"model": ["m"], **says(content="x")},
    says(tool_calls=[{"index": 0, "id": {"n": 1}, "function": {"name": "f"}}]),
    says(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"city": "Oslo"}}}]),
]


@pytest.mark.parametrize("chunk", WRONG, ids=lambda chunk: str(chunk)[:60])
async def test_a_chunk_that_is_not_in_the_format_is_a_failure_of_the_model(connect: Connect, chunk: JSON) -> None:
    async with peer(script(streamed(says(content="Hi"), chunk))) as at:
        with pytest.raises(ModelFailed, match="not in the chat-completions format"):
            await complete(connect(at), ASKED)


async def test_numbers_as_text_and_ids_as_numbers_are_understood(connect: Connect) -> None:
    call = {"index": 0, "id": 7, "function": {"name": "find", "arguments": '{"city": '}}
    rest = {"index": 0, "id": 7, "function": {"arguments": '"Oslo"}'}}
    usage = {"prompt_tokens": "11", "completion_tokens": 4.0, "prompt_tokens_details": {"cached_tokens": None}}
    counted: JSON = {"choices": [], "usage": usage}
    async with peer(script(streamed(says(tool_calls=[call]), says(tool_calls=[rest]), counted))) as at:
        answer = await complete(connect(at), ASKED)
    assert answer.tool_calls == [ToolCall("7", "find", '{"city": "Oslo"}')]
    assert answer.usage == Usage(11, 4, 0)
