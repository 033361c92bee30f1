"""What whoever starts a conversation changes about its agent: which language, and the fields that the agent opens."""

from ...contract.merge import Json, merged, without_nulls
from ...contract.paths import at


def as_started(config: Json, override: Json) -> Json:
    """The `conversation_config` that holds for one conversation: the agent's, in the language asked for, overridden.

    A language that the agent has a preset for brings that preset; what is overridden by hand wins over it.
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
