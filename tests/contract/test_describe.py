"""A large document, described part by part."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from scripts.meanings import meanings

from callwright.contract.agents import CreateAgent
from callwright.contract.describe import Described, NoSuchPart, Part, describe, meanings_of_fields
from callwright.contract.walk import spelt, strangers


def test_the_table_of_meanings_is_what_stands_below_the_fields() -> None:
    assert meanings_of_fields() == meanings(), "run scripts/snap"


def test_a_part_tells_fields_types_ranges_and_what_is_inside() -> None:
    assert describe(CreateAgent, "conversation_config.vad") == snapshot(
        Part(
            path="conversation_config.vad",
            type="object",
            meaning="How speech is told from noise.",
            fields=(Described(name="background_voice_detection", type="true or false"),),
        )
    )
    speech = {field.name: field for field in describe(CreateAgent, "conversation_config.tts").fields}
    assert speech["speed"].range == "0.7 to 1.2"
    assert "eleven_flash_v2" in speech["model_id"].allowed
    assert not speech["model_id"].closed
    assert "label" in speech["supported_voices"].parts


@pytest.mark.parametrize(
    "path",
    [
        "conversation_config.agent.prompt.tools.webhook.api_schema",
        "conversation_config.agent.prompt.tools.*.webhook.api_schema",
        "conversation_config.language_presets.de.overrides",
        "platform_settings.data_collection.*",
        "workflow.nodes.anything.override_agent",
        "conversation_config.agent.prompt.built_in_tools.transfer_to_agent.params.transfer_to_agent.transfers",
    ],
)
def test_lists_maps_and_kinds_are_walked_through(path: str) -> None:
    assert describe(CreateAgent, path).fields


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(NoSuchPart) as refused:
        describe(CreateAgent, "conversation_config.tts.pitch")
    assert str(refused.value).startswith("conversation_config.tts has no part 'pitch'; it has: model_id, voice_id")


def test_every_part_of_the_document_can_be_described() -> None:
    seen: set[tuple[str, str, str]] = set()
    todo = [""]
    while todo:
        path = todo.pop()
        part = describe(CreateAgent, path)
        for field in part.fields:
            inner = f"{path}.{field.name}".lstrip(".")
            if field.parts and inner.count(".") < 7 and (part.type, part.meaning, field.name) not in seen:
                seen.add((part.type, part.meaning, field.name))
                todo.append(inner)
    assert len(seen) > 60


def test_names_that_the_contract_does_not_know_are_found_wherever_they_stand() -> None:
    document: dict[str, Any] = {
        "conversation_config": {
            "tts": {"sped": 1.0, "supported_voices": [{"label": "Joe", "voice": "v"}]},
            "agent": {"prompt": {"tools": [{"type": "webhook", "api_schema": {"uri": "https://x"}}, {"type": "new"}]}},
            "language_presets": {"de": {"override": {}}},
        },
        "tags": [],
    }
    assert [spelt(path) for path, _, _ in strangers(CreateAgent, document)] == snapshot(
        [
            "conversation_config.tts.sped",
            "conversation_config.tts.supported_voices.0.voice",
            "conversation_config.agent.prompt.tools.0.api_schema.uri",
            "conversation_config.language_presets.de.override",
        ]
    )
