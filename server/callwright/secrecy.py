"""Recognise secrets: by the name of the field that holds them, by their own shape, or known ones in any spelling.

Each place has a separate set of names, because the cost of an error differs: a log must not reveal a secret, a person
must see the values that they approve, and the command line must not refuse ordinary arguments. See `NAMES`.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, cast
from urllib.parse import quote

MASK = "[secret]"
SHORTEST = 4
"""Minimum characters of a known secret to be masked in text. Masking shorter ones would garble and reveal them."""

Place = Literal["text", "header", "field", "argument"]
"""`text`: prose, logs and URLs, where the name is followed by its value. `header`: the name of an HTTP header.
`field`: the name of a field in a document that a person or a model reads. `argument`: the name of a field in an
argument on the command line, where other users of the machine can read it.
"""

NAMES: Mapping[str, Mapping[Place, tuple[str, ...]]] = {
    "secret": {"text": ("*secret",), "header": ("secret",), "field": ("secret",)},
    # Only an identifier that ends with the word is followed by a secret, unlike `token_url` and "1,234 tokens".
    "token": {"text": ("*token",), "header": ("token",), "field": ("token",), "argument": ("token",)},
    "password": {
        "text": ("*passw(?:or)?d",),
        "header": ("passw(?:or)?d",),
        "field": ("passw(?:or)?d",),
        "argument": ("password",),
    },
    # In prose a "key" may be anything, and in a header or a field it may be part of "keyword".
    "key": {
        "text": ("*api[_-]?key",),
        "header": ("api[-_]?key", "(?:^|[-_])key(?:[-_]|$)"),
        "field": ("key(?!word|board|pad)",),
        "argument": ("api_key",),
    },
    "credential": {"text": ("*credential",), "header": ("credential",), "field": ("credential",)},
    # URLs and requests are signed; no field of a document holds a signature.
    "signature": {"text": ("*signature", "sig"), "header": ("signature",)},
    "authorization": {
        "text": ("(?:proxy-)?authori[sz]ation",),
        "header": ("authori[sz]", "authentic", "(?:^|[-_])auth(?:[-_]|$)"),
        "field": ("authori[sz]ation",),
    },
    "cookie": {"text": ("(?:set-)?cookie",), "header": ("cookie",)},
    # On the command line all headers count as one secret; elsewhere each is judged by its own name.
    "headers": {"argument": ("(?:request_)?headers",)},
}
"""Kind of secret -> place -> its names there: regular expressions that ignore case, except in arguments.

