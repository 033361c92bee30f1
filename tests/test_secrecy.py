"""Which names tell a secret, place by place; what looks like one in text is tried in telemetry/test_redaction."""

import pytest

from callwright.secrecy import has_secret_argument, is_secret_field, is_secret_header, without_secrets

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
