"""Extraction of text from files and web pages, by their media type."""

import re
from pathlib import PurePath
from typing import NamedTuple

from ...contract.errors import BadRequest
from .page_text import page_text

READ = "plain text (.txt), Markdown (.md) and HTML (.html)"
"""The supported kinds of files, as messages name them."""

_BY_TYPE = {
    "text/plain": "text", "text/markdown": "text", "text/x-markdown": "text", "text/html": "html",
    "application/xhtml+xml": "html",
}  # fmt: skip
_BY_ENDING = {
    ".txt": "text", ".text": "text", ".md": "text", ".markdown": "text", ".html": "html", ".htm": "html",
    ".xhtml": "html",
}  # fmt: skip
_SAYS_NOTHING = ("", "application/octet-stream", "binary/octet-stream")
_NO_TEXT = {b"%PDF-": "PDF", b"PK\x03\x04": "zip, as office files are", b"\xd0\xcf\x11\xe0": "office", b"{\\rtf": "RTF"}
"""First bytes of unsupported kinds of files, which are recognized under any name."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?([\w-]{1,40})", re.IGNORECASE)


class Extracted(NamedTuple):
    title: str
    """Title of a web page; empty for other files."""
    text: str


def extract(data: bytes, *, media_type: str = "", filename: str = "", charset: str | None = None) -> Extracted:
    """The text of `data`. Raises BadRequest with the supported kinds, or the reason why this file cannot be read."""
    kind = _kind(data, media_type.partition(";")[0].strip().lower(), filename)
    text = _decoded(data, charset or (_declared(data) if kind == "html" else None))
    title, text = page_text(text) if kind == "html" else ("", text)
    if not text.strip():
        raise BadRequest("There is no text in it. (Pages that a script fills show none either.)")
    return Extracted(title, text)


def _kind(data: bytes, media_type: str, filename: str) -> str:
    """The kind of a file: by media type if that is specific, else by extension. Raises BadRequest for others."""
    ending = PurePath(filename).suffix.lower()
    kind = _BY_ENDING.get(ending) if media_type in _SAYS_NOTHING else _BY_TYPE.get(media_type)
    if kind == "text" and _BY_ENDING.get(ending) == "html":
        kind = "html"
    inside = next((name for mark, name in _NO_TEXT.items() if data.startswith(mark)), None)
    if kind is None or inside:
        called = inside or (ending if media_type in _SAYS_NOTHING else media_type)
        raise BadRequest(f"This kind of file ({called or 'unknown'}) is not read. Read are {READ}; convert it first.")
    return kind


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data[:2048])
    return found[1].decode() if found else None


def _decoded(data: bytes, charset: str | None) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    elif charset is None or charset.lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii"):
        charset = "utf-8-sig"
    try:
        text = data.decode(charset)
    except (UnicodeError, LookupError):
        said = charset.removesuffix("-sig").upper()
        raise BadRequest(f"Its text cannot be read as {said}. Save it as UTF-8.") from None
    if "\0" in text:
        raise BadRequest(f"This is no text. Read are {READ}.")
    return text
