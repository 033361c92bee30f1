"""Sample calls of the operations on approved destinations."""

from callwright.contract.destinations import (
    GetAgentDestinations,
    GetToolDestinations,
    SetAgentDestinations,
    SetToolDestinations,
)

from . import probing
from .sample import Json, Sample

NOT_PUBLISHED = "an extension of the embedded platform"
NOWHERE: Json = {"destinations": {}}
LEADING: Json = {"destinations": {"base": ["https://evil.example"]}}

SAMPLES = [
    Sample(
        SetAgentDestinations,
        tool="update_destinations",
        request=NOWHERE,
        without_sdk=NOT_PUBLISHED,
        arguments={"agent_id": "a", **NOWHERE},
        calls=[{"agent_id": probing.A, **LEADING}],
        beside_ids=NOWHERE,
        guarded={"destinations": {"agent_id": "agent_1", **LEADING}},
        phrases=["say to which hosts a variable of a tool may lead"],
    ),
    Sample(GetAgentDestinations, without_sdk=NOT_PUBLISHED, arguments={"agent_id": "a"}),
    Sample(
        SetToolDestinations,
        tool="update_destinations",
        request=NOWHERE,
        without_sdk=NOT_PUBLISHED,
        arguments={"tool_id": "t", **NOWHERE},
        calls=[{"tool_id": "tool_1", **LEADING}],
        guarded={"destinations": {"tool_id": "tool_4", **LEADING}},
    ),
    Sample(GetToolDestinations, without_sdk=NOT_PUBLISHED, arguments={"tool_id": "t"}),
]
