"""Hints about valid agent configurations that most likely do not do what their author wants."""

from collections.abc import Iterator
from typing import Any

from ..contract.agent.workflow import Workflow
from ..contract.agents import Agent
from ..workflow.problems import unreachable
from .text import short

ENGLISH_ONLY = {"eleven_turbo_v2": "eleven_turbo_v2_5", "eleven_flash_v2": "eleven_flash_v2_5"}
"""English-only speech model -> the multilingual model of the same kind."""


def hints_of(agent: Agent) -> Iterator[str]:
    config = agent.conversation_config
    model, language = config.tts.model_id, config.agent.language
    if model in ENGLISH_ONLY and language not in (None, "en"):
        yield f"{model} speaks English only; {language} is spoken by {ENGLISH_ONLY[model]}."
    session = config.conversation
    if session.text_only and "agent_response" not in session.client_events:
        yield "A text conversation shows no answers: conversation.client_events lacks agent_response."
    spoken = {language, *config.language_presets}
    if silent := sorted(set(agent.platform_settings.widget.language_presets) - spoken):
        yield f"The widget has labels in languages that the agent does not speak: {', '.join(map(short, silent[:10]))}."
    if agent.workflow is not None and (lost := unreachable(_dumped(agent.workflow))):
        yield f"No conversation gets to these nodes of the workflow: {', '.join(map(short, lost[:10]))}."


def _dumped(workflow: Workflow) -> dict[str, Any]:
    return workflow.model_dump(mode="json", by_alias=True, exclude_unset=True)
