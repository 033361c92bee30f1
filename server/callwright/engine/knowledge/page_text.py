"""Conversion of an HTML page to Markdown text, in one pass.

`html.parser` is not used: in the supported Python versions, 100 kB of unclosed tags keep it busy for minutes, and pages
are untrusted input. Here every step moves forward, so the work is linear in the page's size.
"""

import html
import re

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_BEGINS = re.compile(r"<(?:[!?]|/[a-zA-Z]|[^\W\d_])")
"""Where markup may begin; any other `<` is a word of the text."""
_DROPPED = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "textarea"})
_PARAGRAPHS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "dd", "div", "dl", "dt", "fieldset", "figure",
        "figcaption", "footer", "form", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "summary",
        "details", "table", "tr", "ul",
    }
)  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_SPACES = re.compile(r"[ \t\r\f\v\xa0]*\n[ \t\r\f\v\xa0]*|[ \t\r\f\v\xa0]+")


def page_text(page: str) -> tuple[str, str]:
    """The title and the text: headings as `#`, items as `-`, cells separated by `|`, paragraphs by a blank line.

    Scripts, styles and drawings are dropped, links and pictures are reduced to their words.
    """
    found = _Found()
    at = 0
    while begins := _BEGINS.search(page, at):
        found.words(page[at : begins.start()])
        at = _after(page, begins.start(), found)
    found.words(page[at:])
    return found.title, found.text()


def _after(page: str, start: int, found: "_Found") -> int:
    """Read the markup that begins with the `<` at `start`. Returns the position after it.

    Unclosed markup extends to the end of the page.
    """
    if page.startswith("<!--", start):
        return _past(page, "-->", start + 4)
    if page.startswith(("<!", "<?"), start):
        return _past(page, ">", start)
    if not (page[start + 1 : start + 2].isalpha() or re.match(r"</[a-zA-Z]", page[start : start + 3])):
        found.words("<")
        return start + 1
    if (tag := _TAG.match(page, start)) is None:
        return len(page)
    name = tag[2].lower()
    if tag[1]:
        found.closed(name)
        return tag.end()
    if name in _DROPPED or name == "title":
        end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(page, tag.end())
        if name == "title" and end:
            found.named(page[tag.end() : end.start()])
        return _past(page, ">", end.start()) if end else len(page)
    found.opened(name)
    return tag.end()


def _past(page: str, mark: str, start: int) -> int:
    place = page.find(mark, start)
    return len(page) if place < 0 else place + len(mark)


class _Found:
    """The text found so far. A break is written only when words follow it, so that breaks do not add up."""

    def __init__(self) -> None:
        self.title = ""
        self._parts: list[str] = []
        self._break = ""
        self._verbatim = 0

    def words(self, raw: str) -> None:
        text = html.unescape(raw).replace("\0", "")
        if not self._verbatim:
            text = _SPACES.sub(" ", text.replace("\n", " "))
            if self._break or not self._parts:
                text = text.lstrip(" ")
            elif self._parts[-1].endswith(" "):
                text = text.removeprefix(" ")
        if text:
            self._parts.append(self._break + text)
            self._break = ""

    def opened(self, name: str) -> None:
        if name == "br":
            self._breaks("\n")
        elif name == "li":
            self._breaks("\n- ")
        elif name in _HEADINGS:
            self._breaks(f"\n\n{_HEADINGS[name]} ")
        elif name in ("td", "th"):
            self._break = self._break or " | "
        elif name in _PARAGRAPHS and not self._break.endswith(("- ", "# ")):
            self._breaks("\n" if name == "tr" else "\n\n")
        if name == "pre":
            self._verbatim += 1

    def closed(self, name: str) -> None:
        if name in _PARAGRAPHS or name in _HEADINGS:
            self._breaks("\n" if name == "tr" else "\n\n")
        elif name == "li":
            self._breaks("\n")
        if name == "pre":
            self._verbatim = max(0, self._verbatim - 1)

    def named(self, raw: str) -> None:
        self.title = self.title or " ".join(html.unescape(raw).replace("\0", "").split())

    def text(self) -> str:
        lines = (line.rstrip() for line in "".join(self._parts).split("\n"))
        return "\n".join(lines).strip()

    def _breaks(self, mark: str) -> None:
        """Set the pending break. The wider break wins; an item's or heading's sign stays until its words follow."""
        sign = mark.lstrip("\n") or ("" if mark == "\n\n" else self._break.lstrip("\n |"))
        self._break = "\n" * max(mark.count("\n"), self._break.count("\n")) + sign
