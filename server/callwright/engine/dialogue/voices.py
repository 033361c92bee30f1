"""Messages in several voices: tags that carry a label, read into parts, and written again for the model."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Part = dict[str, Any]
"""`text`, `voice_label` (None is the agent's own voice), `time_in_call_secs`."""

TAG = re.compile(r"<(/?)([A-Za-z0-9_-]{1,64})>")


def split_voices(text: str, labels: Collection[str], seconds: int) -> list[Part]:
    """`<LABEL>words</LABEL>` in one pass. A tag that is unknown, nested or never closed is taken out and its words stay
    in the voice around it; nothing that is not a tag is lost.
    """
    parts: list[Part] = []
    label: str | None = None
    place = 0

    def add(words: str) -> None:
        if parts and parts[-1]["voice_label"] == label:
            parts[-1]["text"] += words
        elif words:
            parts.append({"text": words, "voice_label": label, "time_in_call_secs": seconds})

    for tag in TAG.finditer(text):
        add(text[place : tag.start()])
        place, closing, name = tag.end(), bool(tag[1]), tag[2]
        if closing and name == label:
            label = None
        elif not closing and label is None and name in labels and f"</{name}>" in text[place:]:
            label = name
    add(text[place:])
    return parts


def plain(parts: Sequence[Mapping[str, Any]]) -> str:
    """What is said, without the tags."""
    return "".join(part["text"] for part in parts).strip()


def tagged(parts: Sequence[Mapping[str, Any]]) -> str:
    """As the model wrote it, so that it goes on using tags."""
    return "".join(
        f"<{label}>{part['text']}</{label}>" if (label := part["voice_label"]) else part["text"] for part in parts
    )
