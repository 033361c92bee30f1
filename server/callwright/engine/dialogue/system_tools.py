"""What the runtime's own tools do: they end, silence, hand over or switch the language of a conversation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .roles import Role
from .tools import Outcome, Tool


@dataclass(frozen=True)
class System:
    """What a system tool may know."""

    agent_id: str
    languages: frozenset[str]


@dataclass
class Effect:
    """What the calls of one answer change, together."""

    ended: str | None = None
    silent: bool = False
    farewell: str | None = None
    language: str | None = None
    transfer: Mapping[str, Any] | None = None
    """The rule by which the conversation is handed over."""
    successor: Role | None = None
    """Who it is handed over to."""


def run_system_tool(tool: Tool, arguments: Mapping[str, Any], system: System, effect: Effect) -> Outcome:
    """Write the effect down; the typed result is what the platform records."""
    reason = _text(arguments, "reason")
    match tool.kind:
        case "end_call":
            effect.ended = (
                f"The agent ended the conversation: {reason}" if reason else "The agent ended the conversation."
            )
            effect.farewell = _text(arguments, "message")
            return _success("end_call_success", reason=reason, message=effect.farewell)
        case "skip_turn":
            effect.silent = True
            return _success("skip_turn_success", reason=reason)
        case "language_detection":
            return _switch(str(arguments["language"]), reason, system, effect)
        case _:
            return _transfer(tool, arguments["agent_number"], system, effect)


def _switch(language: str, reason: str | None, system: System, effect: Effect) -> Outcome:
    if language not in system.languages:
        told = f"The language {language!r} is not configured. Languages: {', '.join(sorted(system.languages))}."
        return Outcome(told, is_error=True)
    effect.language = language
    return _success("language_detection_success", reason=reason, language=language)


def _transfer(tool: Tool, number: object, system: System, effect: Effect) -> Outcome:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(tool.transfers):
        numbers = f"numbers go from 0 to {len(tool.transfers) - 1}" if tool.transfers else "there are no rules"
        return transfer_failed(system.agent_id, f"There is no transfer number {number!r}; {numbers}.")
    if effect.transfer is not None:
        return transfer_failed(system.agent_id, "Another call has already handed the conversation over.")
    effect.transfer = rule = tool.transfers[number]
    return _success(
        "transfer_to_agent_success",
        from_agent=system.agent_id,
        to_agent=rule["agent_id"],
        condition=rule.get("condition") or "",
        delay_ms=rule.get("delay_ms") or 0,
        transfer_message=rule.get("transfer_message") or None,
        enable_transferred_agent_first_message=bool(rule.get("enable_transferred_agent_first_message")),
    )


def transfer_failed(from_agent: str, error: str) -> Outcome:
    result = {"result_type": "transfer_to_agent_error", "status": "error", "from_agent": from_agent, "error": error}
    return Outcome(error, is_error=True, result=result)


def _success(result_type: str, **fields: Any) -> Outcome:
    result = {"result_type": result_type, "status": "success", **fields}
    return Outcome(json.dumps(result, ensure_ascii=False), result=result)


def _text(arguments: Mapping[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    return value.strip() or None if isinstance(value, str) else None
