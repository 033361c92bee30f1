"""Recognise secrets: by the name of the field that holds them, or by their own shape.

Each place has a separate set of names, because the cost of an error differs: a log must not reveal a secret, a person
must see the values that they approve, and the command line must not refuse ordinary arguments. See `NAMES`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

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
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
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
