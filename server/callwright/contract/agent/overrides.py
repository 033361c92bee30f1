"""What one conversation, or one language, changes about an agent."""

from ..common import Wire
from .prompt import Llm
from .speech import Proportion, Speed


class SoftTimeoutOverride(Wire):
    """What is said while an answer takes long."""

    message: str | None = None


class TurnOverride(Wire):
    """Turn taking for one conversation."""

    soft_timeout_config: SoftTimeoutOverride | None = None


class SpeechOverride(Wire):
    """Voice for one conversation."""

    voice_id: str | None = None
    stability: Proportion | None = None
    speed: Speed | None = None
    similarity_boost: Proportion | None = None


class SessionOverride(Wire):
    """Text only or not, for one conversation."""

    text_only: bool | None = None


class PromptOverride(Wire):
    """Prompt for one conversation."""

    prompt: str | None = None
    llm: Llm | None = None
    native_mcp_server_ids: list[str] | None = None


class AgentOverride(Wire):
    """Words and language for one conversation."""

    first_message: str | None = None
    language: str | None = None
    prompt: PromptOverride | None = None


class ConfigOverride(Wire):
    """What one conversation, or one language, changes about the agent."""

    turn: TurnOverride | None = None
    tts: SpeechOverride | None = None
    conversation: SessionOverride | None = None
    agent: AgentOverride | None = None
