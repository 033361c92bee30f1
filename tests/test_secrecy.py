"""Which names tell a secret, place by place; what looks like one in text is tried in telemetry/test_redaction."""

import base64
import html
import json
import math
import time
from urllib.parse import quote

import pytest

from callwright.secrecy import has_secret_argument, is_secret_field, is_secret_header, masked, without_secrets

PLACES = ("text", "header", "field", "argument")
NAMES: dict[str, tuple[str, ...]] = {
    "token": PLACES,
    "api_key": PLACES,
    "password": PLACES,
    "secret": ("text", "header", "field"),
    "credential": ("text", "header", "field"),
    "authorization": ("text", "header", "field"),
    "authorisation": ("text", "header", "field"),
    "Proxy-Authorization": ("text", "header", "field"),
    "access_token": ("text", "header", "field"),
    "passwd": ("text", "header", "field"),
    "signature": ("text", "header"),
    "cookie": ("text", "header"),
    "Set-Cookie": ("text", "header"),
    "sig": ("text",),
    "key": ("header", "field"),
    "x-auth": ("header",),
    "WWW-Authenticate": ("header",),
    "headers": ("argument",),
    "request_headers": ("argument",),
    "tokens": ("header", "field"),
    "token_url": ("header",),
    "secret_id": ("header",),
    "keyword": (),
    "author": (),
    "agent_id": (),
    "url": (),
}


def told(name: str) -> set[str]:
    found = {
        "text": "v4lue" not in without_secrets(f"{name}=v4lue"),
        "header": is_secret_header(name),
        "field": is_secret_field([name]),
        "argument": has_secret_argument(f'{{"a": [{{"{name}": "v4lue"}}]}}'),
    }
    return {place for place, secret in found.items() if secret}


@pytest.mark.parametrize(("name", "places"), NAMES.items(), ids=str)
def test_a_name_tells_a_secret_where_the_table_says_so(name: str, places: tuple[str, ...]) -> None:
    assert told(name) == set(places)


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (["request_headers", "X-Anything"], True),
        (["request_headers", "X-Anything", "value"], True),
        (["request_headers", "X-Anything", "secret_id"], False),
        (["headers"], False),
        (["properties", "name"], False),
        ([], False),
    ],
)
def test_what_stands_in_headers_is_secret_but_for_the_names_of_secrets(path: list[str], secret: bool) -> None:
    assert is_secret_field(path) == secret


KNOWN = 'sk/live"5f&1d+9c ü%'
SPELT = {
    "plain": KNOWN,
    "JSON": json.dumps(KNOWN)[1:-1],
    "JSON with every letter escaped": "".join(f"\\u{ord(letter):04x}" for letter in KNOWN),
    "JSON in JSON": json.dumps(json.dumps(KNOWN))[1:-1],
    "JSON with escaped slashes": json.dumps(KNOWN)[1:-1].replace("/", "\\/"),
    "percent": quote(KNOWN, safe=""),
    "percent in small letters": quote(KNOWN, safe="").lower(),
    "a form": quote(KNOWN, safe="").replace("%20", "+"),
    "HTML": html.escape(KNOWN),
    "hex": KNOWN.encode().hex(),
    "base64": base64.b64encode(KNOWN.encode()).decode(),
    "base64 of more": base64.b64encode(f"user:{KNOWN}".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(KNOWN.encode()).decode(),
    "repr": repr(KNOWN.encode())[2:-1],
}


@pytest.mark.parametrize("spelling", SPELT)
def test_a_known_secret_is_masked_in_every_spelling(spelling: str) -> None:
    text = masked(f'{{"echo": "{SPELT[spelling]}", "more": 1}}', [KNOWN, "other-secret"])
    assert "[secret]" in text
    assert SPELT[spelling] not in text
    if spelling.startswith("JSON"):
        assert KNOWN not in str(json.loads(text))


def test_a_text_without_known_secrets_stays_as_it_is() -> None:
    text = '{"a": "\\u0041\\/",  "b": [1, "c"]}'
    assert masked(text, [KNOWN, "abc"]) == text


RUNS = [
    "-eyJ",
    "eyJa.",
    "bearer ",
    "a-",
    "sk-",
    "?x_",
    "secret ",
    'secret="',
    "https://a",
    "token\\",
    "&",
    "eyJ-.",
    "a.b@",
]


@pytest.mark.parametrize("run", RUNS)
def test_the_search_for_secrets_grows_with_the_text_and_not_faster(run: str) -> None:
    """What a client chooses is searched, too: four times the text must not take sixteen times as long."""

    def seconds(times: int) -> float:
        text, best = run * times, math.inf
        for _ in range(3):
            begun = time.process_time()
            without_secrets(text)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(12_000) < 9 * max(seconds(3_000), 0.002)


@pytest.mark.parametrize(
    "told",
    [
        r'{"a": "k\u0026y-and-more"}',
        r'The peer said: {"key": "k\u0026y-and-more"} and hung up',
        r'{"text": "{\"key\": \"k\\u0026y-and-more\"}"} cut off: {"',
        '["' + "".join(f"\\u{ord(c):04X}" for c in "k&y-and-more"),
    ],
)
def test_a_secret_is_masked_whichever_of_its_characters_are_escaped(told: str) -> None:
    """As some languages escape `&` and `<`, also where JSON is only a part of a text."""
    assert "***" in masked(told, ["k&y-and-more"], "***")
    assert "-and-more" not in masked(told, ["k&y-and-more"], "***")
    assert "2d" not in masked(told, ["k&y-and-more"], "***").lower()


def test_a_text_full_of_backslashes_takes_no_longer() -> None:
    began = time.perf_counter()
    masked("\\" * 300_000, ["a\\\\b\\c-secret"], "***")
    assert time.perf_counter() - began < 5
