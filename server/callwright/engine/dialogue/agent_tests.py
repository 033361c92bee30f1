"""Runs one test of an agent: its single next reply after a given history, judged by a condition or a tool call.

No tool is ever run. An undecidable check is `unknown`, and a test passes only on `success`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...contract.errors import InvalidRequest
from ...contract.merge import JsonView
from .expectations import judged
from .judge import Judge, Judgement
from .llm import ModelFailed
from .offline import NO_LLM
from .paths import value_at
from .record import Turn, as_data, json_object
from .roles import Role
from .tools import MockExecutor
from .turn import Clock, Conversation, ConversationContext
from .variables import Value


@dataclass(frozen=True)
class Case:
    """A test as it is stored, in wire form."""

    type: str
    """`llm` or `tool`."""
    history: Sequence[JsonView]
    condition: str = ""
    examples: Sequence[tuple[str, str]] = ()
    """Pairs of label (`success`, `failure`) and reply."""
    tool_check: JsonView = field(default_factory=dict[str, Any])
    variables: Mapping[str, Value | None] = field(default_factory=dict[str, Value | None])


@dataclass(frozen=True)
class Ran:
    """The result of a test. `responses` are the agent's new turns, or None if the model could not be asked."""

    verdict: Judgement
    responses: list[Turn] | None = None
    messages: list[str] = field(default_factory=list[str])
    """One message per check, in the order of the checks."""


async def run_case(
    case: Case,
    role: Role,
    *,
    tool_names: Mapping[str, str],
    conversation_id: str,
    clock: Clock,
    new_id: Callable[[], str],
) -> Ran:
    """Ask for the reply and check it. `tool_names` maps ids of stored tools to the names that the model calls."""
    if role.llm is None:
        return Ran(Judgement("unknown", f"Not run, because {NO_LLM}."))
    context = ConversationContext(MockExecutor(), clock, new_id)
    try:
        talk = Conversation(conversation_id, role, context, given=case.variables, history=case.history)
        await talk.open()
        if len(talk.transcript) == len(case.history):  # no greeting was added: there is a history, or no first message
            await talk.reply()
    except (InvalidRequest, ModelFailed) as why:  # variables without a value, a prompt too large, no answer
        return Ran(Judgement("unknown", f"Not run: {why}"))
    responses = talk.transcript[len(case.history) :]
    judge = Judge(talk.model(talk.role) or role.llm, as_data(case.history))
    if case.type != "tool":
        return Ran(await judge.reply(case.condition, as_data(responses), case.examples), responses)
    messages: list[str] = []
    wanted: JsonView | None = case.tool_check.get("referenced_tool")
    name = tool_names.get(wanted["id"], wanted["id"]) if wanted else None
    if name is not None and all(tool.name != name for tool in role.agent.tools):
        messages.append(f"The agent has no tool {name!r}.")
    return Ran(await _judge_calls(case.tool_check, name, responses, judge, messages), responses, messages)


async def _judge_calls(
    check: JsonView, name: str | None, responses: Sequence[JsonView], judge: Judge, messages: list[str]
) -> Judgement:
    """`name` of the expected tool, None for any. Of several calls, one that satisfies every check is enough."""
    made: list[JsonView] = [call for turn in responses for call in turn.get("tool_calls") or ()]
    calls = [call for call in made if name is None or call["tool_name"] == name]
    called, shown = ", ".join(call["tool_name"] for call in made) or "no tool", name or "A tool"
    if check.get("verify_absence"):
        if calls:
            return Judgement("failure", f"{shown} was called, and should not have been.")
        return Judgement("success", f"{shown} was not called.")
    if not calls:
        return Judgement("failure", f"{shown} was not called. Called: {called}.")
    worst = Judgement("failure", "")
    for call in calls:
        found = await _judge_call(check.get("parameters") or (), call, judge, messages)
        if found.result == "success":
            return found
        worst = found if found.result == "unknown" or not worst.rationale else worst
    return worst


async def _judge_call(parameters: Sequence[JsonView], call: JsonView, judge: Judge, messages: list[str]) -> Judgement:
    """Checks that need a model run last, and only if all the others passed, because a model call costs money."""
    arguments = json_object(call["params_as_json"])
    if arguments is None:
        return Judgement("failure", f"The arguments of {call['tool_name']} are not a JSON object.")
    for parameter in sorted(parameters, key=lambda one: one["eval"].get("type") == "llm"):
        path = parameter["path"]
        found = await judged(parameter["eval"], value_at(arguments, path), judge)
        messages.append(f"{path}: {found.result}. {found.rationale}")
        if found.result != "success":
            return Judgement(found.result, f"{call['tool_name']}, {path}: {found.rationale}")
    return Judgement("success", f"{call['tool_name']} was called as expected.")
