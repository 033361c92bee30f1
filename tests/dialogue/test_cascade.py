"""Who is asked when a model fails: real endpoints over HTTP, one model name for each link."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from inline_snapshot import snapshot

from callwright.engine.dialogue.cascade import Cascade
from callwright.engine.dialogue.chat_completions import ChatCompletions
from callwright.engine.dialogue.llm import (
    LLM,
    Answer,
    LLMSettings,
    ModelFailed,
    Piece,
    Request,
    Text,
    ToolCall,
    complete,
)
from callwright.net.http import http_client

from .llm_peer import JSON, Call, Fault, Peer, Raw, Reply, Say, peer

pytestmark = pytest.mark.anyio

ASKED = Request([{"role": "user", "content": "Hello"}])
FAILURES = {
    "a refused request": Fault(400),
    "a refused key": Fault(401),
    "a limit": Fault(429),
    "a broken server": Fault(500),
    "an error in the stream": Say(error="Internal error occurred!"),
    "an empty answer": Say(),
    "blanks": Say("  "),
    "another format": Raw("data: {nonsense\n\n"),
    "silence": Say(stalls=True),
}


@dataclass
class Chain:
    """Models `a`, `b` and so on at one endpoint, behind each other."""

    at: Peer
    llm: LLM
    made: list[str]
    waited: list[float] = field(default_factory=list[float])

    @property
    def asked(self) -> str:
        return "".join(request["model"] for request in self.at.requests)


@asynccontextmanager
async def chain(replies: dict[str, list[Reply]], **chosen: int) -> AsyncGenerator[Chain]:
    """Each model gives its replies in order, the last one for ever."""
    left = {name: list(one) for name, one in replies.items()}
    made: list[str] = []
    waited: list[float] = []

    def reply(request: JSON) -> Reply:
        mine = left[request["model"]]
        return mine.pop(0) if len(mine) > 1 else mine[0]

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with peer(reply) as at, http_client() as client:
        built: dict[str, LLM] = {}

        def link(name: str) -> LLM:
            if name not in built:
                made.append(name)
                built[name] = ChatCompletions(LLMSettings(at.base_url, name, silence_seconds=0.3), client)
            return built[name]

        llm = Cascade([partial(link, name) for name in replies], sleep=sleep, backoff_seconds=1, **chosen)
        yield Chain(at, llm, made, waited)


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("failing", [1, 2])
async def test_whatever_fails_the_next_model_answers_at_once(kind: str, failing: int) -> None:
    broken = {name: [FAILURES[kind]] for name in "ab"[:failing]}
    async with chain({**broken, "c": [Say("At last", model="c")]}) as found:
        answer = await complete(found.llm, ASKED)
    assert (answer.text, answer.model) == ("At last", "c")
    assert (found.asked, found.waited) == ("abc"[:failing] + "c", [])


async def test_what_is_not_needed_is_not_made() -> None:
    async with chain({"a": [Say("Hi")], "b": [Say("no")], "c": [Say("no")]}) as found:
        await complete(found.llm, ASKED)
        assert found.made == ["a"]


async def test_a_tool_call_without_words_is_an_answer() -> None:
    async with chain({"a": [Say(calls=(Call("end_call"),))], "b": [Say("no")]}) as found:
        answer = await complete(found.llm, ASKED)
    assert answer == Answer("", [ToolCall("call_1", "end_call", "{}")], "peer-1", answer.usage)
    assert found.asked == "a"


@pytest.mark.parametrize(
    ("links", "attempts", "asked"),
    [
        ("a", 3, "aaa"),
        ("ab", 3, "abb"),
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("abc", 5, "abcbc"),
        ("abc", 6, "abcbcb"),
    ],
)
async def test_backups_are_tried_again_when_there_are_no_others_left(links: str, attempts: int, asked: str) -> None:
    async with chain({name: [Fault(500)] for name in links}, attempts=attempts) as found:
        with pytest.raises(ModelFailed):
            await complete(found.llm, ASKED)
    assert found.asked == asked


@pytest.mark.parametrize("status", [400, 401])
async def test_a_model_that_refuses_is_never_asked_the_same_again(status: int) -> None:
    refuses: list[Reply] = [Fault(status)]
    breaks: list[Reply] = [Fault(500)]
    for replies, asked in (
        ({"a": refuses}, "a"),
        ({"a": refuses, "b": refuses}, "ab"),
        ({"a": breaks, "b": refuses}, "abaaa"),
        ({"a": refuses, "b": refuses, "c": breaks}, "abccc"),
    ):
        async with chain(replies, attempts=5) as found:
            with pytest.raises(ModelFailed):
                await complete(found.llm, ASKED)
        assert found.asked == asked


async def test_the_same_model_is_left_alone_for_as_long_as_it_wants_and_longer_each_time() -> None:
    slow = Fault(429, headers={"retry-after": "7"})
    async with chain({"a": [slow, Fault(500), Fault(500), Say("Hi")]}, attempts=4) as found:
        await complete(found.llm, ASKED)
    assert found.waited[0] == 7
    assert 2 <= found.waited[1] <= 3
    assert 4 <= found.waited[2] <= 6


async def test_a_backup_that_comes_round_again_is_left_alone_first() -> None:
    slow = Fault(429, headers={"retry-after": "7"})
    async with chain({"a": [Fault(500)], "b": [slow, Say("Hi")]}) as found:
        await complete(found.llm, ASKED)
    assert (found.asked, found.waited) == ("abb", [7])


@pytest.mark.parametrize("broken", [Say("So far ", error="overloaded"), Say("So far ", stalls=True)], ids=repr)
async def test_nobody_takes_over_what_was_begun_aloud(broken: Say) -> None:
    heard: list[Piece] = []

    async def listen(llm: LLM) -> None:
        async with aclosing(llm.stream(ASKED)) as pieces:
            async for piece in pieces:
                heard.append(piece)  # noqa: PERF401 (what came before the failure is the point)

    async with chain({"a": [broken], "b": [Say("again")]}) as found:
        with pytest.raises(ModelFailed):
            await listen(found.llm)
    assert heard == [Text("So "), Text("far ")]
    assert found.asked == "a"


async def test_when_nobody_answers_each_model_says_why() -> None:
    async with chain({"a": [Fault(429)], "b": [Fault(401)], "c": [Say()]}) as found:
        with pytest.raises(ModelFailed) as caught:
            await complete(found.llm, ASKED)
    assert caught.value.http_status == 429
    assert str(caught.value).replace(found.at.base_url[7:-3], "HOST") == snapshot(
        'The language model "a" at HOST answered 429 (fault 429). Wait, or raise the limits at that endpoint. The language model "b" at HOST answered 401. Check the API key of the language model. The language model "c" at HOST gave an empty answer. Attempts: 3.'
    )


REPLIES: dict[str, Callable[[str], Reply]] = {
    "answers": lambda name: Say(f"{name} says yes"),
    "breaks off": lambda name: Say(f"{name} says", error="overloaded"),
    "calls": lambda name: Say(calls=(Call(name),)),
    "is empty": lambda _: Say(" "),
    "fails": lambda _: Fault(503),
    "refuses": lambda _: Fault(400),
}


@examples(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(sorted(REPLIES)), min_size=1, max_size=3), min_size=1, max_size=4))
def test_what_is_handed_on_comes_from_one_model_whatever_the_models_do(behaviour: list[list[str]]) -> None:
    async def listen() -> None:
        names = "abcd"[: len(behaviour)]
        replies = {n: [REPLIES[kind](n) for kind in kinds] for n, kinds in zip(names, behaviour, strict=True)}
        heard, failed = Answer(), False
        async with chain(replies, attempts=6) as found:
            try:
                async with aclosing(found.llm.stream(ASKED)) as pieces:
                    async for piece in pieces:
                        match piece:
                            case Text(text):
                                heard.text += text
                            case ToolCall():
                                heard.tool_calls.append(piece)
                            case _:
                                pass
            except ModelFailed:
                failed = True
        speakers = [n for n in names if heard.text and f"{n} says yes".startswith(heard.text)]
        callers = [call.name for call in heard.tool_calls]
        assert len(speakers + callers) == (1 if heard.text or heard.tool_calls else 0)
        assert failed == (not callers and heard.text not in [f"{n} says yes" for n in names])
        if speakers or callers:
            assert found.asked[-1] == (speakers + callers)[0], "nobody is asked after somebody was heard"

    anyio.run(listen)
