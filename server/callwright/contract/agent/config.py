"""The part of an agent that shapes its conversations."""

from pydantic import Field

from ..common import Maybe, Wire
from .overrides import ConfigOverride
from .prompt import Prompt
from .speech import Recognition, Session, Speech, TurnTaking, VoiceDetection
from .variables import DynamicVariables


class FirstMessageTranslation(Wire):
    """A translated greeting, and of which text it is one."""

    source_hash: str
    text: str


class LanguagePreset(Wire):
    """What changes when the conversation is in this language."""

    overrides: ConfigOverride
    first_message_translation: FirstMessageTranslation | None = None


class AgentConfig(Wire):
    """Words, language and prompt."""

    first_message: Maybe[str] = None
    language: Maybe[str] = None
    dynamic_variables: DynamicVariables = Field(default_factory=DynamicVariables)
    disable_first_message_interruptions: Maybe[bool] = None
    prompt: Prompt = Field(default_factory=Prompt)


class ConversationConfig(Wire):
    """Everything that shapes a conversation."""

    asr: Recognition = Field(default_factory=Recognition)
    turn: TurnTaking = Field(default_factory=TurnTaking)
    tts: Speech = Field(default_factory=Speech)
    conversation: Session = Field(default_factory=Session)
    language_presets: dict[str, LanguagePreset] = {}
    vad: VoiceDetection = Field(default_factory=VoiceDetection)
    agent: AgentConfig = Field(default_factory=AgentConfig)
