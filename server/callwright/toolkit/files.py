"""Files that a tool reads or writes: only in folders that the operator of the server allowed, and only for a client on
the same machine, because a path that comes over HTTP is one of another machine.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from .rooted import open_new, open_to_read
from .toolset import services

PATH_LENGTH = 1_000


@dataclass(frozen=True)
class NewFile:
    """The place of a file that is not there yet: `inside` one of the allowed folders."""

    root: Path
    inside: Path

    def __str__(self) -> str:
        return str(self.root / self.inside)


def read_file(ctx: Context[Any], path: str, most: int) -> tuple[str, bytes]:
    """Name and content of a file with at most `most` bytes, inside one of the allowed folders. Raises ToolError."""
    roots = _roots(ctx)
    # The text is the same for an absent file and one outside, because it must not tell which files exist.
    absent = ToolError(f"No such file in {_named(roots)}. Give the path of a file in there.")
    try:
        found = Path(path).expanduser().resolve(strict=True)
        root = _root_of(found, roots)
        if root is None:
            raise absent
        with os.fdopen(open_to_read(root, found.relative_to(root)), "rb") as file:
            data = file.read(most + 1)
            size = os.fstat(file.fileno()).st_size
    except (OSError, RuntimeError, ValueError):
        raise absent from None
    if len(data) > most:
        raise ToolError(f"{found.name} has {size:,} bytes; at most {most:,} are read.")
    return found.name, data


def new_file_in_roots(ctx: Context[Any], path: str) -> NewFile:
    """The place of a new file that may be written. An existing file is never replaced. Raises ToolError."""
    roots = _roots(ctx)
    try:
        given = Path(path).expanduser()
        place = given.parent.resolve(strict=True) / given.name
    except (OSError, RuntimeError, ValueError):
        place = None
    root = _root_of(place.parent, roots) if place is not None and place.name else None
    if place is None or root is None:
        raise ToolError(f"Give the path of a new file in {_named(roots)}; its folder must exist.")
    if os.path.lexists(place):
        raise ToolError(f"{place.name} exists there already. Choose another name.")
    return NewFile(root, place.relative_to(root))


def write_new(place: NewFile, data: bytes) -> None:
    """Write a new file. Raises ToolError if the file exists by now, or the folder cannot be written."""
    try:
        with os.fdopen(open_new(place.root, place.inside), "wb") as file:
            file.write(data)
    except OSError as exc:
        raise ToolError(f"{place.inside.name} could not be written ({type(exc).__name__}).") from None


def _roots(ctx: Context[Any]) -> Sequence[Path]:
    if ctx.request_context.request is not None:
        raise ToolError("Files are read and written only for a client on this machine (stdio), not over HTTP.")
    roots = services(ctx).file_roots
    if not roots:
        raise ToolError("This server touches no files: its operator can open folders with CALLWRIGHT_FILE_ROOTS.")
    return roots


def _root_of(place: Path, roots: Sequence[Path]) -> Path | None:
    return next((root for root in roots if place.is_relative_to(root)), None)


def _named(roots: Sequence[Path]) -> str:
    return ", ".join(map(str, roots))
