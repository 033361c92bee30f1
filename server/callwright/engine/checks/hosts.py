"""Variables in the host of a webhook tool. They decide where data and keys go, so the tool itself fixes their values.

A person approves the placeholders of a tool together with its address. A caller's variables, an agent's placeholders
and the answers of other tools have the same names, and fill none of these.
"""

import re

from ...contract.merge import JsonView
from ...contract.paths import at
from ..dialogue.variables import Variables, written

PLACE = re.compile(r"\{\{\s*(?P<variable>[A-Za-z_][A-Za-z0-9_]*)\s*\}\}|\{(?P<name>[^{}]+)\}")
_BASE = re.compile(r"https?://(?P<host>[^/?#\\@\s]+)(/[^?#\\\s]*)?", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")
_CLIMBS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def fixed_by(tool: JsonView) -> Variables:
    """The variables whose values a tool itself sets."""
    placeholders: JsonView = at(tool, "dynamic_variables", "dynamic_variable_placeholders") or {}
    return {name: value for name, value in placeholders.items() if value is not None}


def origin_of(tool: JsonView) -> str:
    """Scheme, host and port of the address of a webhook tool. Raises ValueError, worded for whoever saves the tool."""
    base, _ = beginning(str(tool["api_schema"]["url"]).partition("#")[0].partition("?")[0], fixed_by(tool))
    return "/".join(base.split("/")[:3])


def beginning(whole: str, fixed: Variables) -> tuple[str, str]:
    """An address split after its host, or after the variable that holds its beginning, which is filled in.

    Raises ValueError for a variable that the tool does not fix, and for a value that does not fit its place.
    """
    if first := PLACE.match(whole):
        base = _fixed(first, fixed).rstrip("/")
        rest = whole[first.end() :]
        if not _BASE.fullmatch(base) or _CLIMBS.search(base) or (rest and not rest.startswith("/")):
            raise ValueError(f"The variable {first['variable']} does not hold the beginning of a URL.")
        return base, rest
    scheme, _, after = whole.partition("://")
    host, slash, rest = after.partition("/")

    def put(place: re.Match[str]) -> str:
        value = _fixed(place, fixed)
        if not _HOST.fullmatch(value):
            raise ValueError(f"{place[0]} stands for a host, and its value is none.")
        return value

    return f"{scheme}://{PLACE.sub(put, host)}", slash + rest


def _fixed(place: re.Match[str], fixed: Variables) -> str:
    name = place["variable"]
    if name is None or name not in fixed:
        raise ValueError(
            f"{place[0]} stands in the host of the tool, where only the tool itself gives it a value. Set it in"
            " dynamic_variables.dynamic_variable_placeholders of the tool; a person approves it there."
        )
    return written(fixed[name])
