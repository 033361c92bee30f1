"""Agent configuration of the tools: everyday fields as flat arguments, all others in one `config` object."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated, Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..approval.call import Api
from ..contract.agents import Agent, CreateAgent
from ..contract.describe import part_names
from ..contract.knowledge_base import GetDocument
from ..contract.merge import Json
from ..replies.text import short
from ..replies.views import View, Whole
from .documents import put

Name = Annotated[str, Field(min_length=1, max_length=200, description="Display name.")]
Prompt = Annotated[str, Field(max_length=500_000, description="System prompt: role, goals, rules, tone.")]
FirstMessage = Annotated[str, Field(max_length=10_000, description="Said first; empty: the caller begins.")]
Language = Annotated[str, Field(pattern="^[a-z]{2,3}(-[A-Za-z]+)?$", description="Language code, as en or de.")]
Llm = Annotated[str, Field(max_length=100, description="Model, as gpt-4o.")]
Temperature = Annotated[float, Field(ge=0, le=1, description="0 precise to 1 lively.")]
Voice = Annotated[str, Field(max_length=100, description="Voice id.")]
DocumentIds = Annotated[list[str], Field(max_length=200, description="Known to it, from list_documents.")]
ToolIds = Annotated[list[str], Field(max_length=200, description="Stored tools, from list_tools.")]
TestIds = Annotated[list[str], Field(max_length=200, description="Attached, from list_agent_tests.")]
Tags = Annotated[list[str], Field(max_length=50, description="Labels for finding it.")]
_REST = "Rest of the body: conversation_config, platform_settings, workflow."
Config = Annotated[Json, Field(description=_REST)]
Changes = Annotated[Json, Field(description=f"{_REST} Merged; null clears.")]

_FLAT = {
    "prompt": ("conversation_config", "agent", "prompt", "prompt"),
    "first_message": ("conversation_config", "agent", "first_message"),
    "language": ("conversation_config", "agent", "language"),
    "llm": ("conversation_config", "agent", "prompt", "llm"),
    "temperature": ("conversation_config", "agent", "prompt", "temperature"),
    "voice_id": ("conversation_config", "tts", "voice_id"),
    "tool_ids": ("conversation_config", "agent", "prompt", "tool_ids"),
    "test_ids": ("platform_settings", "testing", "attached_tests"),
    "name": ("name",),
    "tags": ("tags",),
}
_SECTIONS = ("conversation_config", "platform_settings", "workflow")

PROMPT_SHOWN = 6_000
PROMPT_ECHOED = 300
"""Characters of the prompt in the result of a change: the caller has written it, and get_agent shows all of it."""


class AgentView(View):
    agent_id: str
    name: str
    language: str | None = None
    llm: str | None = None
    temperature: float | None = None
    voice_id: str | None = None
    first_message: str
    prompt: str
    prompt_length: int
    documents: list[str]
    tools: list[str]
    tests: list[str]
    criteria: list[str]
    data_collection: list[str]
    phone_numbers: list[str]
    tags: list[str]
    updated_at_unix_secs: int
    notes: list[str] | None = None
    """What was written differently, or may not do what was meant."""

    def whole(self) -> Whole | None:
        uri = f"callwright://agents/{self.agent_id}/prompt"
        return Whole(uri, "Whole prompt", "text/markdown") if len(self.prompt) < self.prompt_length else None

    @classmethod
    def of(cls, agent: Agent, notes: Sequence[str] = (), prompt_shown: int = PROMPT_ECHOED) -> "AgentView":
        config = agent.conversation_config
        words, told = config.agent, config.agent.prompt
        prompt, criteria = told.prompt or "", agent.platform_settings.evaluation.criteria
        built_in = [name for name in type(told.built_in_tools).model_fields if getattr(told.built_in_tools, name)]
        inline = [str(getattr(tool, "name", "")) for tool in told.tools]
        numbers = [str(getattr(number, "phone_number", "")) for number in agent.phone_numbers]
        return cls(
            agent_id=agent.agent_id,
            name=agent.name,
            language=words.language,
            llm=told.llm,
            temperature=told.temperature,
            voice_id=config.tts.voice_id,
            first_message=(words.first_message or "")[:2_000],
            prompt=prompt if len(prompt) <= prompt_shown else f"{prompt[:prompt_shown]}…",
            prompt_length=len(prompt),
            documents=[f"{short(document.name)} ({document.id})" for document in told.knowledge_base[:50]],
            tools=[*built_in, *filter(None, inline), *told.tool_ids][:50],
            tests=[test.test_id for test in agent.platform_settings.testing.attached_tests[:50]],
            criteria=[f"{c.id}: {short(c.conversation_goal_prompt, 160)}" for c in criteria[:30]],
            data_collection=sorted(agent.platform_settings.data_collection)[:50],
            phone_numbers=numbers[:50],
            tags=agent.tags,
            updated_at_unix_secs=agent.metadata.updated_at_unix_secs,
            notes=[short(note, 300) for note in notes[:20]] or None,
        )


async def changes_of(api: Api, agent_id: str | None, config: Json | None, **flat: Any) -> Json:
    """The REST body of the given arguments. Raises ToolError if it is empty, or a field is set twice."""
    body: Json = {}
    for key, value in (config or {}).items():
        if key not in _SECTIONS:
            inside = [name for name in _SECTIONS if key in part_names(CreateAgent.model_fields[name].annotation)]
            where = f"did you mean config.{inside[0]}.{key}?" if inside else f"allowed: {', '.join(_SECTIONS)}."
            raise ToolError(f"config.{key} is unknown; {where}")
        body[key] = deepcopy(value)  # an approved call runs again with the original arguments
    if flat.get("document_ids") is not None:
        documents = [await _locator(api, id) for id in dict.fromkeys(flat["document_ids"])]
        put(body, ("conversation_config", "agent", "prompt", "knowledge_base"), documents, "document_ids")
    if flat.get("test_ids") is not None:
        flat["test_ids"] = [{"test_id": id} for id in dict.fromkeys(flat["test_ids"])]
    for name, path in _FLAT.items():
        put(body, path, flat.get(name), name)
    if agent_id is not None and not body:
        raise ToolError("Nothing to change: give at least one argument besides agent_id.")
    return body


async def _locator(api: Api, document_id: str) -> Json:
    found = await api.send(GetDocument(documentation_id=document_id))
    document = cast(Any, found)
    return {"type": document.type, "id": document_id, "name": document.name, "usage_mode": "auto"}
