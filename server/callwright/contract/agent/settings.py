"""The part of an agent that is not the conversation itself."""

from typing import Annotated

from pydantic import Field

from ..common import Known, Maybe, WebhookHeaderValue, Wire
from .access import Auth, CallLimits, Overrides
from .evaluation import AttachedTests, Evaluation
from .privacy import Privacy
from .tool_schemas import LiteralProperty
from .widget import Widget


class InitiationWebhook(Wire):
    """Asked for a caller's data before a phone call is answered."""

    url: str
    request_headers: dict[str, WebhookHeaderValue]


class Webhooks(Wire):
    """What is told about finished calls, and to which webhook."""

    post_call_webhook_id: str | None = None
    events: list[Annotated[str, Known("transcript", "audio", "call_initiation_failure")]] = []
    send_audio: bool | None = None


class WorkspaceOverrides(Wire):
    """Webhooks of this agent instead of the workspace's."""

    conversation_initiation_client_data_webhook: InitiationWebhook | None = None
    webhooks: Webhooks = Field(default_factory=Webhooks)


class Safety(Wire):
    """Whether the platform has blocked the agent."""

    is_blocked_ivc: Maybe[bool] = None
    is_blocked_non_ivc: Maybe[bool] = None
    ignore_safety_evaluation: Maybe[bool] = None


class PlatformSettings(Wire):
    """Everything about an agent that is not the conversation itself."""

    auth: Auth = Field(default_factory=Auth)
    evaluation: Evaluation = Field(default_factory=Evaluation)
    widget: Widget = Field(default_factory=Widget)
    data_collection: dict[str, LiteralProperty] = {}
    """What to find in finished conversations, by the name to keep it under."""
    overrides: Overrides = Field(default_factory=Overrides)
    call_limits: CallLimits = Field(default_factory=CallLimits)
    privacy: Privacy = Field(default_factory=Privacy)
    workspace_overrides: WorkspaceOverrides = Field(default_factory=WorkspaceOverrides)
    testing: AttachedTests = Field(default_factory=AttachedTests)
    archived: Maybe[bool] = None
    """Kept, but out of the way."""
    safety: Safety = Field(default_factory=Safety)
