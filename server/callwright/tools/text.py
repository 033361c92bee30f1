"""Text for people and models: without invisible characters, bounded, and the rendering of a structured result."""

import re
from typing import Any, cast

LIMIT = 20_000
"""Characters of one reply; hosts cut longer ones without saying so."""

# Tag characters, direction overrides, zero-width spaces and control characters carry text that a person cannot see.
# The zero-width joiners stay: emoji and several scripts need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def short(text: str, limit: int = 80) -> str:
    """One line, bounded, for names and quotations inside a sentence."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def cleaned(value: Any) -> Any:
    """Every string of a JSON value, made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [cleaned(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {key: cleaned(item) for key, item in cast(dict[str, Any], value).items()}
    return value


def render(value: dict[str, Any]) -> str:
    """A structured result as short text: a line a field, a line a list item; what is empty is left out."""
    text = "\n".join(_lines(value, ""))
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 60]}\n… cut at {LIMIT} characters; ask for a smaller part."


def _lines(node: dict[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in node.items():
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(cast(dict[str, Any], value), indent + "  ")]
        elif isinstance(value, list):
            items = cast(list[Any], value)
            if all(not isinstance(item, dict) for item in items):
                lines.append(f"{indent}{key}: {', '.join(_scalar(item) for item in items)}")
            else:
                lines += [f"{indent}{key}:", *(f"{indent}- {_item(item)}" for item in items)]
        else:
            lines.append(f"{indent}{key}: {_scalar(value)}")
    return lines


def _item(item: Any) -> str:
    if not isinstance(item, dict):
        return _scalar(item)
    shown = ((k, v) for k, v in cast(dict[str, Any], item).items() if v not in (None, "", [], {}))
    return " | ".join(f"{k}: {_item(v) if isinstance(v, dict) else _scalar(v)}" for k, v in shown)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_item(item) for item in cast(list[Any], value))
    return str(value)
