"""Checks before a call: the agent, the phone number, and the overrides and variables that come with the call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import RowMapping

from ...contract.errors import BadRequest, Problem
from ...contract.merge import Json
from ...contract.paths import at
from ..dialogue.variables import OF_A_CALL, Value, gather, named_in, system_variables
from ..schema.tables import agent, phone_number
from ..store.transaction import Tx
from .variables import needed_later

Place = tuple[str | int, ...]

ROUTES = {"twilio": "/v1/convai/twilio/outbound-call", "sip_trunk": "/v1/convai/sip-trunk/outbound-call"}

_SYSTEM = frozenset(system_variables(agent_id="", conversation_id="", now=0, started=0, timezone=None)) | {*OF_A_CALL}


def calling_agent(tx: Tx, agent_id: str) -> RowMapping:
    """The agent of a call. Raises NotFound, and BadRequest for an archived agent."""
    found = tx.one(agent, agent_id)
    if found["archived"]:
        raise BadRequest(f"Agent {found['name']!r} is archived and calls nobody. Set archived to false first.")
    return found


def calling_number(tx: Tx, phone_number_id: str, provider: str | None = None) -> RowMapping:
    """The number that a call is placed from. `provider`: the only provider that the requested route accepts.

    Raises NotFound, and BadRequest for a number that cannot place the call.
    """
    found = tx.one(phone_number, phone_number_id)
    number, has, stored = found["phone_number"], found["provider"], cast(Json, found["document"])
    if provider is not None and has != provider:
        raise BadRequest(f"{number} is a {has} number: call with POST {ROUTES.get(has, 'its own provider')} instead.")
    if stored.get("supports_outbound") is False:
        raise BadRequest(f"{number} places no calls (supports_outbound is false).")
    if has == "sip_trunk" and not stored.get("outbound_trunk_config"):
        raise BadRequest(f"{number} has no outbound trunk: set outbound_trunk_config on it first.")
    return found


def admission(tx: Tx, document: Json) -> "CallOverrideCheck":
    return CallOverrideCheck(document, needed_later(tx, document))


@dataclass(frozen=True)
class CallOverrideCheck:
    """The check of a call's overrides and variables against its agent's settings, made once for all recipients."""

    document: Json
    needs: frozenset[str] = frozenset()
    """Variables in texts of the agent that are reached only later in a conversation."""
    _named: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Variables by the text that names them: a prompt may have megabytes, and a batch thousands of rows."""

    def problems(self, brought: Json, where: Place) -> list[Problem]:
        """Every override that the agent's settings do not permit, and every variable without a value."""
        return [*self._forbidden(brought, where), *self._missing(brought, where)]

    def _forbidden(self, brought: Json, where: Place) -> Iterator[Problem]:
        permitted = cast(Json, self.document["platform_settings"]["overrides"])
        for path in _leaves(brought.get("conversation_config_override") or {}):
            if at(permitted.get("conversation_config_override"), *path) is not True:
                yield _closed((*where, "conversation_config_override", *path), path[-1])
        if brought.get("custom_llm_extra_body") and not permitted.get("custom_llm_extra_body"):
            yield _closed((*where, "custom_llm_extra_body"), "custom_llm_extra_body")

    def _missing(self, brought: Json, where: Place) -> Iterator[Problem]:
        config = cast(Json, self.document["conversation_config"])
        placeholders: Mapping[str, Value | None] = (
            at(config, "agent", "dynamic_variables", "dynamic_variable_placeholders") or {}
        )
        known = gather(placeholders, brought.get("dynamic_variables") or {}, dict.fromkeys(_SYSTEM, ""))
        wanted = {*self.needs}
        for text in _texts(config, brought.get("conversation_config_override") or {}):
            if text not in self._named:
                self._named[text] = named_in(text)
            wanted |= self._named[text]
        for name in sorted(wanted - known.keys()):
            said = "The agent's texts use it, and it has no value."
            yield Problem(loc=[*where, "dynamic_variables", name], msg=said, type="missing")


def _texts(config: Json, override: Json) -> tuple[str, str]:
    """The first message and the prompt that a call with this override begins with."""
    language = at(override, "agent", "language")
    preset = at(config, "language_presets", str(language), "overrides") if language else None
    first = ("agent", "first_message")
    found = [at(source, *first) for source in (override, preset, config)]
    message = next((text for text in found if text is not None), "")
    prompt = at(override, "agent", "prompt", "prompt") or at(config, "agent", "prompt", "prompt") or ""
    return str(message), str(prompt)


def _leaves(node: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all values that are set. Null counts as not set."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(cast(Json, value), (*above, key))
        elif value is not None:
            yield (*above, key)


def _closed(where: Place, name: str) -> Problem:
    said = f"This agent does not let whoever starts a call set {name}; open it in platform_settings.overrides."
    return Problem(loc=[*where], msg=said, type="override_not_allowed")
