"""Tools for pronunciation dictionaries: their versions, and a preview in text of what a voice would speak."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..api.client import ApiClient
from ..approval.call import Api
from ..contract.agents import GetAgent
from ..contract.common import AgentId, Cursor, PageSize, PronunciationId
from ..contract.pronunciation_dictionaries import (
    CreateDictionaryFromRules,
    DownloadDictionary,
    GetDictionary,
    ListDictionaries,
    PronunciationRule,
    SetDictionaryRules,
    WholeDictionary,
)
from ..pronunciation.lexicon import CHARACTERS, FILE_BYTES, Entry, Lexicon, read_lexicon
from ..pronunciation.rules import rules_of, spaced
from ..pronunciation.speaking import SOUNDS_MODEL, speak
from ..replies.text import short
from ..replies.views import Page, View
from ..toolkit.files import PATH_LENGTH, read_file
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.undo import Json, Past, undoes

TOOLS = Toolset("pronunciation", "Keep and try out the dictionaries that say how words are spoken.")

SHOWN = 20
"""Maximum entries of each list in a result."""
SPOKEN_LENGTH = 6_000
MOST_DICTIONARIES = 10
"""Maximum dictionaries of an agent that are read."""

Aliases = Annotated[dict[str, Any] | None, Field(description="Word to what is said for it.")]
Pls = Annotated[str | None, Field(max_length=100_000, description="A dictionary's XML.")]


class Version(View):
    dictionary_id: str
    version_id: str
    words: int


class DictionaryLine(Version):
    name: str


class Dictionaries(Page):
    dictionaries: list[DictionaryLine]


class Pronounced(View):
    spoken: str
    applied: list[str]
    skipped: list[str] = []
    entries: int
    note: str | None = None


@TOOLS.tool(
    CreateDictionaryFromRules,
    SetDictionaryRules,
    GetDictionary,
    DownloadDictionary,
    title="Add pronunciation dictionary",
    default=False,
    words="pronounces pronounce wrong name company say word aussprache",
)
async def add_pronunciation_dictionary(
    api: PlatformApi,
    ctx: Context[Any],
    name: Annotated[str | None, Field(min_length=1, max_length=200, description="Name of a new one.")] = None,
    dictionary_id: Annotated[
        PronunciationId | None, Field(description="Gets a version: aliases add, XML replaces.")
    ] = None,
    aliases: Aliases = None,
    pls: Pls = None,
    path: Annotated[
        str | None, Field(max_length=PATH_LENGTH, description="A .pls file, in CALLWRIGHT_FILE_ROOTS.")
    ] = None,
) -> Version:
    """Add a pronunciation dictionary, or words to one. Agents use it by tts.pronunciation_dictionary_locators."""
    lexicons = _given(aliases, pls)
    if path is not None:
        file, data = read_file(ctx, path, FILE_BYTES)
        lexicons.append(read_lexicon(data))
        name = PurePath(file).stem if name is None and dictionary_id is None else name
    if not lexicons:
        raise ToolError("Give aliases, pls (the XML of a dictionary) or the path of a .pls file.")
    if (name is None) == (dictionary_id is None):
        raise ToolError("Give the name of a new dictionary, or the dictionary_id of one that gets a new version.")
    new = rules_of({form: entry for lexicon in reversed(lexicons) for form, entry in lexicon.items()})
    if dictionary_id is None:
        made = await api.send(CreateDictionaryFromRules(name=name or "", rules=new))
        return Version(dictionary_id=made.id, version_id=made.version_id, words=made.version_rules_num)
    whole = pls is not None or path is not None
    rules = new if whole else _together(await _rules(api, dictionary_id), new)
    changed = await api.send(SetDictionaryRules(pronunciation_dictionary_id=dictionary_id, rules=rules))
    return Version(dictionary_id=changed.id, version_id=changed.version_id, words=changed.version_rules_num)


@TOOLS.tool(ListDictionaries, title="List pronunciation dictionaries", default=False)
async def list_pronunciation_dictionaries(
    api: PlatformApi,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Dictionaries:
    """List pronunciation dictionaries, newest first, with their latest versions."""
    asked = {"page_size": page_size} | ({"cursor": cursor} if cursor else {})
    page = await api.send(ListDictionaries.model_validate(asked))
    lines = [
        DictionaryLine(
            dictionary_id=found.id,
            version_id=found.latest_version_id,
            words=found.latest_version_rules_num,
            name=short(found.name),
        )
        for found in page.pronunciation_dictionaries
    ]
    return Dictionaries(dictionaries=lines, has_more=page.has_more, next_cursor=page.next_cursor)


@TOOLS.tool(
    GetAgent,
    GetDictionary,
    DownloadDictionary,
    title="Preview pronunciation",
    default=False,
    words="say pronounce voice word hear",
)
async def preview_pronunciation(
    api: PlatformApi,
    text: Annotated[str, Field(max_length=4_000, description="What the agent says.")],
    aliases: Aliases = None,
    pls: Pls = None,
    dictionary_id: Annotated[PronunciationId | None, Field(description="A stored one.")] = None,
    agent_id: Annotated[AgentId | None, Field(description="With its dictionaries and model.")] = None,
    model: Annotated[str | None, Field(max_length=100, description="Speech model.")] = None,
) -> Pronounced:
    """Show what a voice speaks with pronunciation dictionaries: aliases put in, phonemes in slashes."""
    lexicons = _given(aliases, pls)
    if dictionary_id is not None:
        lexicons.append(await _lexicon(api, dictionary_id, None))
    if agent_id is not None:
        config = (await api.send(GetAgent(agent_id=agent_id))).conversation_config
        model = model or config.tts.model_id
        for named in config.tts.pronunciation_dictionary_locators[:MOST_DICTIONARIES]:
            lexicons.append(await _lexicon(api, named.pronunciation_dictionary_id, named.version_id))
    elif not lexicons:
        raise ToolError("Give aliases, pls (the XML of a dictionary), dictionary_id or agent_id.")
    model = model or SOUNDS_MODEL
    found = speak(text, lexicons, model)
    return Pronounced(
        spoken=_cut(found.text),
        applied=_shown(found.applied),
        skipped=_shown(found.skipped),
        entries=len({form for lexicon in lexicons for form in lexicon}),
        note=f"{short(model)} speaks no phonemes; {SOUNDS_MODEL} does." if found.skipped else None,
    )


@TOOLS.preview(CreateDictionaryFromRules)
async def _what_would_be_added(_: ApiClient, op: CreateDictionaryFromRules) -> str:
    return f"Add pronunciation dictionary {short(op.name)!r} with {len(op.rules):,} entries."


@TOOLS.preview(SetDictionaryRules)
async def _what_would_be_spoken(api: ApiClient, op: SetDictionaryRules) -> str:
    found = await api.send(GetDictionary(pronunciation_dictionary_id=op.pronunciation_dictionary_id))
    return (
        f"Give pronunciation dictionary {short(found.name)!r} ({found.id}) a new version. Words: {len(op.rules):,},"
        f" until now {found.latest_version_rules_num:,}."
    )


def _given(aliases: Mapping[str, Any] | None, pls: str | None) -> list[Lexicon]:
    return [
        *([_aliases(aliases)] if aliases else []),
        *([read_lexicon(pls.encode(errors="surrogatepass"))] if pls else []),
    ]


def _aliases(given: Mapping[str, Any]) -> Lexicon:
    for form, said in given.items():
        if not (isinstance(said, str) and said.strip() and form.strip() and len(form + said) <= CHARACTERS):
            raise ToolError(f"aliases.{short(form)} must be text, with its word at most {CHARACTERS} characters.")
    return {spaced(form): Entry(spaced(str(said))) for form, said in given.items()}


async def _lexicon(api: Api, dictionary_id: str, version_id: str | None) -> Lexicon:
    """The lexicon of a version, read from its file, which every platform has for every version."""
    if version_id is None:
        version_id = (await _stored(api, dictionary_id)).latest_version_id
    file = await api.send(DownloadDictionary(dictionary_id=dictionary_id, version_id=version_id))
    return read_lexicon(file.data, stored=True)


async def _rules(api: Api, dictionary_id: str) -> list[PronunciationRule]:
    """The rules of the latest version. Older platforms have them only in the file."""
    found = await _stored(api, dictionary_id)
    if found.rules is not None:
        return found.rules
    return rules_of(await _lexicon(api, dictionary_id, found.latest_version_id))


async def _stored(api: Api, dictionary_id: str) -> WholeDictionary:
    return await api.send(GetDictionary(pronunciation_dictionary_id=dictionary_id))


def _together(there: list[PronunciationRule], new: list[PronunciationRule]) -> list[PronunciationRule]:
    """All rules: new ones replace those for the same words, and the others are appended."""
    both = enumerate((*there, *new))  # a rule of a newer kind may have no words to replace: it equals no other rule
    return list({getattr(rule, "string_to_replace", place): rule for place, rule in both}.values())


def _cut(text: str) -> str:
    return text if len(text) <= SPOKEN_LENGTH else f"{text[: SPOKEN_LENGTH - 1]}…"


def _shown(entries: dict[str, Entry]) -> list[str]:
    return [
        f"{short(form)}: {entry.alphabet or 'alias'} {short(entry.spoken)}"
        for form, entry in list(entries.items())[:SHOWN]
    ]


async def _keep_rules(_: ApiClient, __: SetDictionaryRules, found: Json) -> Json | None:
    return {"rules": found["rules"]} if found.get("rules") is not None else None  # older platforms return no rules


@undoes(SetDictionaryRules, reads=GetDictionary, sends=SetDictionaryRules, keep=_keep_rules)
def _spoken_as_before(past: Past) -> SetDictionaryRules:
    return SetDictionaryRules.model_validate({"pronunciation_dictionary_id": past.target, **past.inverse()})
