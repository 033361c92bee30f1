"""A rehearsal to play, its parts on a loopback LLM, and its transcript in a few words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from callwright.engine.dialogue.agent import Agent, read_agent
from callwright.engine.dialogue.analysis import read_questions
from callwright.engine.dialogue.llm import LLM
from callwright.engine.dialogue.passages import Document
from callwright.engine.dialogue.record import Turn
from callwright.engine.dialogue.roles import Role
from callwright.engine.dialogue.simulation import Rehearsal, Simulated, simulate
from callwright.engine.dialogue.tools import Mock

from .llm_peer import JSON, Call, Reply, Say

MANUAL = Document(
    "doc_1", "Rental terms", "# Deposits\n\nThe deposit for a canoe is forty euros.\n\nReturn it by noon."
)


PROMPT: JSON = {
    "prompt": "You rent out canoes for {{shop}}.",
    "llm": "gpt-4o",
    "temperature": 0.3,
    "knowledge_base": [{"type": "text", "name": "Rental terms", "id": "doc_1", "usage_mode": "auto"}],
    "built_in_tools": {
        "end_call": {"name": "end_call", "params": {"system_tool_type": "end_call"}},
        "transfer_to_agent": None,
    },
    "tools": [
        {
            "type": "webhook",
            "name": "free_canoes",
            "description": "Counts free canoes.",
            "api_schema": {
                "url": "https://example.com/free/{day}",
                "path_params_schema": {"day": {"type": "string", "description": "A weekday."}},
                "query_params_schema": {"properties": {"shop": {"type": "string", "constant_value": "north"}}},
            },
        },
        {"type": "client", "name": "show_map", "description": "Shows the map."},
    ],
}


CONFIG: JSON = {"agent": {"first_message": "Hello, {{shop}} here.", "language": "en", "prompt": PROMPT}}


USER: JSON = {"prompt": {"prompt": "- Is a canoe free on Friday?\n- What is the deposit?", "llm": "gpt-4o"}}


SETTINGS: JSON = {
    "evaluation": {
        "criteria": [{"id": "polite", "name": "Polite", "type": "prompt", "conversation_goal_prompt": "It was polite."}]
    },
    "data_collection": {
        "day": {"type": "string", "description": "The wanted day."},
        "shop": {"type": "string", "dynamic_variable": "shop"},
    },
}


EXTRA = [
    {"id": "informed", "name": "Informed", "conversation_goal_prompt": "Told the deposit.", "use_knowledge_base": True}
]


def rehearsal(*, agent: Agent | None = None, documents: Sequence[Document] = (MANUAL,), **changes: Any) -> Rehearsal:
    whole = Rehearsal(
        role=Role(agent or read_agent("agent_1", CONFIG), documents),
        user=read_agent("user", {"agent": USER}),
        mocks={"free_canoes": Mock('{"free": 3}')},
        dynamic_variables={"shop": "Northshore"},
        questions=read_questions(SETTINGS, EXTRA),
    )
    return replace(whole, **changes)


def ids() -> Callable[[], str]:
    numbers = iter(range(1, 1000))
    return lambda: f"{next(numbers):032x}"


async def rehearse(played: Rehearsal, llm: LLM | None, **more: Any) -> Simulated:
    played = replace(played, role=replace(played.role, llm=llm))
    return await simulate(played, conversation_id="conv_1", clock=lambda: 1_770_000_000, new_id=ids(), **more)


def role(request: JSON) -> str:
    """Which of the three parts a request is for."""
    system = request["messages"][0]["content"]
    return "judge" if "review conversations" in system else "user" if "You play the person" in system else "agent"


def parts(agent: Callable[[JSON], Reply], *lines: str, judge: Callable[[JSON], Reply] | None = None) -> Any:
    """The endpoint plays all parts: the agent by a function, the user by its lines, a lenient judge."""
    left = list(lines)

    def answer(request: JSON) -> Reply:
        match role(request):
            case "agent":
                return agent(request)
            case "user":
                return Say(left.pop(0))
            case _:
                return (judge or lenient)(request)

    return answer


def lenient(request: JSON) -> Say:
    task = request["messages"][1]["content"]
    if "sum the conversation up" in task:
        return Say('{"summary": "A canoe was asked for.", "title": "Canoe on Friday"}')
    if "find one value" in task:
        return Say('{"value": "Friday", "rationale": "Asked for at the start."}')
    return Say('{"result": "success", "rationale": "It was."}')


def renting(request: JSON) -> Say:
    last = request["messages"][-1]
    if last["role"] == "tool" and '"free": 3' in last["content"]:
        return Say("Three are free. The deposit is forty euros.")
    if "free on Friday" in last["content"]:
        return Say("Let me see.", (Call("free_canoes", '{"day": "Friday"}'),))
    return Say(calls=(Call("end_call", '{"reason": "done", "message": "Goodbye!"}'),))


def brief(transcript: list[Turn]) -> list[str]:
    """A transcript on a few lines."""
    return [
        f"{one['role']}: {one['message']}"
        if one["message"]
        else f"{one['role']} calls {[c['tool_name'] for c in one['tool_calls']]}"
        if one["tool_calls"]
        else f"results {[r['result_value'] for r in one['tool_results']]}"
        for one in transcript
    ]