`*` stands for the beginning of an identifier. In a place that a kind does not list, it counts as no secret.
"""
_SHOWN_FIELDS = frozenset(
    {
        "url",
        "token_url",
        "address",
        "agent_id",
        "phone_number",
        "sip_uri",
        "secret_id",
        "variable_name",
        "auth_connection_id",
    }
)
"""Fields with addresses or ids, which a person must see to approve a call."""


def _any_of(place: Place) -> str:
    written = [pattern for places in NAMES.values() for pattern in places.get(place, ())]
    endings = "|".join(pattern[1:] for pattern in written if pattern.startswith("*"))
    whole = [pattern for pattern in written if not pattern.startswith("*")]
    return "|".join(([rf"[\w-]{{0,40}}(?:{endings})"] if endings else []) + whole)


_HEADER = re.compile(_any_of("header"), re.IGNORECASE)
_FIELD = re.compile(_any_of("field"), re.IGNORECASE)
_ARGUMENT = re.compile(rf'"(?:{_any_of("argument")})": *["{{]')
_NAME = f"(?:{_any_of('text')})"
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(bearer|basic)(\s+|%20|\+)[A-Za-z0-9._~+/=-]{6,}", re.I), rf"\1\2{MASK}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^/\s\"'@]{1,500}@", re.I), rf"\1{MASK}@"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    (re.compile(r"\b(?:sk|rk|pk|xi)[-_][A-Za-z0-9_-]{12,}"), MASK),
    (re.compile(rf"([?&;]{_NAME}=)[^&#;\s\"'<>]+", re.I), rf"\1{MASK}"),
    # `name: value`, `name=value`, and the same with quotes, as in JSON, a dict or a tuple of a header's bytes.
    (re.compile(rf"(\b{_NAME}(?:\\?[\"'])?\s*[:=,]\s*b?)(\\?[\"'])(?:(?!\2).)+\2", re.I), rf"\1\2{MASK}\2"),
    (re.compile(rf"(\b{_NAME}\s*[:=]\s*)(?!\[secret\]|(?:bearer|basic)\s)[^\s\"',;&)}}\]]+", re.I), rf"\1{MASK}"),
)
"""Shapes of secrets, and names with values; each with its replacement."""


def without_secrets(text: str) -> str:
    """`text` with MASK in place of everything that looks like a secret."""
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def is_secret_header(name: str) -> bool:
    return bool(_HEADER.search(name))


def is_secret_field(path: Sequence[str]) -> bool:
    """Whether the text at these keys of a document is a secret, by its own key or because it is in headers."""
    if not path or path[-1].lower() in _SHOWN_FIELDS:
        return False
    return bool(_FIELD.search(path[-1])) or any(part.lower().endswith("headers") for part in path[-4:-1])


def has_secret_argument(argument: str) -> bool:
    """Whether an argument of the command line, as JSON, has a field that holds a secret at any depth."""
    return bool(_ARGUMENT.search(argument))


def spellings(secrets: Iterable[str]) -> list[str]:
    """Every text that tells one of these secrets. Longest first, because one may be a part of another."""
    return sorted({form for secret in secrets if len(secret) >= SHORTEST for form in _spelt(secret)}, key=len)[::-1]


def masked(text: str, secrets: Iterable[str], mask: str = MASK) -> str:
    """`text` with `mask` in place of these secrets in every spelling, JSON with escapes included."""
    given = [secret for secret in secrets if len(secret) >= SHORTEST]
    known = spellings(given)
    text = _replaced(text, known, mask)
    if known and "\\" in text:
        # Any character can be escaped in JSON, so that no list of spellings is complete.
        for secret in given:
            text = _escaped(secret).sub(lambda _: mask, text)
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError):
            return text
        shown = _masked_inside(document, known, mask)
        return text if shown == document else json.dumps(shown, ensure_ascii=False)
    return text


def _replaced(text: str, known: Sequence[str], mask: str) -> str:
    for form in known:
        text = text.replace(form, mask)
    return text


@lru_cache(maxsize=100)
def _escaped(secret: str) -> re.Pattern[str]:
    """The secret with any of its characters written as JSON may, also where a text is no whole JSON document.

    Its own backslashes are among those before the next character. They are taken possessively, so that a text full of
    them takes no longer.
    """
    return re.compile("".join(_in_any_json(character) for character in secret))


def _in_any_json(character: str) -> str:
    if character == "\\":
        return r"(?:\\{1,9}+u(?i:005c))?+"
    return rf"\\{{0,9}}+(?:{_unicode_escape(character)}|{re.escape(character)})"


def _unicode_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return r"\\{1,9}+".join(f"u(?i:{units[at : at + 2].hex()})" for at in range(0, len(units), 2))


def _masked_inside(node: object, known: Sequence[str], mask: str) -> object:
    if isinstance(node, str):
        return _replaced(node, known, mask)
    if isinstance(node, list):
        return [_masked_inside(item, known, mask) for item in cast(list[object], node)]
    if isinstance(node, dict):
        items = cast(dict[str, object], node).items()
        return {_replaced(key, known, mask): _masked_inside(item, known, mask) for key, item in items}
    return node


_PERCENT = re.compile("%[0-9A-F]{2}")


def _spelt(secret: str) -> Iterator[str]:
    once = json.dumps(secret)[1:-1]  # JSON-escaped, and JSON inside a JSON string
    escaped = {once, json.dumps(secret, ensure_ascii=False)[1:-1], once.replace("/", "\\/")}
    yield from (secret, *escaped, *(json.dumps(each)[1:-1] for each in escaped))
    yield from (repr(secret)[1:-1], repr(secret.encode())[2:-1])
    for percent in (quote(secret, safe=""), quote(secret)):
        yield from (percent, _PERCENT.sub(lambda place: place[0].lower(), percent), percent.replace("%20", "+"))
    for entity in ("&#x27;", "&#39;", "&apos;"):
        yield html.escape(secret).replace("&#x27;", entity)
    raw = secret.encode()
    yield from (raw.hex(), raw.hex().upper())
    if len(raw) < 8:
        return  # too few characters of its base64 are independent of the neighbouring bytes
    for shift in range(3):  # base64 of a longer text contains it at one of three alignments
        inner = base64.b64encode(b"\0" * shift + raw).decode()[-(-shift * 8 // 6) :].rstrip("=")[:-1]
        yield from (inner, inner.translate(str.maketrans("+/", "-_")))
