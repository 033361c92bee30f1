"""Hear with the eyes how dictionaries change what is spoken, before a voice says it."""

from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..pronunciation.lexicon import CHARACTERS, Entry, Lexicon, read_lexicon
from ..pronunciation.speaking import SOUNDS_MODEL, speak
from .text import short
from .views import View

SHOWN = 20
"""Entries of each list."""
SPOKEN_LENGTH = 6_000


class Pronounced(View):
    spoken: str
    applied: list[str]
    skipped: list[str] = []
    entries: int
    note: str | None = None


async def preview_pronunciation(
    text: Annotated[str, Field(max_length=4_000, description="What the agent says.")],
    aliases: Annotated[dict[str, Any] | None, Field(description="Word to what is said for it.")] = None,
    pls: Annotated[str | None, Field(max_length=100_000, description="A dictionary's XML.")] = None,
    model: Annotated[str, Field(max_length=100, description="Speech model.")] = SOUNDS_MODEL,
) -> Pronounced:
    """Show what a voice speaks with a pronunciation dictionary: aliases put in, phonemes in slashes."""
    lexicons: list[Lexicon] = [_aliases(aliases)] if aliases else []
    if pls:
        lexicons.append(read_lexicon(pls.encode()))
    if not lexicons:
        raise ToolError("Give aliases, or pls: the XML of a dictionary.")
    found = speak(text, lexicons, model)
    return Pronounced(
        spoken=_cut(found.text),
        applied=_shown(found.applied),
        skipped=_shown(found.skipped),
        entries=len({form for lexicon in lexicons for form in lexicon}),
        note=f"{short(model)} speaks no phonemes; {SOUNDS_MODEL} does." if found.skipped else None,
    )


def _cut(text: str) -> str:
    return text if len(text) <= SPOKEN_LENGTH else f"{text[: SPOKEN_LENGTH - 1]}…"


def _aliases(given: dict[str, Any]) -> Lexicon:
    for form, said in given.items():
        if not (isinstance(said, str) and said.strip() and form.strip() and len(form + said) <= CHARACTERS):
            raise ToolError(f"aliases.{short(form)} must be text, with its word at most {CHARACTERS} characters.")
    return {form.strip(): Entry(str(said).strip()) for form, said in given.items()}


def _shown(entries: dict[str, Entry]) -> list[str]:
    return [
        f"{short(form)}: {entry.alphabet or 'alias'} {short(entry.spoken)}"
        for form, entry in list(entries.items())[:SHOWN]
    ]
