"""Read the recipients of a batch call from the rows of a spreadsheet, or from flat objects."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.merge import Json

MOST = 10_000
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_OVERRIDES = {
    "language": ("agent", "language"),
    "first_message": ("agent", "first_message"),
    "system_prompt": ("agent", "prompt", "prompt"),
    "voice_id": ("tts", "voice_id"),
}
"""Columns that override the agent's configuration for one call; the agent must permit each."""
_BROUGHT = "conversation_initiation_client_data"


def rows_of_csv(text: str) -> list[Json]:
    """Rows of a CSV text, by column name, without empty rows. Raises ToolError with the number of a malformed row.

    The separator is a comma, semicolon or tab, as spreadsheets export it. A byte order mark and line breaks within
    quotes are allowed.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as exc:
        raise ToolError(f"csv: {exc}.") from None
    header = [name.strip() for name in rows[0]] if rows else []
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise ToolError(f"csv: the header names {', '.join(map(repr, twice))} more than once.")
    if "phone_number" not in header:
        raise ToolError(f"csv: the first row must name the columns, phone_number among them; it is {header}.")
    found: list[Json] = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) > len(header):
            raise ToolError(f"csv: row {number} has {len(row)} cells, the header {len(header)}.")
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if name and cell.strip()}
        if cells:
            found.append(cells)
    return found


def recipients_of(rows: Iterable[Json]) -> tuple[list[Json], list[str]]:
    """Recipients in the platform's form, and warnings. Raises ToolError with every wrong row, counted from one."""
    recipients = [_recipient(row) for row in rows]
    if not recipients:
        raise ToolError("Give at least one recipient, in recipients or in csv.")
    if len(recipients) > MOST:
        raise ToolError(f"At most {MOST:,} recipients a batch; these are {len(recipients):,}. Split them.")
    if wrong := list(_wrong_numbers(recipients)):
        more = f" … {len(wrong) - 20} more." if len(wrong) > 20 else ""
        raise ToolError(f"Nothing was sent. {' '.join(wrong[:20])}{more}")
    return recipients, list(_twice(recipients))


def _recipient(row: Json) -> Json:
    """The recipient of a row: known columns become its fields, every other one a dynamic variable."""
    if _BROUGHT in row:
        return row
    override: Json = {}
    for name, path in _OVERRIDES.items():
        if row.get(name) is not None:
            node = override
            for part in path[:-1]:
                node = cast(Json, node.setdefault(part, {}))
            node[path[-1]] = row[name]
    own = {"id", "phone_number", *_OVERRIDES}
    variables = {name: value for name, value in row.items() if name not in own and value is not None}
    brought = {"conversation_config_override": override, "dynamic_variables": variables}
    given = {name: value for name, value in brought.items() if value}
    known = {name: row[name] for name in ("id", "phone_number") if row.get(name) is not None}
    return known | ({_BROUGHT: given} if given else {})


def _wrong_numbers(recipients: list[Json]) -> Iterator[str]:
    for place, recipient in enumerate(recipients, 1):
        number = recipient.get("phone_number")
        if not (isinstance(number, str) and _NUMBER.fullmatch(number)):
            said = "no phone_number" if number is None else f"{str(number)[:40]!r} has no country code, as +15551234567"
            yield f"Recipient {place}: {said}."


def _twice(recipients: list[Json]) -> Iterator[str]:
    places: dict[str, list[int]] = {}
    for place, recipient in enumerate(recipients, 1):
        places.setdefault(recipient["phone_number"], []).append(place)
    for number, at in places.items():
        if len(at) > 1:
            yield f"{number} would be called {len(at)} times (recipients {', '.join(map(str, at[:5]))})."
