"""`{{name}}` in prompts and messages: substitution, and errors for missing values."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from ...contract.errors import InvalidRequest, Problem
from ...secrecy import MASK

Value = str | int | float | bool
Variables = Mapping[str, Value]

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


OF_A_CALL = ("system__caller_id", "system__called_number", "system__call_sid")
"""Variables that the platform sets for every telephone call."""


UNKNOWN = "unknown"
"""The value, in a text conversation, of a variable of a telephone call."""
SECRET_PREFIX = "secret__"  # noqa: S105  (a beginning of names)
"""Begins the names of variables whose values neither a model nor a caller learns."""


class MissingVariables(InvalidRequest):
    """Texts of the agent name variables without a value: `names` has every one of them."""

    code = "missing_dynamic_variables"

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(set(names))
        super().__init__([_missing(name) for name in self.names])

    def __str__(self) -> str:
        return f"Missing dynamic variables: {', '.join(self.names)}. Give each a value, or a placeholder on the agent."


def of_a_call(given: Mapping[str, Value | None]) -> bool:
    """Whether the variables belong to a telephone conversation, whose agent has the tools that need a line."""
    return any(given.get(name) is not None for name in OF_A_CALL)


def named_in(*texts: str) -> set[str]:
    """The variables that these texts name."""
    return {name for text in texts for name in _PLACE.findall(text)}


def require(variables: Variables, *texts: str, names: Iterable[str] = ()) -> None:
    """Raise MissingVariables with every one of `names`, and every name in `texts`, that has no value."""
    if missing := (named_in(*texts) | {*names}) - variables.keys():
        raise MissingVariables(missing)


def substitute(text: str, variables: Variables) -> str:
    """Substitute the values in one pass: braces inside a value are left unchanged. Raises MissingVariables."""
    require(variables, text)
    return _PLACE.sub(lambda place: written(variables[place[1]]), text)


def told(text: str, variables: Variables) -> str:
    """As `substitute`, for a text that a model or a caller gets: secret variables are for requests of tools alone."""
    secret = {name: MASK for name in variables if name.startswith(SECRET_PREFIX)}
    return substitute(text, {**variables, **secret})


def written(value: Value) -> str:
    """A value in readable form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def gather(
    placeholders: Mapping[str, Value | None], given: Mapping[str, Value | None], system: Mapping[str, Value]
) -> dict[str, Value]:
    """The initial variables: the agent's placeholders, overridden by the caller's values, then by system variables.

    None means "no value". A caller cannot override a system variable known to the runtime. Those of a telephone call
    have no true value in a text: they are UNKNOWN, so that an agent that names them can be talked to and rehearsed,
    unless whoever has the API key gives them.
    """
    unknown = dict.fromkeys(OF_A_CALL, UNKNOWN)
    chosen = {
        **unknown,
        **placeholders,
        **{name: value for name, value in given.items() if value is not None},
        **system,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def system_variables(
    *,
    agent_id: str,
    conversation_id: str,
    now: float,
    started: float,
    timezone: str | None,
    current_agent_id: str | None = None,
) -> dict[str, Value]:
    """The variables that the platform sets. `now` and `started` are Unix seconds.

    `agent_id`: the agent that was called; `current_agent_id`: the agent that has taken over, if any.
    """
    at = datetime.fromtimestamp(now, UTC)
    return {
        "system__agent_id": agent_id,
        "system__current_agent_id": current_agent_id or agent_id,
        "system__conversation_id": conversation_id,
        "system__call_duration_secs": int(now - started),
        "system__time_utc": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "system__time": at.astimezone(_zone(timezone)).strftime("%A, %H:%M %d %B %Y"),
        "system__timezone": timezone or "UTC",
    }


def _zone(name: str | None) -> tzinfo:
    """The zone of an agent; UTC if the name is unknown on this machine (Windows carries no zone data)."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def _missing(name: str) -> Problem:
    return {
        "loc": ["dynamic_variables", name],
        "msg": "The agent's texts use it, and it has no value.",
        "type": "missing",
    }
