"""The built-in system tools: end the call, skip a turn, transfer, or switch the language of a conversation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...contract.paths import at
from .destinations import APPROVED, bare, transfer_refusal
from .roles import Role
from .tools import Outcome, Tool, destination
from .variables import MissingVariables, Variables, told, written

NOT_DIALLED = "The transfer is recorded; nobody is dialled from here."
_TONES = re.compile(r"[0-9*#]{1,64}")


@dataclass(frozen=True)
class System:
    """The facts that a system tool may read."""

    agent_id: str
    languages: frozenset[str]
    variables: Variables
    request_id: str


@dataclass
class Effect:
    """The combined effects of the calls in one answer."""

    ended: str | None = None
    silent: bool = False
    farewell: str | None = None
    language: str | None = None
    speaker: Role | None = None
    """The same agent's role in the new language. None: the role does not change."""
    transfer: Mapping[str, Any] | None = None
    """The transfer rule that applies."""
    successor: Role | None = None
    """The role of the agent that takes over."""


def run_system_tool(tool: Tool, arguments: Mapping[str, Any], system: System, effect: Effect) -> Outcome:
    """Record the effect; returns the typed result that the platform records."""
    reason = _text(arguments, "reason")
    if (effect.ended or effect.transfer is not None) and tool.kind != "play_keypad_touch_tone":
        return _too_late(tool.kind, system)
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
        case "transfer_to_number":
            return _to_number(tool, arguments, system, effect)
        case "voicemail_detection":
            return _voicemail(tool, reason, system, effect)
        case "play_keypad_touch_tone":
            tones = str(arguments["dtmf_tones"])
            if not _TONES.fullmatch(tones):
                return _failure("play_dtmf_error", f"These are no keys: {tones!r:.80}. Keys are 0 to 9, * and #.")
            return _success("play_dtmf_success", dtmf_tones=tones, reason=reason)
        case _:
            return _transfer(tool, arguments["agent_number"], system, effect)


def _too_late(kind: str, system: System) -> Outcome:
    """A call after one that takes the conversation away from the agent has no effect."""
    said = "Another call has already ended or handed over the conversation."
    match kind:
        case "transfer_to_agent":
            return transfer_failed(system.agent_id, said)
        case "transfer_to_number":
            return _failure("transfer_to_number_error", said)
        case _:  # the platform has no error type for these
            return Outcome(said, is_error=True)


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


def needs_a_phone(kind: str) -> Outcome:
    """The result of a tool that was called without a telephone line."""
    said = f"{kind} works in phone calls only, and this conversation is held in text."
    if kind == "voicemail_detection":  # the platform has no error type for this one
        return Outcome(said, is_error=True, called=False)
    return _failure("play_dtmf_error" if kind == "play_keypad_touch_tone" else "transfer_to_number_error", said)


def _to_number(tool: Tool, arguments: Mapping[str, Any], system: System, effect: Effect) -> Outcome:
    """Only numbers in the tool's rules are allowed; of a variable, only what is approved for it."""
    wanted, error = str(arguments["transfer_number"]), "transfer_to_number_error"
    rules = {destination(rule): rule for rule in tool.transfers}
    numbers = {told: _number(rule, told, system.variables) for told, rule in rules.items()}
    told = next((told for told, number in numbers.items() if wanted in (told, number)), None)
    if told is None:
        return _failure(error, f"{wanted!r:.80} is none of the numbers of the rules: {', '.join(rules) or 'none'}.")
    if (number := numbers[told]) is None:
        return _failure(error, f"The variable {told} that holds the number has no value.")
    if _is_variable(rules[told]) and (why := transfer_refusal(bare(told), number, tool.config.get(APPROVED) or {})):
        return _failure(error, why)
    effect.ended = f"The conversation was handed over to {number}."
    told_off = at(tool.config, "params", "enable_client_message") is False
    effect.farewell = client = None if told_off else _text(arguments, "client_message")
    reason = _text(arguments, "reason")
    if rules[told].get("transfer_type") == "sip_refer":
        name = "transfer_to_number_sip_success"
        return _success(name, transfer_number=number, reason=reason, note=NOT_DIALLED)
    return _success(
        "transfer_to_number_twilio_success",
        transfer_number=number,
        reason=reason,
        client_message=client,
        agent_message=_text(arguments, "agent_message") or "",
        conference_name=system.request_id,
        note=NOT_DIALLED,
    )


def _number(rule: Mapping[str, Any], told: str, variables: Variables) -> str | None:
    if not _is_variable(rule):
        return told
    return written(variables[bare(told)]) if bare(told) in variables else None


def _is_variable(rule: Mapping[str, Any]) -> bool:
    return str(at(rule, "transfer_destination", "type")).endswith("_dynamic_variable")


def _voicemail(tool: Tool, reason: str | None, system: System, effect: Effect) -> Outcome:
    """End the call after the voicemail message, if there is one: no person is listening."""
    message = at(tool.config, "params", "voicemail_message") or None
    try:
        message = message and told(message, system.variables)
    except MissingVariables as why:
        return Outcome(str(why), is_error=True)
    effect.ended = "An answering machine picked up."
    effect.farewell = message
    return _success("voicemail_detection_success", voicemail_message=message, reason=reason)


def _failure(result_type: str, error: str) -> Outcome:
    result = {"result_type": result_type, "status": "error", "error": error, "details": None}
    return Outcome(error, is_error=True, result=result)


def transfer_failed(from_agent: str, error: str) -> Outcome:
    result = {"result_type": "transfer_to_agent_error", "status": "error", "from_agent": from_agent, "error": error}
    return Outcome(error, is_error=True, result=result)


def _success(result_type: str, **fields: Any) -> Outcome:
    result = {"result_type": result_type, "status": "success", **fields}
    return Outcome(json.dumps(result, ensure_ascii=False), result=result)


def _text(arguments: Mapping[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    return value.strip() or None if isinstance(value, str) else None
