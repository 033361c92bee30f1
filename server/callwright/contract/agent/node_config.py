"""What a node of a workflow changes about its agent: every field may be null, which inherits."""

from ..common import Scalar, Wire
from .config import LanguagePreset
from .prompt import CustomLlm, EmbeddingModel, InlineTool, KnowledgeLocator, Llm, ReasoningEffort
from .speech import (
    AudioFormat,
    ClientEvent,
    LatencyLevel,
    PronunciationLocator,
    Proportion,
    RecognitionProvider,
    RecognitionQuality,
    SpeechModel,
    Speed,
    SupportedVoices,
    TurnMode,
    TurnTimeout,
)
from .system_tools import BuiltInTools


class NodeRecognition(Wire):
    """How the caller is heard."""

    quality: RecognitionQuality | None = None
    provider: RecognitionProvider | None = None
    user_input_audio_format: AudioFormat | None = None
    keywords: list[str] | None = None


class NodeTurnTaking(Wire):
    """Who speaks when. Times in seconds."""

    turn_timeout: TurnTimeout | None = None
    silence_end_call_timeout: float | None = None
    mode: TurnMode | None = None


class NodeSpeech(Wire):
    """How the agent sounds."""

    model_id: SpeechModel | None = None
    voice_id: str | None = None
    supported_voices: SupportedVoices | None = None
    agent_output_audio_format: AudioFormat | None = None
    optimize_streaming_latency: LatencyLevel | None = None
    stability: Proportion | None = None
    speed: Speed | None = None
    similarity_boost: Proportion | None = None
    pronunciation_dictionary_locators: list[PronunciationLocator] | None = None


class NodeSession(Wire):
    """Bounds and events."""

    text_only: bool | None = None
    max_duration_seconds: int | None = None
    client_events: list[ClientEvent] | None = None


class NodeVoiceDetection(Wire):
    """How speech is told from noise."""

    background_voice_detection: bool | None = None


class NodeVariables(Wire):
    """Values that stand in for variables."""

    dynamic_variable_placeholders: dict[str, Scalar] | None = None


class NodeRetrieval(Wire):
    """How passages are looked up."""

    enabled: bool | None = None
    embedding_model: EmbeddingModel | None = None
    max_vector_distance: float | None = None
    max_documents_length: int | None = None
    max_retrieved_rag_chunks_count: int | None = None


class NodePrompt(Wire):
    """What the agent is told, with which model, tools and knowledge."""

    prompt: str | None = None
    llm: Llm | None = None
    reasoning_effort: ReasoningEffort | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tool_ids: list[str] | None = None
    built_in_tools: BuiltInTools | None = None
    mcp_server_ids: list[str] | None = None
    native_mcp_server_ids: list[str] | None = None
    knowledge_base: list[KnowledgeLocator] | None = None
    custom_llm: CustomLlm | None = None
    ignore_default_personality: bool | None = None
    rag: NodeRetrieval | None = None
    timezone: str | None = None
    tools: list[InlineTool] | None = None


class NodeAgent(Wire):
    """Words, language and prompt."""

    first_message: str | None = None
    language: str | None = None
    dynamic_variables: NodeVariables | None = None
    disable_first_message_interruptions: bool | None = None
    prompt: NodePrompt | None = None


class NodeConfig(Wire):
    """What a node changes about the agent; null inherits."""

    asr: NodeRecognition | None = None
    turn: NodeTurnTaking | None = None
    tts: NodeSpeech | None = None
    conversation: NodeSession | None = None
    language_presets: dict[str, LanguagePreset] | None = None
    vad: NodeVoiceDetection | None = None
    agent: NodeAgent | None = None
