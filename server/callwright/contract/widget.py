"""The widget of an agent, as a web page sees it, and its picture."""

from typing import Annotated

from pydantic import Field

from .agent.widget import WidgetLook, WidgetTexts
from .common import AgentId, Known, Maybe, Wire
from .operation import Blob, Operation


class EndFeedback(Wire):
    """What the caller is asked at the end."""

    type: Maybe[Annotated[str, Known("rating")]] = None


class PublicLanguagePreset(Wire):
    """Greeting and labels in one language."""

    first_message: str | None = None
    text_contents: WidgetTexts | None = None


class PublicWidget(WidgetLook):
    """The widget with what a page must know of its agent."""

    end_feedback: EndFeedback | None = None
    language: str
    supported_language_overrides: list[str] | None = None
    """Languages that a caller may choose instead; null where the agent forbids it."""
    language_presets: dict[str, PublicLanguagePreset] = {}
    text_only: Maybe[bool] = None
    first_message: str | None = None
    use_rtc: bool | None = None


class EmbeddedAgent(Wire):
    """An agent as its widget knows it."""

    agent_id: str
    widget_config: PublicWidget


class UploadedAvatar(Wire):
    """Where the picture can be seen from now on."""

    agent_id: str
    avatar_url: str | None = None


class GetWidget(Operation[EmbeddedAgent], method="GET", path="/v1/convai/agents/{agent_id}/widget"):
    """Read the widget as a web page does."""

    agent_id: AgentId
    conversation_signature: Annotated[str, Field(max_length=1024)] | None = None
    """From a signed URL; needed where the agent demands one."""


class UploadAvatar(
    Operation[UploadedAvatar], method="POST", path="/v1/convai/agents/{agent_id}/avatar", effect="update"
):
    """Replace the picture in the widget."""

    agent_id: AgentId
    avatar_file: Blob


class GetAvatar(Operation[Blob], method="GET", path="/v1/convai/avatars/{agent_id}", measured=False):
    """Read the uploaded picture (embedded platform only; the widget's configuration names this address)."""

    agent_id: AgentId
