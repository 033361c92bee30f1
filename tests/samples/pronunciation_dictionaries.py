"""Sample calls of the operations on pronunciation dictionaries."""

from callwright.contract.pronunciation_dictionaries import (
    AddDictionaryRules,
    CreateDictionaryFromFile,
    CreateDictionaryFromRules,
    DownloadDictionary,
    GetDictionary,
    ListDictionaries,
    RemoveDictionaryRules,
    SetDictionaryRules,
    UpdateDictionary,
)
from tests.laws.largest_answers import ROWS, TEXT

from . import plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateDictionaryFromFile,
        files={"name": (None, b"Names", "text/plain"), "file": ("names.pls", plain.PLS, "text/xml")},
        sdk=[
            Sdk(
                f"{whole.PD}.create_from_file",
                {"name": "Namen é", "file": whole.LEXICON, "description": "für alle", "workspace_access": "viewer"},
            )
        ],
    ),
    Sample(
        CreateDictionaryFromRules,
        tool="add_pronunciation_dictionary",
        request={"name": "Names", "rules": [plain.ALIAS]},
        makes=("pronunciation_dictionary_id", "id"),
        sdk=[
            Sdk(
                f"{whole.PD}.create_from_rules",
                {"name": "Namen é", "rules": whole.RULES, "description": "für alle", "workspace_access": "editor"},
            )
        ],
        calls=[{"name": "Names", "pls": probing.PLS}, {"dictionary_id": "pdict_1", "pls": probing.PLS}],
        unreached={
            "description": "only those see it who open the dictionary on the platform's pages",
            "workspace_access": "sharing is the platform's own matter",
            **{
                f"rules.*<{kind}>.{field}": probing.MATCHING
                for kind in ("AliasRule", "PhonemeRule")
                for field in ("case_sensitive", "word_boundaries")
            },
        },
        phrases=["add a pronunciation dictionary from a file"],
    ),
    Sample(
        ListDictionaries,
        tool="list_pronunciation_dictionaries",
        lists="pronunciation_dictionaries",
        sdk=[
            Sdk(f"{whole.PD}.list", {"cursor": "c+/=", "page_size": 9, "sort": "name", "sort_direction": "ascending"})
        ],
        calls=[probing.PAGE],
        unreached={
            "include_archived": "archived ones were put out of sight",
            "sort": "the newest first is what is asked for",
            "sort_direction": "the same",
        },
        phrases=["which pronunciation dictionaries are there"],
    ),
    Sample(GetDictionary, sdk=[Sdk(f"{whole.PD}.get", {"pronunciation_dictionary_id": whole.PD_1})]),
    Sample(
        UpdateDictionary,
        request={"name": "People"},
        sdk=[
            Sdk(f"{whole.PD}.update", {"pronunciation_dictionary_id": whole.PD_1, "archived": True, "name": "Leute ü"})
        ],
    ),
    Sample(
        SetDictionaryRules,
        request={"rules": [plain.ALIAS]},
        without_sdk="newer than SDK 2.23.0",
        arguments={"pronunciation_dictionary_id": "d", "rules": []},
        unreached={
            **{
                f"rules.*<{kind}>.{field}": probing.MATCHING
                for kind in ("AliasRule", "PhonemeRule")
                for field in ("case_sensitive", "word_boundaries")
            }
        },
    ),
    Sample(
        AddDictionaryRules,
        request={"rules": [{**plain.ALIAS, "string_to_replace": "WHO"}]},
        sdk=[Sdk(f"{whole.PD}.rules.add", {"pronunciation_dictionary_id": whole.PD_1, "rules": whole.RULES})],
    ),
    Sample(
        RemoveDictionaryRules,
        request={"rule_strings": ["UN"]},
        sdk=[
            Sdk(f"{whole.PD}.rules.remove", {"pronunciation_dictionary_id": whole.PD_1, "rule_strings": ["Zoë", "UN"]})
        ],
    ),
    Sample(
        DownloadDictionary,
        tool="preview_pronunciation",
        answers=(200, "application/pls+xml"),
        sdk=[Sdk(f"{whole.PD}.download", {"dictionary_id": whole.PD_1, "version_id": "pver_1"})],
        largest={
            "text": " ".join(f"w{n}" for n in range(ROWS)),
            "aliases": {f"w{n}": TEXT[:450] for n in range(ROWS)},
        },
        phrases=["how will a voice pronounce these words with our dictionary"],
    ),
]
