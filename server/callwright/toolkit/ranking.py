"""Rank tools by a request in words: BM25 over name, title, description and the words that people use for it.

People ask in their own language, so words of German, French, Spanish and Italian lead to the English ones of the names.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

SATURATION, LENGTH_WEIGHT = 1.2, 0.5
"""BM25's k1 and b. Descriptions have nearly equal lengths, so the length has little weight."""

_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "es", "ed", "s", "y", "e")
_STOPS = """
    a also an and any are as at be before but by can could do does every far for from give had has have he
    how i if in into is it its last let me my no not now of on one or our own please s should so some that the their
    them there these they this those to up us was we were what when while will with would you your
    aber als am an auf aus bei bitte das dein dem den der des die dies diese dieses ein eine einem einen er es
    existent fur gibt habe haben ich ihr in ist ja kann man mein mir mit nach nicht noch oder sein sie sind so soll
    und uns unsere unser vom von war was wenn wie wir zu zum zur
    au aux avec ce ces cette d dans de des du elle en est et il ils j je l la le les leur ma mes mon notre nous on ont
    ou par pas pour qu qui sa ses son sont sur un une vous
    al como con del e el ella en es esa ese esta este hay lo los mas mi mis nos o para pero por
    se sin su sus te tengo tu una unas uno unos y
    ai alla che chi ci cosa da dal degli dei della delle di gli ho i mia mie mio nei nel nella non per
    questa questo sono sul ti tra vi
    """
_EMPTY = frozenset(_STOPS.split())
_MEANT = {
    meant: name
    for name, said in {
        "create": """add build make new write set-up erstelle anlegen mach baue neue cree creer fais crea crear haz
            creare fammi""",
        "update": "change edit modify set fix mend improve andere bearbeite modifie cambia modifica andern",
        "delete": "remove erase losche loschen entferne supprime efface borra elimina elimina cancella rid",
        "list": "which find all welche alle quel quelle quels quelles tous que cual cuales todos quali tutti",
        "get": "read see show view zeig zeige montre muestra muestrame mostra mostrami lies",
        "agent": "agenten agente agenti agents agentes bot assistant",
        "call": "dial anruf anrufe anrufen appel appels llamada llamadas chiamata chiamate",
        "conversation": "gesprach gesprache unterhaltung conversacion conversazione transcript",
        "document": "dokument dokumente documento documenti knowledge wissen",
        "number": "nummer nummern telefonnummer telefonnummern numero numeri numeros",
        "voice": "stimme stimmen voix voz voces voce voci sound sounds",
        "secret": "key password passwort kennwort geheimnis contrasena passe",
        "test": "tests prufung essai prueba",
        "price": "cost costs kosten kostet coute cuesta costa cheaper cheap expensive month",
        "simulate": "rehearse rehearsal probiere probe essaie ensaya prova pretend",
        "duplicate": "copy kopiere copie copia",
        "cancel": "stop abbrechen arrete para",
        "llm": "model models modell modele modelo modello",
        "failed": "fail fails failures failure gescheitert fehlgeschlagen echoue fallaron fallite",
        "url": "website webseite site page seite web",
        "file": "pdf datei fichier archivo disk upload",
    }.items()
    for meant in said.split()
}
"""Word that people use -> the word in the names and descriptions of the tools."""


def words(text: str) -> list[str]:
    """Lower-case stems without accents and stop words: `calls`, `Anrufe` and the synonym `dial` are one word."""
    bare = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("_", " "))
    found: list[str] = _WORD.findall("".join(c for c in bare if not unicodedata.combining(c)))
    return [_stem(_MEANT.get(word, word)) for word in found if word not in _EMPTY]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            bare = word.removesuffix(ending)
            return _MEANT.get(bare, bare)
    return word


class Ranking:
    """A search index over tools."""

    def __init__(self, texts: Mapping[str, str], said: Mapping[str, str] | None = None) -> None:
        """`texts`: tool name -> the text that describes its purpose. `said`: the words that people use for it."""
        said = said or {}
        self._names = {name: frozenset(words(name)) for name in texts}
        self._said = {name: frozenset(words(said.get(name, ""))) for name in texts}
        self._words = {
            name: Counter([*words(name), *words(text), *2 * [*self._said[name]]]) for name, text in texts.items()
        }
        self._mean = sum(counts.total() for counts in self._words.values()) / max(1, len(texts))
        self._in = Counter(word for counts in self._words.values() for word in counts)

    def best(self, query: str, most: int) -> list[str]:
        """Names of the tools that share a word with the query, the best first. Equal ones keep their order."""
        asked = list(dict.fromkeys(words(query)))
        scored = [(self._score(name, asked), name) for name in self._words]
        ranked = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
        return [name for _, name in ranked[:most]]

    def _score(self, name: str, asked: Sequence[str]) -> float:
        """BM25, times the share of the name that is in the query: `agents` ranks list_agents above list_tool_agents.

        A word that people use for the tool counts as half of its name.
        """
        counts = self._words[name]
        relative = counts.total() / self._mean
        found = sum(self._rarity(word) * _saturated(counts[word], relative) for word in asked if counts[word])
        named = self._names[name]
        share = len(named.intersection(asked)) / max(1, len(named))
        if self._said[name].intersection(asked):
            share = max(share, 0.5)
        return found * (0.5 + share)

    def _rarity(self, word: str) -> float:
        having = self._in[word]
        return math.log(1 + (len(self._words) - having + 0.5) / (having + 0.5))


def _saturated(count: int, relative_length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * relative_length))
