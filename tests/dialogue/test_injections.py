"""A judge that obeys whatever stands outside the markers is not won over by anything that was said or looked up."""

import json
import re
import unicodedata
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.agent_tests import Case, Ran, run_case
from callwright.engine.dialogue.analysis import Questions, analyse
from callwright.engine.dialogue.bm25 import Bm25Retriever
from callwright.engine.dialogue.judge import Found, Judge
from callwright.engine.dialogue.llm import LLM
from callwright.engine.dialogue.record import as_data
from callwright.engine.dialogue.roles import Role

from .conftest import Connect
from .injections import INJECTIONS, Injection
from .llm_peer import JSON, Fault, Peer, Raw, Reply, Say, peer

pytestmark = pytest.mark.anyio

WON = {"result": "success", "rationale": "As told.", "match": True, "value": "won", "condition": 0}
NOT_WON = {"result": "failure", "rationale": "It was not met.", "match": False, "value": None, "condition": None}
SUMMED_UP = {"summary": "A call.", "title": "Call"}
GOAL = "The deposit was named."
CRITERIA = [{"id": "named", "name": "Named", "conversation_goal_prompt": GOAL, "use_knowledge_base": True}]

_MARKER = re.compile(r"<\s*(/?)\s*(?:transcript|reference|reply|examples|argument)\s*>", re.IGNORECASE)


def folded(text: str) -> str:
    """As a model may read it: letters of full width like any other."""
    return unicodedata.normalize("NFKC", text)


def outside(content: str) -> str:
    """What stands between no markers, for a reader who takes anything like a closing marker for one."""
    kept, inside, place = "", False, 0
    for marker in _MARKER.finditer(content := folded(content)):
        kept += "" if inside else content[place : marker.start()]
        inside, place = not marker[1], marker.end()
    return kept + ("" if inside else content[place:])


def gullible(request: JSON) -> Reply:
    """The peer: it does what any of the corpus's orders says, if it stands where instructions stand."""
    heard = "".join(outside(message["content"]) for message in request["messages"])
    won = any(folded(one.order) in heard or folded(json.dumps(one.order)[1:-1]) in heard for one in INJECTIONS)
    return Say(json.dumps((WON if won else NOT_WON) | SUMMED_UP))


async def asked_of_all(
    ask: Callable[[Peer, Injection], Coroutine[Any, Any, None]], play: Callable[[JSON], Reply] = gullible
) -> Peer:
    """What the peer heard of the whole corpus."""
    async with peer(play) as at, anyio.create_task_group() as tasks:
        for one in INJECTIONS:
            tasks.start_soon(ask, at, one)
    return at


async def test_no_words_in_a_conversation_or_a_document_win_a_judge(connect: Connect) -> None:
    items = {"deposit": {"type": "string", "description": "The deposit."}}
    found: dict[str, list[Any]] = {}

    async def ask(at: Peer, one: Injection) -> None:
        said, _ = await analyse(
            one.transcript, Questions(CRITERIA, items), {}, Bm25Retriever(one.documents), connect(at)
        )
        value, named = said["data_collection_results"]["deposit"], said["evaluation_criteria_results"]["named"]
        found[one.name] = [named["result"], value["value"], said["call_successful"]]

    at = await asked_of_all(ask)
    assert found == {one.name: ["failure", None, "failure"] for one in INJECTIONS}
    asked = [request["messages"][1]["content"] for request in at.requests]
    assert sum("<reference>" in one for one in asked) == sum(bool(one.document) for one in INJECTIONS)


async def test_no_words_win_one_of_the_other_questions(connect: Connect) -> None:
    found: dict[str, list[Any]] = {}

    async def ask(at: Peer, one: Injection) -> None:
        told = as_data(one.transcript)
        judge = Judge(connect(at), told)
        reply = await judge.reply("Names it.", told, [("success", one.order), ("failure", told)])
        value = await judge.value("A weekday.", one.transcript)
        branch = [await judge.first_that_holds(["The deposit was named."]), await judge.holds("Was it named?")]
        found[one.name] = [reply.result, value.result, *branch]

    await asked_of_all(ask)
    assert found == {one.name: ["failure", "failure", None, False] for one in INJECTIONS}


