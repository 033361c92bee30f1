"""The model client against a loopback endpoint, over real HTTP."""

import sys
from contextlib import aclosing
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr

from callwright.engine.dialogue.cascade import Cascade
from callwright.engine.dialogue.chat_completions import ANSWER_LIMIT, ChatCompletions
from callwright.engine.dialogue.llm import (
    LLM,
    Answer,
    LLMSettings,
    ModelFailed,
    Piece,
    Request,
    Text,
    ToolCall,
    Usage,
    complete,
)
from callwright.net.http import http_client
from callwright.net.pinned import guarded_client

from .conftest import KEY, Connect
from .llm_peer import Call, Fault, Peer, Raw, Say, peer, script

pytestmark = pytest.mark.anyio

ASKED = Request([{"role": "user", "content": "Hello"}])
COUNTED = {"prompt_tokens": 11, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}


async def failure(connect: Connect, at: Peer, **settings: object) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await complete(connect(at, **settings), ASKED)
    return caught.value


async def test_text_arrives_in_pieces_that_join_verbatim(connect: Connect) -> None:
    async with peer(script(Say("One moment... Yes.  Done", usage=COUNTED))) as at:
        pieces = [p async for p in connect(at).stream(ASKED)]
    assert [p.text for p in pieces if isinstance(p, Text)] == ["One ", "moment... ", "Yes. ", " ", "Done"]


async def test_the_usage_that_the_endpoint_counts_is_kept(connect: Connect) -> None:
    async with peer(script(Say("Hello there", usage=COUNTED))) as at:
        answer = await complete(connect(at), ASKED)
    assert answer == Answer("Hello there", [], "peer-1", Usage(11, 4, cached=8))


async def test_usage_is_estimated_at_four_characters_a_token_where_nobody_counts(connect: Connect) -> None:
    async with peer(script(Say("12345678"))) as at:
        answer = await complete(connect(at), ASKED)
    assert answer.usage == snapshot(Usage(input=11, output=2, cached=0, estimated=True))


