"""The handlers of the voice catalogue, searched by words. Voices sound on the hosted platform; talk here is in text."""

import re
from collections.abc import Sequence

from ...contract.errors import BadRequest
from ...contract.voices import ListVoices, Voice, VoicePage
from ..handlers import Handlers
from ..store.paging import search_key
from ..store.transaction import Tx

voices = Handlers()

_SAME = {
    "uk": "british", "english": "british", "us": "american", "usa": "american", "aussie": "australian", "man": "male",
    "woman": "female", "elderly": "old", "lady": "female",
}  # fmt: skip
_FILLERS = frozenset({"a", "an", "and", "the", "voice", "voices", "accent", "with", "who", "that", "sounds", "for"})


def _voice(id: str, name: str, gender: str, age: str, accent: str, tone: str, use: str, description: str) -> Voice:
    labels = {"gender": gender, "age": age, "accent": accent, "language": "en", "descriptive": tone, "use_case": use}
    return Voice(voice_id=id, name=name, category="premade", labels=labels, description=description)


CATALOGUE = (
    _voice("cjVigY5qzO86Huf0OWal", "Eric", "male", "middle-aged", "american", "smooth", "conversational",
           "Friendly and trustworthy; what a new agent has."),
    _voice("kdmDKE6EkgrWrrykO9Qt", "Alexandra", "female", "young", "american", "natural", "conversational",
           "Lifelike and talkative."),
    _voice("L0Dsvb3SLTyegXwtm47J", "Archer", "male", "young", "british", "friendly", "conversational",
           "Grounded, with charm."),
    _voice("g6xIsTj2HwM6VR4iXFCw", "Jessica Anne Bogart", "female", "middle-aged", "american", "empathetic",
           "wellness", "Expressive and caring, for coaching and health."),
    _voice("OYTbf65OHHFELVut7v2H", "Hope", "female", "young", "american", "bright", "conversational",
           "Uplifting and positive."),
    _voice("dj3G1R1ilKoFKhBnWOzG", "Eryn", "female", "young", "american", "friendly", "conversational",
           "Relatable and casual."),
    _voice("HDA9tsk27wYi3uq0fPcK", "Stuart", "male", "middle-aged", "australian", "professional", "support",
           "Friendly, for technical help."),
    _voice("1SM7GgM6IMuvQlz2BwM3", "Mark", "male", "young", "american", "relaxed", "conversational",
           "Casual and laid back."),
    _voice("PT4nqlKZfc06VW1BuClj", "Angela", "female", "middle-aged", "american", "down to earth", "conversational",
           "Raw and relatable, a good listener."),
    _voice("vBKc2FfBKJfcZNyEt1n6", "Finn", "male", "young", "american", "light", "podcasts",
           "A tenor for podcasts and small talk."),
    _voice("56AoDkrOh6qfVPDXZ7Pt", "Cassidy", "female", "young", "american", "energetic", "entertainment",
           "Engaging and lively."),
    _voice("NOpBlnGInO9m6vDvFkFC", "Grandpa Spuds Oxley", "male", "old", "american", "quirky", "characters",
           "A grandfather with a story."),
    _voice("JBFqnCBsd6RMkjVDRZzb", "George", "male", "middle-aged", "british", "warm", "narration",
           "Mature, draws listeners in."),
    _voice("pFZP5JQG7iQjIQuC4Bku", "Lily", "female", "middle-aged", "british", "warm", "narration",
           "Velvety and clear."),
    _voice("Xb7hH8MSUJpSbSDYk0k2", "Alice", "female", "middle-aged", "british", "confident", "education",
           "Clear and engaging."),
    _voice("onwK4e9ZLuTAKqWW03F9", "Daniel", "male", "middle-aged", "british", "authoritative", "news",
           "Formal, steady, deep."),
    _voice("IKne3meq5aSn9XLyUdCD", "Charlie", "male", "middle-aged", "australian", "natural", "conversational",
           "Confident and casual."),
    _voice("EXAVITQu4vr4xnSDxMaL", "Sarah", "female", "young", "american", "soft", "conversational",
           "Reassuring and professional."),
    _voice("pNInz6obpgDQGcFmaJgB", "Adam", "male", "middle-aged", "american", "deep", "narration",
           "Firm and resonant."),
    _voice("XB0fDUnXU5powFXDhCwa", "Charlotte", "female", "young", "swedish", "calm", "characters",
           "English with a Swedish accent."),
)  # fmt: skip


@voices.implements(
    ListVoices,
    proof="test_a_warm_british_voice_is_found_by_those_words",
    missing="voices of one's own: the catalogue is a fixed one",
)
def list_voices(_: Tx, op: ListVoices) -> VoicePage:
    """One page of voices that match all words or, if there are none, those that match the most words."""
    found = _fitting(op.search or "")
    start = _place(found, op.next_page_token)
    page = found[start : start + op.page_size]
    more = start + len(page) < len(found)
    token = page[-1].voice_id if more else None
    return VoicePage(voices=list(page), has_more=more, total_count=len(found), next_page_token=token)


def _fitting(search: str) -> Sequence[Voice]:
    wanted = {_SAME.get(word, word) for word in _words(search) - _FILLERS}
    if not wanted:
        return CATALOGUE
    scores = [len(wanted & _words_of(voice)) for voice in CATALOGUE]
    best = max(scores)
    return [voice for voice, score in zip(CATALOGUE, scores, strict=True) if score == best] if best else []


def _words_of(voice: Voice) -> set[str]:
    return _words(" ".join([voice.voice_id, voice.name or "", voice.description or "", *voice.labels.values()]))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+(?:-[^\W_]+)*", search_key(text)))


def _place(found: Sequence[Voice], token: str | None) -> int:
    """The index of the first voice after the one with this id. Raises BadRequest for an unknown id."""
    if token is None:
        return 0
    for place, voice in enumerate(found):
        if voice.voice_id == token:
            return place + 1
    raise BadRequest("This next_page_token belongs to another list. Leave it out to begin with the first page.")
