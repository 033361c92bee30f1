"""Rendering of the texts that an agent's owner wrote for its callers, such as terms, as HTML without active content."""

import re
from html import escape

from ...contract.merge import Json
from ..knowledge.page_text import page_text

_LINK = re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()<>\"]+)\)")
_STRONG = re.compile(r"\*\*(?=\S)([^*]+)\*\*")
_HEADING = re.compile(r"#{1,6} +")
_ITEM = re.compile(r"[-*] +")


def terms(widget: Json) -> str | None:
    """The terms that a person must accept first, in Markdown; None if there are none, or if this page hides them.

    `terms_text` is the owner's text and `terms_html` its HTML form, which is used only if `terms_text` is empty.
    """
    if widget.get("shareable_page_show_terms") is False:
        return None
    text = str(widget.get("terms_text") or "").strip() or page_text(str(widget.get("terms_html") or ""))[1].strip()
    return text or None


def set_text(markdown: str) -> str:
    """Markdown as HTML: headings, lists, bold text and web links are converted; all other text is escaped."""
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
        # A link opens in a new tab, so that the conversation continues in this one.
        made += f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{_strong(words)}</a>'
        at = link.end()
    return made + _strong(line[at:])


def _strong(text: str) -> str:
    return _STRONG.sub(r"<strong>\1</strong>", escape(text))
