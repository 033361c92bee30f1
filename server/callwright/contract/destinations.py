"""Where the variables in the addresses and transfers of an agent, or of a stored tool, may lead.

An extension of the embedded platform: a hosted one fills such variables with whatever a caller gives.
"""

import re
from typing import Annotated

from pydantic import Field

from .common import AgentId, Checked, ToolId, Wire
from .guards import outward
from .operation import Operation

_DESTINATION = re.compile(
    r"https?://[A-Za-z0-9._-]{1,253}(:\d{1,5})?"  # an origin
    r"|\+[1-9][0-9]{1,14}"  # a number, or the beginning of numbers
    r"|sip:[A-Za-z0-9._+-]{0,64}@[A-Za-z0-9.-]{1,253}"  # a SIP address; without a user, all of its host
)


def fixed_destination(value: str) -> None:
    """An origin, a beginning of numbers, or a SIP address."""
    if not _DESTINATION.fullmatch(value):
        raise ValueError(
            "is no destination: give an origin (https://crm.example.com), a number or its beginning (+4930), or a SIP"
            " address (sip:desk@example.com; sip:@example.com for all of a host)"
        )


Destination = Annotated[str, Field(max_length=400), Checked(fixed_destination, source="ours: what can be compared")]
Approved = Annotated[list[Destination], Field(max_length=50)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class Destinations(Wire):
    """What a person approved, by the variable: nothing else may stand there when a request or a call is made."""

    destinations: dict[str, list[str]]


class GetAgentDestinations(
    Operation[Destinations], method="GET", path="/v1/callwright/agents/{agent_id}/destinations", measured=False
):
    """Read where the variables in an agent's own tools and transfers may lead."""

    agent_id: AgentId


class SetAgentDestinations(
    Operation[Destinations],
    method="PUT",
    path="/v1/callwright/agents/{agent_id}/destinations",
    guarded=outward("destinations"),
    measured=False,
):
    """Say where the variables in an agent's own tools and transfers may lead; replaces what was said before."""

    agent_id: AgentId
    destinations: dict[VariableName, Approved]


class GetToolDestinations(
    Operation[Destinations], method="GET", path="/v1/callwright/tools/{tool_id}/destinations", measured=False
):
    """Read where the variables in a stored tool may lead."""

    tool_id: ToolId


class SetToolDestinations(
    Operation[Destinations],
    method="PUT",
    path="/v1/callwright/tools/{tool_id}/destinations",
    guarded=outward("destinations"),
    measured=False,
):
    """Say where the variables in a stored tool may lead; replaces what was said before."""

    tool_id: ToolId
    destinations: dict[VariableName, Approved]
