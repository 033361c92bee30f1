"""Dictionaries that say how words are spoken, in versions that never change.

They belong to the speech API, so the published facts of the agents' API have only the locators that name them. What
they look like is known from the platform's own SDK: hence `measured=False`, and the tests that drive that SDK (its
requests against ours, its models against the answers of the embedded platform) measure them instead.
"""

from typing import Annotated, Literal

from pydantic import Field

from .common import Cursor, Known, Maybe, OneOf, PageSize, PronunciationId, Unknown, Variant, VersionId, Wire
from .guards import inward
from .operation import Blob, Operation

Access = Annotated[str, Known("admin", "editor", "commenter", "viewer")]
DictionaryName = Annotated[str, Field(min_length=1)]


class Rule(Variant):
    """What every rule has. The two marks are younger than the rest; without them a platform chooses."""

    string_to_replace: str
    case_sensitive: Maybe[bool] = None
    word_boundaries: Maybe[bool] = None
    """Whether it is replaced only where it is a whole word."""


class AliasRule(Rule):
    """Speaks other words instead."""

    type: Literal["alias"] = "alias"
    alias: str


class PhonemeRule(Rule):
    """Speaks these sounds instead; only some speech models can."""

    type: Literal["phoneme"] = "phoneme"
    phoneme: str
    alphabet: str
    """`ipa` or `cmu-arpabet`."""


PronunciationRule = Annotated[AliasRule | PhonemeRule | Unknown, OneOf("type")]


class AddedDictionary(Wire):
    """The new dictionary with its first version. Times in Unix seconds."""

    id: str
    name: str
    created_by: str
    creation_time_unix: int
    version_id: str
    version_rules_num: int
    description: str | None = None
    permission_on_resource: Access | None = None


class Dictionary(Wire):
    """What a dictionary is called, and which version is the newest."""

    id: str
    name: str
    latest_version_id: str
    latest_version_rules_num: int
    created_by: str
    creation_time_unix: int
    archived_time_unix: int | None = None
    """Null where it is not archived."""
    description: str | None = None
    permission_on_resource: Access | None = None


class WholeDictionary(Dictionary):
    """The same with the rules of its newest version, which older platforms leave out."""

    rules: list[PronunciationRule] | None = None


class DictionaryPage(Wire):
    """One page of dictionaries."""

    pronunciation_dictionaries: list[Dictionary]
    next_cursor: str | None = None
    has_more: bool


class DictionaryVersion(Wire):
    """The version that a change of rules made."""

    id: str
    """Of the dictionary."""
    version_id: str
    version_rules_num: int


class CreateDictionaryFromFile(
    Operation[AddedDictionary],
    method="POST",
    path="/v1/pronunciation-dictionaries/add-from-file",
    guarded=inward("workspace_access"),
    measured=False,
):
    """Add a dictionary from a lexicon (`.pls`); without a file it has no rules yet."""

    name: DictionaryName
    file: Maybe[Blob] = None
    description: str | None = None
    workspace_access: Access | None = None


class CreateDictionaryFromRules(
    Operation[AddedDictionary],
    method="POST",
    path="/v1/pronunciation-dictionaries/add-from-rules",
    guarded=inward("workspace_access"),
    measured=False,
):
    """Add a dictionary from rules."""

    rules: list[PronunciationRule]
    name: DictionaryName
    description: str | None = None
    workspace_access: Access | None = None


class ListDictionaries(Operation[DictionaryPage], method="GET", path="/v1/pronunciation-dictionaries", measured=False):
    """List dictionaries, newest first unless told otherwise."""

    cursor: Cursor | None = None
    page_size: PageSize = 30
    sort: Literal["creation_time_unix", "name"] = "creation_time_unix"
    sort_direction: Literal["ascending", "descending", "ASCENDING", "DESCENDING"] = "descending"
    include_archived: bool = False


class GetDictionary(
    Operation[WholeDictionary],
    method="GET",
    path="/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}",
    measured=False,
):
    """Read a dictionary."""

    pronunciation_dictionary_id: PronunciationId


class UpdateDictionary(
    Operation[Dictionary],
    method="PATCH",
    path="/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}",
    measured=False,
):
    """Rename a dictionary, archive it or take it back; its versions stay."""

    pronunciation_dictionary_id: PronunciationId
    archived: Maybe[bool] = None
    name: Maybe[DictionaryName] = None


class SetDictionaryRules(
    Operation[DictionaryVersion],
    method="POST",
    path="/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/set-rules",
    effect="update",
    measured=False,
):
    """Make a version that has these rules and no others."""

    pronunciation_dictionary_id: PronunciationId
    rules: list[PronunciationRule]


class AddDictionaryRules(
    Operation[DictionaryVersion],
    method="POST",
    path="/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/add-rules",
    effect="update",
    measured=False,
):
    """Make a version that has these rules besides; they take the place of others for the same words."""

    pronunciation_dictionary_id: PronunciationId
    rules: list[PronunciationRule]


class RemoveDictionaryRules(
    Operation[DictionaryVersion],
    method="POST",
    path="/v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/remove-rules",
    effect="update",
    measured=False,
):
    """Make a version without the rules for these words."""

    pronunciation_dictionary_id: PronunciationId
    rule_strings: list[str]


class DownloadDictionary(
    Operation[Blob],
    method="GET",
    path="/v1/pronunciation-dictionaries/{dictionary_id}/{version_id}/download",
    measured=False,
):
    """Read one version as a lexicon (`.pls`)."""

    dictionary_id: PronunciationId
    version_id: VersionId
