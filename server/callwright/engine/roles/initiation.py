"""Changes to an agent's configuration at the start of a conversation: the language, and the permitted overrides."""

from ...contract.merge import Json, merged, without_nulls
from ...contract.paths import at


def as_started(config: Json, override: Json) -> Json:
    """The `conversation_config` of one conversation: the agent's, with a language preset and the override applied.

    The requested language selects its preset, if the agent has one. Explicit overrides win over the preset.
    """
    language = at(override, "agent", "language")
    changed = config
    if language and language != at(config, "agent", "language"):
        changed = merged(config, {"agent": {"language": language}})
        preset: Json = at(config, "language_presets", str(language)) or {}
        translated = at(preset, "first_message_translation", "text")
        if translated:
            changed = merged(changed, {"agent": {"first_message": translated}})
        changed = merged(changed, without_nulls(at(preset, "overrides") or {}))
        changed = merged(changed, {"agent": {"language": language}})
    return merged(changed, without_nulls(override))
