"""Who uses a thing, as the platform names them."""

from typing import Annotated, Literal

from .common import Known, Maybe, OneOf, Unknown, Variant, Wire


class DependentAgent(Variant):
    """An agent that uses the thing."""

    id: str
    name: str
    type: Literal["available"] = "available"
    created_at_unix_secs: int
    access_level: Annotated[str, Known("admin", "editor", "commenter", "viewer")]


class HiddenAgent(Variant):
    """An agent that uses the thing and that the asking key may not see."""

    id: Maybe[str] = None
    """The newest clients do not read it without."""
    type: Literal["unknown"] = "unknown"


AgentDependent = Annotated[DependentAgent | HiddenAgent | Unknown, OneOf("type")]


class DependentAgentPage(Wire):
    """One page of the agents that use the thing."""

    agents: list[AgentDependent]
    next_cursor: str | None = None
    has_more: bool


class DependentTool(Variant):
    """A tool that uses the thing."""

    id: str
    name: str
    type: Literal["available"] = "available"
    created_at_unix_secs: int
    access_level: Annotated[str, Known("admin", "editor", "commenter", "viewer")]


class HiddenTool(Variant):
    """A tool that uses the thing and that the asking key may not see."""

    type: Literal["unknown"] = "unknown"


ToolDependent = Annotated[DependentTool | HiddenTool | Unknown, OneOf("type")]


class DependentPhoneNumber(Wire):
    """A phone number that uses the thing."""

    phone_number_id: str
    phone_number: str
    label: str
    provider: Annotated[str, Known("twilio", "sip_trunk")]
