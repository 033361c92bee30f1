"""What an agent's owner wrote, set for reading: never more than headings, lists, strong words and links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from callwright.engine.chat_page.terms import set_text, terms


def test_terms_are_set_as_they_were_meant() -> None:
    written = (
        "#### Terms\nBy **accepting** you agree\r\nto the [privacy policy](https://x.example/a?b=1&c=2).\n\n"
        "- first\n- **second**\n\n\n2 * 3 * 4 < 5"
    )
    assert set_text(written) == snapshot(
        '<h3>Terms</h3><p>By <strong>accepting</strong> you agree<br>to the <a href="https://x.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">privacy policy</a>.</p><ul><li>first</li><li><strong>second</strong></li></ul><p>2 * 3 * 4 &lt; 5</p>'
    )


@pytest.mark.parametrize(
    "written",
    [
        "<img src=x onerror=alert(1)>",
        "[run](javascript:alert(1))",
        '[x](https://a.example/"onmouseover="alert(1))',
        "[<b>x</b>](https://a.example/)",
        "# <script>alert(1)</script>",
        "[a](data:text/html,<script>)",
    ],
)
def test_nothing_that_was_written_becomes_anything_else(written: str) -> None:
    made = set_text(written)
    for own in (
        "<p>",
        "</p>",
        "<h3>",
        "</h3>",
        "</a>",
        '<a href="https://a.example/" target="_blank" rel="noopener noreferrer">',
    ):
        made = made.replace(own, "")
    assert "<" not in made
    assert '"' not in made


@given(st.text(alphabet="<>\"'&*[]()#- \nhtps:/.aj", max_size=80))
def test_whatever_is_written_no_tag_is_opened_but_ours(written: str) -> None:
    made = set_text(written)
    opened = {part.split(">")[0].split(" ")[0] for part in made.split("<")[1:]}
    assert opened <= {"p", "/p", "h3", "/h3", "ul", "/ul", "li", "/li", "br", "strong", "/strong", "a", "/a"}
    assert made.count("<a ") == made.count('" target="_blank" rel="noopener noreferrer">')


def test_terms_in_html_are_read_as_text() -> None:
    page = "<h2>Terms</h2><p>Be <em>kind</em>.</p><script>alert(1)</script>"
    assert terms({"terms_html": page}) == "## Terms\n\nBe kind."
    assert terms({"terms_text": "Be brief.", "terms_html": page}) == "Be brief."


def test_an_owner_who_shows_no_terms_here_has_none() -> None:
    assert terms({"terms_text": "Be brief.", "shareable_page_show_terms": False}) is None
    assert terms({"terms_text": "  ", "terms_html": "<p></p>"}) is None
    assert terms({}) is None
