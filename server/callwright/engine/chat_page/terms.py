"""What an agent's owner wrote for the people who talk to it, as HTML that can do nothing but be read."""

import re
from html import escape

from ...contract.merge import Json
from ..knowledge.page_text import page_text

_LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()<>\"]+)\)")
_STRONG = re.compile(r"\*\*(?=\S)([^*]+)\*\*")
_HEADING = re.compile(r"#{1,6} +")
_ITEM = re.compile(r"[-*] +")


def terms(widget: Json) -> str | None:
    """The terms that a person must accept first, in Markdown; None where there are none, or this page shows none.

    `terms_text` is what the owner wrote and `terms_html` what somebody made of it: that counts where it stands alone.
    """
    if widget.get("shareable_page_show_terms") is False:
        return None
    text = str(widget.get("terms_text") or "").strip() or page_text(str(widget.get("terms_html") or ""))[1].strip()
    return text or None


def set_text(markdown: str) -> str:
    """Headings, lists, strong words and links to the web are set; everything else stays the text that it is."""
    blocks = (block.strip("\n") for block in re.split(r"\n\s*\n", markdown.replace("\r\n", "\n")))
    return "".join(_block(block.splitlines()) for block in blocks if block.strip())


def _block(lines: list[str]) -> str:
    if heading := _HEADING.match(lines[0]):
        rest = _block(lines[1:]) if lines[1:] else ""
        return f"<h3>{_inline(lines[0][heading.end() :])}</h3>{rest}"
    if all(_ITEM.match(line) for line in lines):
        return "<ul>" + "".join(f"<li>{_inline(_ITEM.sub('', line, count=1))}</li>" for line in lines) + "</ul>"
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _inline(line: str) -> str:
    made, at = "", 0
    for link in _LINK.finditer(line):
        words, address = link.groups()
        made += _strong(line[at : link.start()])
        # In a tab of its own: the conversation goes on in this one.
        made += f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{_strong(words)}</a>'
        at = link.end()
    return made + _strong(line[at:])


def _strong(text: str) -> str:
    return _STRONG.sub(r"<strong>\1</strong>", escape(text))
