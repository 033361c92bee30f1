"""Rank tools by a query in words: BM25 over name, title and description, with the verbs that people use."""

import math
import re
from collections import Counter
from collections.abc import Sequence

SATURATION, LENGTH_WEIGHT = 1.2, 0.5
"""BM25's k1 and b. Descriptions have nearly equal lengths, so the length has little weight."""

_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "es", "ed", "s", "y", "e")
_EMPTY = {
    "a", "all", "also", "an", "and", "another", "any", "are", "as", "at", "be", "by", "can", "could", "do",
    "does", "every", "far", "for", "from", "give", "had", "has", "have", "how", "i", "if", "in", "is", "it",
    "its", "last", "me", "my", "no", "not", "now", "of", "on", "one", "or", "our", "own", "please", "so", "some",
    "that", "the", "their", "them", "there", "these", "they", "this", "those", "to", "up", "was", "we", "were",
    "what", "will", "with", "you", "your",
}  # fmt: skip
_MEANT: dict[str, str] = {
    "add": "create", "build": "create", "make": "create", "new": "create", "write": "create",
    "change": "update", "edit": "update", "modify": "update", "set": "update",
    "remove": "delete", "erase": "delete",
    "which": "list", "find": "list",
    "read": "get", "see": "get", "show": "get", "view": "get",
    "rehearse": "simulate", "ring": "call", "dial": "call", "phone": "phone", "stop": "cancel", "copy": "duplicate",
    "cost": "price", "model": "llm",
}  # fmt: skip
"""Synonym that people use -> verb in the names of the tools."""


def words(text: str) -> list[str]:
    """Lower-case stems without stop words: `calls`, `calling`, `called` and the synonym `dial` are one word."""
    found: list[str] = _WORD.findall(text.lower().replace("_", " "))
    return [_stem(_MEANT.get(word, word)) for word in found if word not in _EMPTY]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            bare = word.removesuffix(ending)
            return _MEANT.get(bare, bare)
    return word


class Ranking:
    """A search index over tools. `texts`: tool name -> the text that describes its purpose."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._words = {name: Counter([*words(name), *words(text)]) for name, text in texts.items()}
        self._names = {name: frozenset(words(name)) for name in texts}
        self._mean = sum(counts.total() for counts in self._words.values()) / max(1, len(texts))
        self._in = Counter(word for counts in self._words.values() for word in counts)

    def best(self, query: str, most: int) -> list[str]:
        """Names of the tools that share a word with the query, the best first. Equal ones keep their order."""
        asked = list(dict.fromkeys(words(query)))
        scored = [(self._score(name, asked), name) for name in self._words]
        ranked = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
        return [name for _, name in ranked[:most]]

    def _score(self, name: str, asked: Sequence[str]) -> float:
        """BM25, times the share of the name that is in the query: `agents` ranks list_agents above list_tool_agents."""
        counts = self._words[name]
        relative = counts.total() / self._mean
        found = sum(self._rarity(word) * _saturated(counts[word], relative) for word in asked if counts[word])
        named = self._names[name]
        return found * (0.5 + len(named.intersection(asked)) / max(1, len(named)))

    def _rarity(self, word: str) -> float:
        having = self._in[word]
        return math.log(1 + (len(self._words) - having + 0.5) / (having + 0.5))


def _saturated(count: int, relative_length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * relative_length))
