"""Voices that an agent can have. Not part of the agents' API, but no agent can be given a voice without it."""

from .common import Cursor, PageSize, Wire
from .operation import Operation


class Voice(Wire):
    """A voice, described in words."""

    voice_id: str
    name: str | None = None
    category: str | None = None
    labels: dict[str, str] = {}
    """Such as `accent`, `gender`, `age`, `language`, `descriptive` (its tone), `use_case`."""
    description: str | None = None
    preview_url: str | None = None


class VoicePage(Wire):
    """One page of voices."""

    voices: list[Voice]
    has_more: bool
    total_count: int | None = None
    next_page_token: str | None = None


class ListVoices(Operation[VoicePage], method="GET", path="/v2/voices", measured=False):
    """Find voices by words in their names, descriptions and labels."""

    next_page_token: Cursor | None = None
    page_size: PageSize = 10
    search: str | None = None
