"""The tool calls of one answer: the record of each, its execution, and its effects on the conversation."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...contract.errors import ApiError
from .agent import Agent
from .arguments import read_arguments
from .assignments import assigned, update_record
from .llm import ToolCall
from .roles import Role, RoleProvider
from .system_tools import Effect, System, needs_a_phone, run_system_tool, transfer_failed
from .tools import PHONE_ONLY, Executor, Outcome, Tool
from .variables import Value, require

MAX_TRANSFERS = 5
"""Transfers between agents in one turn: two agents that transfer to each other would never stop."""

JSON = Mapping[str, Any]


class ToolCallContext(Protocol):
    """The part of a conversation that a tool call may read and change."""

    @property
    def role(self) -> Role: ...
    @property
    def tools(self) -> Executor: ...
    @property
    def roles(self) -> RoleProvider | None: ...
    @property
    def language(self) -> str: ...
    @property
    def transfers(self) -> int:
        """Transfers between agents in this turn so far."""
        ...

    @property
    def assigned(self) -> dict[str, Value]:
        """Variables that tools have set."""
        ...

    def now(self) -> float:
        """Seconds."""
        ...

    def variables(self, agent: Agent | None = None) -> dict[str, Value]: ...


def written_down(calls: Sequence[ToolCall], tools: Sequence[Tool], new_id: Callable[[], str]) -> list[dict[str, Any]]:
    """The identifying fields of each call: `request_id`, `tool_name`, `type`."""
    kinds = {tool.name: tool.type for tool in tools}
    return [
        {
            "request_id": f"{_safe(call.name)}_{new_id()}",
            "tool_name": _safe(call.name),
            "type": kinds.get(call.name, "system" if call.name in PHONE_ONLY else "client"),
        }
        for call in calls
    ]


def request_record(head: JSON, call: ToolCall, details: JSON | None = None) -> dict[str, Any]:
    return {**head, "params_as_json": call.arguments, "tool_has_been_called": False, "tool_details": details}


def described(context: ToolCallContext, call: ToolCall, tools: Sequence[Tool]) -> JSON | None:
    """The request that the call will make, for the transcript; None if there is none, and for system tools."""
    tool = next((tool for tool in tools if tool.name == call.name and tool.type != "system"), None)
    if tool is None:
        return None
    try:
        arguments = read_arguments(call.arguments, tool)
    except ValueError:
        return None
    return context.tools.details(tool, arguments, context.variables())


def result_record(head: JSON, outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        **head,
        "result_value": outcome.value,
        "is_error": outcome.is_error,
        "tool_has_been_called": outcome.called,
        "tool_latency_secs": outcome.latency_secs,
        "dynamic_variable_updates": list(outcome.updates),
    }
    return result | {"result": outcome.result} if head["type"] in ("system", "workflow") else result


async def run_call(
    context: ToolCallContext, call: ToolCall, request_id: str, tools: Sequence[Tool], effects: Effect
) -> Outcome:
    """Run one call with one of `tools`; its effects on the conversation are written into `effects`."""
    tool = next((tool for tool in tools if tool.name == call.name), None)
    if tool is None and call.name in PHONE_ONLY:
        return needs_a_phone(call.name)
    if tool is None:
        names = ", ".join(tool.name for tool in tools)
        return Outcome(f"There is no tool {call.name!r}. Tools: {names or 'none'}.", is_error=True, called=False)
    try:
        arguments = read_arguments(call.arguments, tool)
    except ValueError as wrong:
        return Outcome(f"{wrong} Call the tool again with correct arguments.", is_error=True, called=False)
    if tool.type != "system":
        return await _run_outside(context, tool, request_id, arguments)
    agent, before = context.role.agent, effects.transfer
    system = System(agent.id, agent.languages, context.variables(), request_id)
    outcome = run_system_tool(tool, arguments, system, effects)
    if tool.kind == "language_detection" and not outcome.is_error:
        why = await _prepare_switch(context, effects)
        return Outcome(why, is_error=True) if why is not None else outcome
    rule = effects.transfer
    if rule is None or rule is before:
        return outcome
    if (why := await prepare_transfer(context, rule, effects)) is not None:
        return transfer_failed(agent.id, why)
    return outcome


async def _prepare_switch(context: ToolCallContext, effects: Effect) -> str | None:
    """Load the role for the new language into `effects`. Returns an error, after which nothing changes, or None."""
    language, effects.language, effects.speaker = effects.language, None, None
    if context.roles is not None and language != context.language:
        try:
            role = await context.roles.role(context.role.agent.id, context.role.node_id, language)
            require(context.variables(role.agent), role.agent.prompt)
        except ApiError as why:
            return str(why)
        effects.speaker = role
    effects.language = language
    return None


async def prepare_transfer(context: ToolCallContext, rule: JSON, effects: Effect) -> str | None:
    """Load the successor by this rule into `effects`. Returns an error, after which there is no transfer, or None."""
    agent_id = rule["agent_id"]
    effects.transfer = None
    if context.roles is None:
        effects.ended = f"The conversation was handed over to the agent {agent_id}."
        effects.farewell = rule.get("transfer_message") or None
        return None
    if context.transfers >= MAX_TRANSFERS:
        return f"The conversation was handed over {MAX_TRANSFERS} times in this turn already."
    try:
        role = await context.roles.role(agent_id, language=effects.language or context.language)
        first = role.agent.first_message if rule.get("enable_transferred_agent_first_message") else ""
        require(context.variables(role.agent), role.agent.prompt, first)
        require(context.variables(), rule.get("transfer_message") or "")
    except ApiError as why:
        return str(why)
    effects.transfer, effects.successor = rule, role
    return None


async def _run_outside(context: ToolCallContext, tool: Tool, request_id: str, arguments: JSON) -> Outcome:
    """Run a tool outside the runtime. Variables that its answer sets apply to everything that follows."""
    before, began = context.variables(), context.now()
    outcome = await context.tools.run(tool, request_id, arguments, before)
    now = context.now()
    new = dict(assigned(tool, outcome))
    context.assigned.update(new)
    updates = [update_record(*one, before, at=now, tool=tool, request_id=request_id) for one in new.items()]
    return replace(outcome, latency_secs=now - began, updates=updates)


def _safe(name: str) -> str:
    """A valid name: a model may call a tool that does not exist, and endpoints refuse a history with invalid names."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "unnamed"
