"""Who may talk to an agent, what they may change, and how often."""

import re
from typing import Annotated

from pydantic import Field

from ..common import Checked, Confidential, Limits, Maybe, Wire

MAX_ALLOWED_HOSTS = 10
_HOST = re.compile(r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?")


class AllowedHost(Wire):
    """A host name, with its port where it has one, compared exactly."""

    hostname: str


def check_hosts(hosts: list[AllowedHost]) -> None:
    """At most ten, each once, spelt as a browser names the host of a page: compared exactly, others let nobody in."""
    if len(hosts) > MAX_ALLOWED_HOSTS:
        raise ValueError(f"at most {MAX_ALLOWED_HOSTS} host names")
    names = [host.hostname.lower() for host in hosts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"each host name once: {', '.join(twice)}")
    if wrong := [name for name in names if not _HOST.fullmatch(name)]:
        said = "a host name with its port where it has one, as in shop.example or localhost:3000, no scheme, path or *"
        raise ValueError(f"{said}: {', '.join(wrong)}")


class Auth(Wire):
    """Who may talk to the agent."""

    enable_auth: Maybe[bool] = None
    allowlist: Annotated[list[AllowedHost], Checked(check_hosts, source="guide: authentication, allowlists")] = []
    """Empty lets every page in."""
    shareable_token: Annotated[str, Confidential()] | None = None


class SpeechPermissions(Wire):
    """Which voice settings a caller's client may change."""

    voice_id: Maybe[bool] = None
    stability: Maybe[bool] = None
    speed: Maybe[bool] = None
    similarity_boost: Maybe[bool] = None


class SessionPermissions(Wire):
    """Whether a caller's client may choose text only."""

    text_only: Maybe[bool] = None


class PromptPermissions(Wire):
    """Which parts of the prompt a caller's client may change."""

    prompt: Maybe[bool] = None
    native_mcp_server_ids: Maybe[bool] = None


class AgentPermissions(Wire):
    """Which words a caller's client may change."""

    first_message: Maybe[bool] = None
    language: Maybe[bool] = None
    prompt: PromptPermissions = Field(default_factory=PromptPermissions)


class ConfigPermissions(Wire):
    """What a caller's client may change, section by section."""

    tts: SpeechPermissions = Field(default_factory=SpeechPermissions)
    conversation: SessionPermissions = Field(default_factory=SessionPermissions)
    agent: AgentPermissions = Field(default_factory=AgentPermissions)


class Overrides(Wire):
    """What whoever starts a conversation may change; closed unless opened."""

    conversation_config_override: ConfigPermissions = Field(default_factory=ConfigPermissions)
    custom_llm_extra_body: Maybe[bool] = None
    """Whether it may pass fields on to an LLM of one's own."""
    enable_conversation_initiation_client_data_from_webhook: Maybe[bool] = None
    """Whether the webhook is asked before a call."""


class CallLimits(Wire):
    """How many conversations at once and a day."""

    agent_concurrency_limit: Maybe[Annotated[int, Limits(ge=-1, source="guide: burst pricing")]] = None
    """-1: as many as the workspace may have."""
    daily_limit: Maybe[int] = None
    """Conversations a day."""
    bursting_enabled: Maybe[bool] = None
    """Up to three times the limit, at twice the price."""