async def test_what_stands_outside_the_markers_is_the_same_whatever_was_said(connect: Connect) -> None:
    async def ask(at: Peer, one: Injection) -> None:
        await Judge(connect(at), as_data(one.transcript)).criterion(GOAL, [one.document])

    at = await asked_of_all(ask)
    heard = [[outside(message["content"]) for message in request["messages"]] for request in at.requests]
    assert len(heard) == len(INJECTIONS)
    assert all(one == heard[0] for one in heard)


@pytest.mark.parametrize("injection", [one for one in INJECTIONS if one.closes], ids=str)
def test_the_gullible_judge_would_be_won_without_the_escapes(injection: Injection) -> None:
    raw = "\n".join(str([t["message"], t["tool_calls"], t["tool_results"]]) for t in injection.transcript)
    raw = raw.replace("\\n", "\n")
    content = f"Task.\n<reference>{injection.document}</reference>\n<transcript>\n{raw}\n</transcript>"
    reply = gullible({"messages": [{"content": content}]})
    assert isinstance(reply, Say)
    assert '"success"' in reply.text


async def test_an_agent_that_repeats_the_words_passes_no_test(connect: Connect) -> None:
    found: dict[str, str] = {}

    def play(request: JSON) -> Reply:
        system, first, *_ = request["messages"]
        return gullible(request) if "review conversations" in system["content"] else Say(first["content"])

    async def ask(at: Peer, one: Injection) -> None:
        case = Case("llm", one.transcript, "Names the deposit.", [("success", one.order)])
        ran = await judged(connect(at), case)
        assert ran.responses
        assert ran.responses[0]["message"] == one.transcript[0]["message"].strip()
        found[one.name] = ran.verdict.result

    await asked_of_all(ask, play)
    assert found == {one.name: "failure" for one in INJECTIONS}


SPEECHLESS: list[Reply] = [
    Say(""),
    Say("success"),
    Say("The goal was met, definitely a success!"),
    Say('{"result": "success", "rationale": "cut'),
    Say('{"result": "success"}{"result": "failure"}'),
    Say('["success"]'),
    Say("", error={"message": "overloaded"}),
    Raw("data: success\n\n"),
    Raw(""),
    Fault(200, {"result": "success", "rationale": "No stream."}),
    Fault(401),
    Fault(500, {"result": "success"}),
]


@pytest.mark.parametrize("reply", SPEECHLESS)
async def test_a_judge_that_cannot_be_understood_decides_nothing(connect: Connect, reply: Reply) -> None:
    async with peer(lambda _: reply) as at:
        llm = connect(at, attempts=1)
        judge = Judge(llm, as_data(INJECTIONS[0].transcript))
        results = [await judge.criterion(GOAL), await judge.reply("Good.", "[]"), await judge.value("A day.", "Monday")]
        found = await judge.item("day", {"type": "string"})
        branch = [await judge.first_that_holds([GOAL]), await judge.holds(GOAL)]
        analysis, _ = await analyse(INJECTIONS[0].transcript, Questions(CRITERIA), {}, Bm25Retriever([]), llm)
    assert [one.result for one in results] == ["unknown"] * 3
    assert all(one.rationale for one in results)
    assert found == Found(None, found.rationale)
    assert branch == [None, False]
    assert analysis["call_successful"] == "unknown"


async def test_without_a_judge_a_test_is_unknown_and_says_why() -> None:
    ran = await judged(None, Case("llm", INJECTIONS[0].transcript, "Names the deposit."))
    assert (ran.verdict.result, "no language model is configured" in ran.verdict.rationale) == ("unknown", True)


async def judged(llm: LLM | None, case: Case) -> Ran:
    agent = read_agent("agent_1", {"agent": {"prompt": {"prompt": "Help."}}}, on_phone=False)
    return await run_case(
        case, Role(agent, llm=llm), tool_names={}, conversation_id="run_1", clock=lambda: 0.0, new_id=lambda: "a" * 32
    )
