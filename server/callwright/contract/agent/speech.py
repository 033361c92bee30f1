"""How an agent hears, takes turns and sounds."""

import re
from typing import Annotated

from ..common import Checked, Known, Limits, Maybe, Wire

AudioFormat = Annotated[
    str, Known("pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000", "ulaw_8000")
]
SpeechModel = Annotated[
    str, Known("eleven_turbo_v2", "eleven_turbo_v2_5", "eleven_flash_v2", "eleven_flash_v2_5", "eleven_multilingual_v2")
]
LatencyLevel = Annotated[int, Known(0, 1, 2, 3, 4)]
ClientEvent = Annotated[
    str,
    Known(
        "conversation_initiation_metadata",
        "asr_initiation_metadata",
        "ping",
        "audio",
        "interruption",
        "user_transcript",
        "tentative_user_transcript",
        "agent_response",
        "agent_response_correction",
        "client_tool_call",
        "mcp_tool_call",
        "mcp_connection_status",
        "agent_tool_response",
        "vad_score",
        "internal_turn_probability",
        "internal_tentative_agent_response",
    ),
]
RecognitionQuality = Annotated[str, Known("high")]
RecognitionProvider = Annotated[str, Known("elevenlabs")]
TurnMode = Annotated[str, Known("silence", "turn")]

Speed = Annotated[float, Limits(ge=0.7, le=1.2, source="guide: speed control")]
"""1.0 is the voice's own; outside these bounds it stops sounding natural."""
Proportion = Annotated[float, Limits(ge=0, le=1, source="the published WebSocket protocol")]
TurnTimeout = Annotated[float, Limits(ge=1, le=30, source="guide: conversation flow")]
"""Seconds of silence before the agent speaks up."""
MAX_SUPPORTED_VOICES = 9  # ten with the agent's own


class Recognition(Wire):
    """How the caller is heard."""

    quality: Maybe[RecognitionQuality] = None
    provider: Maybe[RecognitionProvider] = None
    user_input_audio_format: Maybe[AudioFormat] = None
    keywords: list[str] = []
    """Words to listen for, such as names of products."""


class TurnTaking(Wire):
    """Who speaks when. Times in seconds."""

    turn_timeout: Maybe[TurnTimeout] = None
    silence_end_call_timeout: Maybe[float] = None
    """Silence that ends the call; -1: none does."""
    mode: Maybe[TurnMode] = None


class SupportedVoice(Wire):
    """A further voice that the prompt can call up by its label, as in `<Joe>Hi!</Joe>`."""

    label: str
    voice_id: str
    description: str | None = None
    language: str | None = None
    model_family: Annotated[str, Known("turbo", "flash", "multilingual")] | None = None
    """Null: as the agent."""
    optimize_streaming_latency: LatencyLevel | None = None
    stability: Proportion | None = None
    speed: Speed | None = None
    similarity_boost: Proportion | None = None


def check_voices(voices: list[SupportedVoice]) -> None:
    """Few enough, and no two that the prompt would call by the same label. Text outside of tags is `default`."""
    if len(voices) > MAX_SUPPORTED_VOICES:
        raise ValueError(f"at most {MAX_SUPPORTED_VOICES} voices besides the agent's own")
    labels = [voice.label for voice in voices]
    if odd := [label for label in labels if not label.strip() or label == "default" or re.search(r"[<>/]", label)]:
        raise ValueError(f"a label stands in a tag, and default is the agent's own voice: {', '.join(map(repr, odd))}")
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ValueError(f"labels must differ: {', '.join(twice)}")


SupportedVoices = Annotated[list[SupportedVoice], Checked(check_voices, source="guide: several voices")]


class PronunciationLocator(Wire):
    """One pronunciation dictionary; no version means the newest."""

    pronunciation_dictionary_id: str
    version_id: str | None


class Speech(Wire):
    """How the agent sounds."""

    model_id: Maybe[SpeechModel] = None
    voice_id: Maybe[str] = None
    supported_voices: SupportedVoices = []
    agent_output_audio_format: Maybe[AudioFormat] = None
    optimize_streaming_latency: Maybe[LatencyLevel] = None
    """0 sounds best, 4 answers soonest."""
    stability: Maybe[Proportion] = None
    speed: Maybe[Speed] = None
    similarity_boost: Maybe[Proportion] = None
    pronunciation_dictionary_locators: list[PronunciationLocator] = []


class VoiceDetection(Wire):
    """How speech is told from noise."""

    background_voice_detection: Maybe[bool] = None


class Session(Wire):
    """Bounds of one conversation and what its client is told."""

    text_only: Maybe[bool] = None
    max_duration_seconds: Maybe[int] = None
    client_events: list[ClientEvent] = []
    """Callers may interrupt only with `interruption`, and read answers only with `agent_response`."""
