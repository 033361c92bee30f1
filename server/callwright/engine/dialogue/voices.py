"""Messages in several voices: parses tags that carry a label into parts, and writes them again for the model."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

Part = dict[str, Any]
"""`text`, `voice_label` (None is the agent's own voice), `time_in_call_secs`."""

TAG = re.compile(r"<(/?)([A-Za-z0-9_-]{1,64})>")
_BEGUN_TAG = re.compile(r"<(?:/?[A-Za-z0-9_-]{0,64})\Z")


class VoiceStream:
    """Splits an answer into parts while it is written: `<LABEL>words</LABEL>` in one pass.

    A tag that is unknown, nested or never closed is removed, and its words stay in the surrounding voice; all other
    text is kept, entities included. Words in the agent's own voice are returned at once. Words in another voice are
    returned when their tag is closed, because only then it is known to be a tag.
    """

    def __init__(self, labels: Collection[str]) -> None:
        self._labels = labels
        self._held = ""
        """Text not yet assigned to a voice. It begins in the agent's own voice."""

    def feed(self, text: str, seconds: int) -> list[Part]:
        """The parts that are final after this text, which comes `seconds` after the conversation began."""
        self._held += text
        return self._parts(seconds, final=False)

    def close(self, seconds: int) -> list[Part]:
        """The remaining parts, at the end of the text."""
        return self._parts(seconds, final=True)

    def _parts(self, seconds: int, *, final: bool) -> list[Part]:
        return [
            {"text": words, "voice_label": label, "time_in_call_secs": seconds}
            for label, words in self._taken(final=final)
            if words
        ]

    def _taken(self, *, final: bool) -> Iterator[tuple[str | None, str]]:
        held, place = self._held, 0
        never_closed: set[str] = set()
        while tag := TAG.search(held, place):
            yield None, held[place : tag.start()]
            place, name = tag.end(), tag[2]
            if tag[1] or name not in self._labels or name in never_closed:
                continue
            closing = f"</{name}>"
            end = held.find(closing, place)
            if end >= 0:
                yield name, TAG.sub("", held[place:end])
                place = end + len(closing)
            elif final:
                never_closed.add(name)
            else:
                self._held = held[tag.start() :]
                return
        begun = None if final else _BEGUN_TAG.search(held, place)
        stop = begun.start() if begun else len(held)
        yield None, held[place:stop]
        self._held = held[stop:]


def split_voices(text: str, labels: Collection[str], seconds: int) -> list[Part]:
    """The parts of a complete answer, split by `VoiceStream`."""
    stream = VoiceStream(labels)
    return joined([*stream.feed(text, seconds), *stream.close(seconds)])


def joined(parts: Sequence[Part]) -> list[Part]:
    """Adjacent parts in one voice merged; the merged part has the time of the first."""
    whole: list[Part] = []
    for part in parts:
        if whole and whole[-1]["voice_label"] == part["voice_label"]:
            whole[-1]["text"] += part["text"]
        else:
            whole.append(dict(part))
    return whole


def plain(parts: Sequence[Mapping[str, Any]]) -> str:
    """The text without tags."""
    return "".join(part["text"] for part in parts).strip()


def tagged(parts: Sequence[Mapping[str, Any]]) -> str:
    """The text with tags, as the model wrote it, so that the model keeps using them."""
    return "".join(
        f"<{label}>{part['text']}</{label}>" if (label := part["voice_label"]) else part["text"] for part in parts
    )