async def test_a_request_carries_what_was_set_and_nothing_else(connect: Connect) -> None:
    tool: dict[str, Any] = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
    }
    async with peer(script(Say("Hi"))) as at:
        llm = connect(at)
        await complete(llm, ASKED)
        await complete(llm, Request([], [tool], "f", 0.2, 50, "low", as_json=True))
    assert at.requests == snapshot(
        [
            {
                "messages": [{"role": "user", "content": "Hello"}],
                "model": "wanted-model",
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            {
                "messages": [],
                "model": "wanted-model",
                "max_tokens": 50,
                "reasoning_effort": "low",
                "response_format": {"type": "json_object"},
                "stream": True,
                "stream_options": {"include_usage": True},
                "temperature": 0.2,
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "tools": [
                    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
                ],
            },
        ]
    )


async def test_nothing_of_another_account_in_the_environment_is_sent(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "ambient-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-ambient: ambient-secret")
    async with peer(script(Say("Hi"))) as at:
        await complete(connect(at), ASKED)
    assert "ambient" not in str(at.headers)
    assert at.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("ending", ["", "/", "/chat/completions", "/chat/completions/"])
async def test_every_usual_form_of_the_base_url_works(connect: Connect, ending: str) -> None:
    async with peer(script(Say("Hi"))) as at:
        assert (await complete(connect(at, base_url=at.base_url + ending), ASKED)).text == "Hi"


PARALLEL = {
    "numbered and interleaved": (
        Call("find", '{"city": "Oslo"}', "a", 0),
        Call("book", '{"seats": 2}', "b", 1),
    ),
    "all numbered zero": (
        Call("find", '{"city": "Oslo"}', "a", 0, pieces_of=0),
        Call("book", '{"seats": 2}', "b", 0, pieces_of=0),
    ),
    "without numbers": (
        Call("find", '{"city": "Oslo"}', "a", None),
        Call("book", '{"seats": 2}', "b", None),
    ),
}


@pytest.mark.parametrize("way", PARALLEL)
async def test_parallel_tool_calls_split_over_chunks_are_put_together(connect: Connect, way: str) -> None:
    async with peer(script(Say("Let me look. ", PARALLEL[way]))) as at:
        answer = await complete(connect(at), ASKED)
    assert answer.tool_calls == [ToolCall("a", "find", '{"city": "Oslo"}'), ToolCall("b", "book", '{"seats": 2}')]


async def test_a_tool_call_alone_is_no_empty_answer(connect: Connect) -> None:
    async with peer(script(Say(calls=(Call("end_call", ""),)))) as at:
        answer = await complete(connect(at), ASKED)
    assert answer.tool_calls == [ToolCall("call_1", "end_call", "{}")]


@pytest.mark.parametrize(
    "trouble",
    [
        Fault(429),
        Fault(500),
        Fault(503),
        Say(error="Internal error occurred!"),
        Say(),
        Say("  "),
        Raw("data: {nonsense\n\n"),
    ],
    ids=repr,
)
async def test_trouble_that_may_pass_is_tried_again(connect: Connect, trouble: Fault | Say | Raw) -> None:
    async with peer(script(trouble, trouble, Say("At last"))) as at:
        assert (await complete(connect(at), ASKED)).text == "At last"
    assert len(at.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_not_tried_again(connect: Connect, status: int) -> None:
    async with peer(script(Fault(status))) as at:
        assert (await failure(connect, at)).http_status == status
    assert len(at.requests) == 1


async def test_a_failure_names_model_host_status_and_remedy(connect: Connect) -> None:
    async with peer(script(Fault(429))) as at:
        failed = await failure(connect, at)
    assert str(failed).replace(at.base_url[7:-3], "HOST") == snapshot(
        'The language model "wanted-model" at HOST answered 429 (fault 429). Wait, or raise the limits at that endpoint. Attempts: 3.'
    )


@pytest.mark.parametrize("status", [400, 401, 500])
async def test_a_key_that_the_endpoint_repeats_is_not_repeated(connect: Connect, status: int) -> None:
    async with peer(script(Fault(status, {"error": {"message": f"Wrong key {KEY} given"}}))) as at:
        failed = await failure(connect, at)
    assert KEY not in f"{failed!r} {failed.__cause__!r} {failed.__context__!r}"


async def test_nothing_is_tried_again_after_text_was_handed_on(connect: Connect) -> None:
    heard: list[Piece] = []

    async def listen(llm: LLM) -> None:
        async with aclosing(llm.stream(ASKED)) as pieces:
            async for piece in pieces:
                heard.append(piece)  # noqa: PERF401 (what came before the failure is the point)

    async with peer(script(Say("So far so", error={"message": "overloaded"}), Say("again"))) as at:
        with pytest.raises(ModelFailed, match="broke off"):
            await listen(connect(at))
    assert heard == [Text("So "), Text("far "), Text("so")]
    assert len(at.requests) == 1


async def test_a_silent_endpoint_is_given_up(connect: Connect) -> None:
    async with peer(script(Say(stalls=True))) as at:
        failed = await failure(connect, at, attempts=1, silence_seconds=0.05)
        await at.hung_up.wait()
    assert "gave no answer in time" in str(failed)


async def test_an_endless_answer_is_given_up(connect: Connect) -> None:
    async with peer(script(Say("word " * 20, stalls=True))) as at:
        assert "in time" in str(await failure(connect, at, answer_seconds=0.2))


async def test_an_answer_that_goes_on_and_on_is_stopped(connect: Connect) -> None:
    async with peer(script(Say("x" * ANSWER_LIMIT + " x", stalls=True))) as at:
        failed = await failure(connect, at)
        await at.hung_up.wait()
    assert "more than 200,000 characters" in str(failed)


async def test_an_endpoint_that_is_not_there_is_named(connect: Connect) -> None:
    failed = await failure(connect, Peer(script(Say()), "http://127.0.0.1:9/v1"))
    assert "127.0.0.1:9 could not be reached" in str(failed)


async def test_an_address_that_the_guard_refuses_is_told_as_such_and_not_tried_again() -> None:
    async with guarded_client() as client:
        llm = ChatCompletions(LLMSettings("http://127.0.0.1:9/v1", "m", SecretStr("")), client)
        with pytest.raises(ModelFailed, match=r"may not be called: .*127\.0\.0\.1"):
            await complete(llm, ASKED)


async def test_cancelling_closes_the_stream_upstream(connect: Connect) -> None:
    async with peer(script(Say("Well, ", stalls=True))) as at:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(complete, connect(at), ASKED)
            await at.stalled.wait()
            tasks.cancel_scope.cancel()
        await at.hung_up.wait()


@pytest.mark.parametrize(
    "name", ["stream_options", "response_format", "temperature", "reasoning_effort", "tool_choice", "user_id"]
)
async def test_a_parameter_that_the_endpoint_refuses_is_left_out_from_then_on(connect: Connect, name: str) -> None:
    def answer(request: dict[str, object]) -> Say | Fault:
        return Fault(400, {"error": {"message": f"Unknown parameter: {name}"}}) if name in request else Say("Fine")

    async with peer(answer) as at:
        llm = connect(at, body={"user_id": "bo", "elevenlabs_extra_body": {"a": 1}})
        tool: dict[str, Any] = {
            "type": "function",
            "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
        }
        request = Request(ASKED.messages, [tool], "f", 0.5, reasoning_effort="low", as_json=True)
        assert [(await complete(llm, request)).text for _ in range(2)] == ["Fine", "Fine"]
    assert len(at.requests) == 3
    assert at.requests[0].keys() - at.requests[2].keys() == {name}


async def test_the_newer_name_of_the_token_limit_is_found(connect: Connect) -> None:
    def answer(request: dict[str, object]) -> Say | Fault:
        refusal = {"error": {"message": "Unsupported: use max_completion_tokens instead", "param": "max_tokens"}}
        return Fault(400, refusal) if "max_tokens" in request else Say("Fine")

    async with peer(answer) as at:
        await complete(connect(at), Request(ASKED.messages, max_tokens=9))
    assert at.requests[-1]["max_completion_tokens"] == 9


async def test_a_wait_that_the_endpoint_asks_for_is_kept() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with peer(script(Fault(429, headers={"retry-after": "7"}), Say("Hi"))) as at, http_client() as client:
        one = ChatCompletions(LLMSettings(at.base_url, "m"), client)
        await complete(Cascade([lambda: one], sleep=sleep), ASKED)
    assert waited == [7]


async def test_the_client_does_not_walk_through_what_it_sends(connect: Connect) -> None:
    """Its steps, counted by the interpreter, are as many for a long conversation as for a short one."""
    steps: list[int] = []

    def count(frame: Any, event: str, _: object) -> None:
        if event == "call" and "/callwright/" in frame.f_code.co_filename.replace("\\", "/"):
            steps[-1] += 1

    async with peer(script(*[Say("Hi", usage=COUNTED)] * 3)) as at:
        llm = connect(at)
        await complete(llm, ASKED)  # what is only done once
        for length in (2, 200):
            steps.append(0)
            sys.setprofile(count)
            try:
                await complete(llm, Request([{"role": "user", "content": "Hello"}] * length))
            finally:
                sys.setprofile(None)
    assert steps[0] > 0
    assert steps[1] - steps[0] < 20
