"""Addresses and transfers that are a variable, on a platform that takes the value from whoever talks.

The embedded platform fills such a host with what was approved (`engine/dialogue/destinations.py`). A hosted one cannot
be made to.
"""

from typing import Any, cast

from ..contract.errors import Refused
from ..contract.guards import Guarded, holds_variable
from ..contract.merge import JsonView
from ..contract.operation import Operation
from ..contract.paths import at
from ..contract.walk import inside, value_at
from ..secrecy import is_secret_header

_LOGINS = ("auth_connection", "api_key", "secret_token")


def open_hosts(op: Operation[Any]) -> list[Guarded]:
    """The addresses that a request sets and whose host whoever talks to the agent can choose."""
    return [each for each in op.guarded_places() if isinstance(each.value, str) and _is_open(each)]


def refuse_secrets_to_anywhere(op: Operation[Any]) -> None:
    """Raises Refused if a secret or a login would go to a host that is a variable."""
    body = op.body() or {}
    for place in open_hosts(op):
        if _carries_secret(value_at(body, place.path[:-1])):
            raise Refused(
                f"The host of {place.shown} is a variable, which whoever talks to the agent can fill, and a secret or a"
                " login goes there with each request. Write the host itself, or take the secret out."
            )


def warning(op: Operation[Any]) -> str:
    """The warning for the question about a request; empty where all its hosts are fixed."""
    hosts = ", ".join(place.shown for place in open_hosts(op))
    transfers = ", ".join(place.shown for place in op.guarded_places() if _hands_over_to_anybody(place.value))
    return (f" The platform will send to whatever host fills the variable in {hosts}." if hosts else "") + (
        f" The platform will hand callers over to whatever fills the variable in {transfers}." if transfers else ""
    )


def _hands_over_to_anybody(value: object) -> bool:
    """Whether a guarded value has, at any depth, a transfer whose destination is a variable."""
    if str(at(value, "type")).endswith("_dynamic_variable"):
        return True
    return any(_hands_over_to_anybody(item) for _, item in inside(value))


def _is_open(place: Guarded) -> bool:
    return place.path[-1] == "url" and holds_variable(str(place.value))


def _carries_secret(request: object) -> bool:
    """Headers of a shape that the contract does not know count as secrets: a newer platform may read them."""
    headers: Any = at(request, "request_headers")
    if any(at(request, name) is not None for name in _LOGINS) or not isinstance(headers, dict | None):
        return True
    given = cast(JsonView, headers or {})
    return any(is_secret_header(name) or not isinstance(value, str) for name, value in given.items())
