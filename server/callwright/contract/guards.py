"""Guarded places of requests: what a person decides about, whichever tool carries it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel

from .walk import Path, inside, nodes, spelt, strangers


@dataclass(frozen=True)
class Guard:
    """A pattern of places in a body: `a.*.b`, where `*` is one list item or key of a map, and `**` any depth.

    A name stands for a field of the contract, or for a key below a field that the contract does not know. The keys of
    a map are no fields, whatever they are called.

    `outward`: data is sent along what stands there, so that a server without outside addresses refuses it. Otherwise
    it decides only who gets in, what is kept, and what is used inside the platform.
    """

    pattern: str
    outward: bool


class Guarded(NamedTuple):
    """A guarded place as one request sets it."""

    path: Path
    value: object
    outward: bool

    @property
    def shown(self) -> str:
        return spelt(self.path)


def outward(*patterns: str) -> tuple[Guard, ...]:
    return tuple(Guard(pattern, outward=True) for pattern in patterns)


def inward(*patterns: str) -> tuple[Guard, ...]:
    return tuple(Guard(pattern, outward=False) for pattern in patterns)


WEBHOOKS = (
    "**.url",
    "**.request_headers",
    "**.auth_connection",
    "**.api_schema.method",
    "**.api_schema.**.constant_value",
    "**.api_schema.**.dynamic_variable",
    "**.api_schema.**.is_system_provided",
)
"""The addresses of webhook tools, and what goes there with each call whatever the model says."""
PROMPTS = (
    *WEBHOOKS,
    "**.tools.*.dynamic_variables.dynamic_variable_placeholders.*",  # the values of variables in hosts
    "**.custom_llm",
    # where a conversation may be handed over to
    "**.transfers",
    # tools and servers of others that the agent may call: what a caller says goes where they lead
    "**.tool_ids",
    "**.mcp_server_ids",
    "**.native_mcp_server_ids",
)
"""What leads out of the prompt of an agent."""
WORKFLOWS = ("**.transfer_destination", "**.additional_tool_ids", "**.nodes.*.tools")
"""What leads out of the nodes of a workflow, besides their prompts."""
BROUGHT = ("**.custom_llm", "**.custom_llm_extra_body", "**.native_mcp_server_ids")
"""What leads out of the configuration that one conversation, or one call, brings along."""
ASSIGNMENTS = "**.assignments"
"""Which variables the answers of a tool fill."""


def guarded_in(model: type[BaseModel], guards: Sequence[Guard], body: object) -> tuple[Guarded, ...]:
    """The guarded places that a body sets, and addresses in fields that the contract does not know.

    A newer platform may know such a field, and send data there; so it is outward, wherever it stands.
    """
    fits, fits_outward = _expression(guards), _expression([guard for guard in guards if guard.outward])
    resets = _expression(guards, above=True)
    found: dict[Path, Guarded] = {}
    for node in nodes(model, body):
        at = _text(node.fields)
        # An emptied list leads nowhere, and by a null no data goes anywhere; but a null may let somebody in.
        if (node.value != [] and fits.fullmatch(at)) or (node.value is None and resets.fullmatch(at)):
            leads = node.value is not None and bool(fits_outward.fullmatch(at))
            found[node.path] = Guarded(node.path, node.value, leads)
    leading = {path for path, place in found.items() if place.outward}
    for path, value, _ in strangers(model, body):
        if _may_be_address(path, value) and not any(path[: len(each)] == each for each in leading):
            found[path] = Guarded(path, value, outward=True)
    return tuple(sorted(found.values(), key=lambda place: [str(key) for key in place.path]))


def is_guarded(guards: Sequence[Guard], fields: Sequence[str | None]) -> bool:
    """Whether a place is guarded, by its names; None for indices and for keys of maps."""
    return bool(_expression(guards).fullmatch(_text(fields)))


def _text(fields: Sequence[str | None]) -> str:
    return "".join(f"{name or ''}{_END}" for name in fields)


_END = "\0"
"""Ends each name in the text that patterns are matched with. No name of a field holds it."""


@cache
def _matching(patterns: tuple[str, ...], above: bool) -> re.Pattern[str]:
    ways: set[str] = set()
    for pattern in patterns:
        keys = pattern.split(".")
        # A reset of what holds a named field resets that field.
        holders = [end for end in range(1, len(keys)) if keys[end] not in ("*", "**") and keys[end - 1] != "**"]
        ends = holders if above else [len(keys)]
        ways |= {"".join(map(_part, keys[:end])) for end in ends}
    return re.compile("|".join(sorted(ways)) or r"(?!)")


def _expression(guards: Sequence[Guard], *, above: bool = False) -> re.Pattern[str]:
    """Matches the places of these guards, or those `above` them."""
    return _matching(tuple(guard.pattern for guard in guards), above)


def _part(key: str) -> str:
    one = f"[^{_END}]*{_END}"
    return {"*": one, "**": f"(?:{one})*"}.get(key, re.escape(key) + _END)


def holds_variable(url: str) -> bool:
    """Whether the scheme or the host of an address is not fixed."""
    scheme, there, rest = url.partition("://")
    return "{" in (scheme + re.split(r"[/?#\\]", rest, maxsplit=1)[0] if there else url)


_ADDRESS = re.compile(
    r"""\s*(?: [a-z][a-z0-9+.-]{0,30}: (?!\s) \S      # a scheme: https, wss, ftp, mailto, tel, sip
             | // | \\\\                              # the scheme of whoever reads it
             | (?=[^:]{0,200}[a-z.])[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}:\d{1,5}(?:[/?\#]|\s*$)   # host:443
             | (?:\+|00)[0-9 ().-]{6,30}\s*$          # a telephone number
             | [^@\s]{1,100}@[^@\s]{1,100}\s*$        # a mail address
             | \{\{ )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Beginnings of what may be an address. `{{`: a variable, which may become one."""
_ADDRESS_NAME = re.compile(
    r"ur[il]|header|webhook|hook|endpoint|callback|server|tool|host|destination|address|email|phone|number|domain",
    re.IGNORECASE,
)


def _may_be_address(path: Path, value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False
    return bool(_ADDRESS_NAME.search(str(path[-1]))) or _holds_address(value)


def _holds_address(value: object) -> bool:
    if isinstance(value, str):
        return bool(_ADDRESS.match(value))
    return any(
        (isinstance(key, str) and _ADDRESS_NAME.search(key) and item is not None) or _holds_address(item)
        for key, item in inside(value)
    )
