"""Variables in the hosts of webhook tools and in transfers. They decide where data, keys and callers go.

In a host a tool itself gives the variable its value, which a person approves together with the address. Anybody else
(a caller, an agent's placeholders, the answer of another tool) fills it only with what a person has approved for that
variable besides. A transfer takes its number from whoever gives it, and only where it is approved.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ...contract.guards import holds_variable
from ...contract.merge import Json, JsonView
from ...contract.paths import at
from ...contract.walk import inside
from .variables import Value, Variables, written

Destinations = Mapping[str, Sequence[str]]
"""By the name of the variable: origins, beginnings of numbers, SIP addresses."""

APPROVED = "approved_destinations"
"""The key under which the runtime finds, in a tool's configuration, what is approved. It is never stored or sent."""

PLACE = re.compile(r"\{\{\s*(?P<variable>[A-Za-z_][A-Za-z0-9_]*)\s*\}\}|\{(?P<name>[^{}]+)\}")
_BASE = re.compile(r"https?://(?P<host>[^/?#\\@\s]+)(/[^?#\\\s]*)?", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")
_CLIMBS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_PUNCTUATION = re.compile(r"[ ().-]")
_SIP = re.compile(r"sips?:(?P<user>[^@;?\s]{1,64})@(?P<host>[A-Za-z0-9.-]{1,253})", re.IGNORECASE)


@dataclass(frozen=True)
class Hosts:
    """The values that the variables in the host of one tool may have."""

    own: Variables
    """The tool's own placeholders, which were approved with its address."""
    approved: Destinations = field(default_factory=dict[str, Sequence[str]])
    given: Variables = field(default_factory=dict[str, Value])
    """The values of whoever else gives one."""


def hosts_of(tool: JsonView, given: Variables | None = None) -> Hosts:
    placeholders: JsonView = at(tool, "dynamic_variables", "dynamic_variable_placeholders") or {}
    own = {name: value for name, value in placeholders.items() if value is not None}
    return Hosts(own, tool.get(APPROVED) or {}, given or {})


def origin_of(tool: JsonView) -> str:
    """Scheme, host and port of the address of a webhook tool. Raises ValueError, worded for whoever saves the tool."""
    base, _ = beginning(str(tool["api_schema"]["url"]).partition("#")[0].partition("?")[0], hosts_of(tool))
    return _origin(base)


def beginning(whole: str, hosts: Hosts) -> tuple[str, str]:
    """An address split after its host, or after the variable that holds its beginning, which is filled in.

    Raises ValueError for a variable that has no value for this place, and for a value that does not fit there.
    """
    if first := PLACE.match(whole):
        base = _filling(first, hosts).rstrip("/")
        rest = whole[first.end() :]
        if not _BASE.fullmatch(base) or _CLIMBS.search(base) or (rest and not rest.startswith("/")):
            raise ValueError(f"The variable {first['variable']} does not hold the beginning of a URL.")
        _require_approved(base, [first], hosts)
        return base, rest
    scheme, _, after = whole.partition("://")
    host, slash, rest = after.partition("/")

    def put(place: re.Match[str]) -> str:
        value = _filling(place, hosts)
        if not _HOST.fullmatch(value):
            raise ValueError(f"{place[0]} stands for a host, and its value is none.")
        return value

    base = f"{scheme}://{PLACE.sub(put, host)}"
    _require_approved(base, list(PLACE.finditer(host)), hosts)
    return base, slash + rest


def _filling(place: re.Match[str], hosts: Hosts) -> str:
    name = place["variable"]
    if name is not None and _is_given(name, hosts):
        return written(hosts.given[name])
    if name is None or name not in hosts.own:
        raise ValueError(
            f"{place[0]} stands in the host of the tool, where only the tool itself gives it a value. Set it in"
            " dynamic_variables.dynamic_variable_placeholders of the tool; a person approves it there."
        )
    return written(hosts.own[name])


def _is_given(name: str, hosts: Hosts) -> bool:
    """Whether somebody else may fill this variable, and does."""
    return name in hosts.approved and name in hosts.given


def _require_approved(base: str, places: Sequence[re.Match[str]], hosts: Hosts) -> None:
    """Raises ValueError if a variable that somebody else filled leads to an origin that nobody approved for it."""
    origin = _origin(base)
    for place in places:
        if _is_given(name := place["variable"], hosts) and origin.lower() not in map(str.lower, hosts.approved[name]):
            known = ", ".join(hosts.approved[name])
            raise ValueError(f"The variable {name} leads to {origin}, which nobody approved. Approved: {known}.")


def _origin(base: str) -> str:
    return "/".join(base.split("/")[:3])


def transfer_refusal(variable: str, value: str, approved: Destinations) -> str | None:
    """Why nobody is transferred to the number or SIP address that a variable holds; None if that is approved."""
    known = approved.get(variable)
    if not known:
        return (
            f"Nobody has approved where the variable {variable} may lead, so nobody is transferred by it. Say it with"
            " update_destinations; a person approves it there."
        )
    if any(_leads_to(value, one) for one in known):
        return None
    return f"The variable {variable} leads somewhere that nobody approved. Approved: {', '.join(known)}."


def _leads_to(value: str, approved: str) -> bool:
    if approved.startswith("+"):
        number = _PUNCTUATION.sub("", value)
        return bool(_NUMBER.fullmatch(number)) and number.startswith(approved)
    sip = _SIP.fullmatch(value)
    if sip is None:
        return False
    user, _, host = approved.removeprefix("sip:").partition("@")
    return sip["host"].lower() == host.lower() and user in ("", sip["user"])


def places_of_variables(document: object) -> dict[str, set[str]]:
    """The variables in hosts and transfers of a document, each with the places where it stands."""
    found: dict[str, set[str]] = {}
    for name, place in _variables(document):
        found.setdefault(name, set()).add(place)
    return found


def _variables(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        given = cast(Json, node)
        url: object = at(given, "api_schema", "url")
        if isinstance(url, str) and holds_variable(url):
            host = _head(url)
            yield from ((place["variable"], host) for place in PLACE.finditer(host) if place["variable"])
        to: Json = at(given, "transfer_destination") or {}
        if str(to.get("type")).endswith("_dynamic_variable"):
            yield bare(str(to.get("phone_number") or to.get("sip_uri"))), str(to["type"])
    for _, item in inside(cast(object, node)):
        yield from _variables(item)


def _head(url: str) -> str:
    """The part of an address in which a variable decides where it leads."""
    if first := PLACE.match(url):
        return first[0]
    scheme, _, after = url.partition("://")
    return f"{scheme}://{re.split(r'[/?#]', after, maxsplit=1)[0]}"


def bare(variable: str) -> str:
    """The name of a variable, which may be written with its braces."""
    place = PLACE.fullmatch(variable.strip())
    return place["variable"] if place and place["variable"] else variable
