"""A conversation in text over the platform's WebSocket: what a caller sends. Frames, not requests."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from .agent.overrides import ConfigOverride
from .common import AgentId, ConversationId, Known, Scalar, Wire
from .conversation.initiation import SourceInfo
from .guards import PROMPTS, outward
from .merge import Json
from .operation import Operation, Query

PATH = "/v1/convai/conversation"


class Mocking(Wire):
    """Which tools are not really called in one conversation, but answer with their mocks."""

    mocking_strategy: Annotated[str, Known("all", "selected", "none")] = "none"
    mocked_tool_names: list[str] = []
    fallback_strategy: Annotated[str, Known("raise_error", "call_real_tool")] = "call_real_tool"
    """For a tool without a mock that fits."""


class Begun(BaseModel):
    """A conversation that goes on."""

    conversation_id: str


class StartConversation(
    Operation[Begun], method="WS", path=PATH, guarded=outward(*PROMPTS, "**.custom_llm_extra_body")
):
    """Connect, and bring along what the agent is to know. Overrides must be open in platform_settings.overrides."""

    agent_id: Annotated[AgentId, Query()]
    conversation_config_override: ConfigOverride = Field(default_factory=ConfigOverride)
    custom_llm_extra_body: dict[str, object] = {}
    user_id: str | None = None
    source_info: SourceInfo = Field(default_factory=SourceInfo)
    dynamic_variables: dict[str, Scalar | None] = {}
    tool_mock_config: Mocking = Field(default_factory=Mocking)

    def frame(self) -> Json:
        return {"type": "conversation_initiation_client_data", **(self.body() or {})}


class SendMessage(Operation[None], method="WS", path=PATH):
    """Say something as the user, and answer the client tools that the agent has called."""

    conversation_id: ConversationId
    text: Annotated[str, Field(max_length=100_000)] | None = None
    tool_results: dict[str, Any] = {}
    """By the id of the call."""


class EndConversation(Operation[None], method="WS", path=PATH):
    """Hang up."""

    conversation_id: ConversationId
