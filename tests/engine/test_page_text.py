"""The text of pages, well written or not."""

import time

import pytest
from inline_snapshot import snapshot

from callwright.engine.knowledge.page_text import page_text

PAGE = """<!DOCTYPE html>
<html><head><title>Opening &amp; closing</title><style>p { color: red }</style>
<script>document.write("<p>not this</p>")</script></head>
<body><!-- <p>nor this</p> --><nav><a href="/">Home</a> <a href="/x">Prices</a></nav>
<h1>Hours</h1>
<p>We open
   at <b>nine</b>.<br>Closed on Sundays.</p>
<ul><li>Bicycles: <i>Monday</i></li><li><p>Boats: never</p></li></ul>
<table><tr><th>Day</th><th>From</th></tr><tr><td>Monday</td><td>9</td></tr></table>
<pre>a
  b</pre>
<p>5 &lt; 6, caf&eacute;&nbsp;&#8364;, a < b</p><template>no</template><svg><text>no</text></svg><noscript>no</noscript>
</body></html>"""


def test_a_page_becomes_text_with_its_headings_items_and_cells() -> None:
    title, text = page_text(PAGE)
    assert title == "Opening & closing"
    assert text == snapshot("""\
Home Prices

# Hours

We open at nine.
Closed on Sundays.

- Bicycles: Monday
- Boats: never

Day | From
Monday | 9

a
  b

5 < 6, café €, a < b\
""")


BROKEN = {
    "": "",
    "no tags at all": "no tags at all",
    "a <b": "a",
    "a <b c='": "a",
    "a <!-- b": "a",
    "a <script>b": "a",
    "a <script>b</script >c": "a c",
    "a</p></p></div>b": "a\n\nb",
    "<title>never closed": "",
    "<p>a<p>b": "a\n\nb",
    "1 < 2 <3 <": "1 < 2 <3 <",
    "<SCRIPT>x</Script>y": "y",
    '<a title="5 > 4">b</a>': "b",
    "a&#0;b&#xD800;": "a�b�",
    "<?xml version='1.0'?>a": "a",
    "<li>a</li><li>b": "- a\n- b",
    "<h2><span>a</span></h2>b": "## a\n\nb",
}


@pytest.mark.parametrize("page", BROKEN)
def test_a_broken_page_gives_what_can_be_read(page: str) -> None:
    assert page_text(page)[1] == BROKEN[page]


@pytest.mark.parametrize(
    "piece", ["<!--", "<![CDATA[", "<!", "<?", "<a ", "<a b='", '<a b="x', "</", "<script>", "<title>", "&", "<", "<p>"]
)
def test_the_work_grows_no_faster_than_the_page(piece: str) -> None:
    """What keeps the standard library's parser busy for minutes."""
    began = time.process_time()
    page_text(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 10
