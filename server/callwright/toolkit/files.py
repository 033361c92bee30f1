"""Files that a tool reads or writes: only in folders that the operator of the server allowed, and only for a client on
the same machine, because a path that comes over HTTP is one of another machine.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from .toolset import services

PATH_LENGTH = 1_000


def file_in_roots(ctx: Context[Any], path: str) -> Path:
    """An existing file inside one of the allowed folders, with links resolved. Raises ToolError."""
    roots = _roots(ctx)
    try:
        found = Path(path).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        found = None
    # The text is the same for an absent file and one outside, because it must not tell which files exist.
    if found is None or not found.is_file() or not _inside(found, roots):
        raise ToolError(f"No such file in {_named(roots)}. Give the path of a file in there.")
    return found


def read_file(ctx: Context[Any], path: str, most: int) -> tuple[str, bytes]:
    """Name and content of a file with at most `most` bytes. Raises ToolError."""
    found = file_in_roots(ctx, path)
    with found.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ToolError(f"{found.name} has {found.stat().st_size:,} bytes; at most {most:,} are read.")
    return found.name, data


def new_file_in_roots(ctx: Context[Any], path: str) -> Path:
    """The path of a new file that may be written. An existing file is never replaced. Raises ToolError."""
    roots = _roots(ctx)
    try:
        given = Path(path).expanduser()
        place = given.parent.resolve(strict=True) / given.name
    except (OSError, RuntimeError, ValueError):
        place = None
    if place is None or not place.name or not _inside(place.parent, roots):
        raise ToolError(f"Give the path of a new file in {_named(roots)}; its folder must exist.")
    if place.exists() or place.is_symlink():
        raise ToolError(f"{place.name} exists there already. Choose another name.")
    return place


def write_new(place: Path, data: bytes) -> None:
    """Write a new file. Raises ToolError if the file exists by now, or the folder cannot be written."""
    try:
        with place.open("xb") as file:
            file.write(data)
    except OSError as exc:
        raise ToolError(f"{place.name} could not be written ({type(exc).__name__}).") from None


def _roots(ctx: Context[Any]) -> Sequence[Path]:
    if ctx.request_context.request is not None:
        raise ToolError("Files are read and written only for a client on this machine (stdio), not over HTTP.")
    roots = services(ctx).file_roots
    if not roots:
        raise ToolError("This server touches no files: its operator can open folders with CALLWRIGHT_FILE_ROOTS.")
    return roots


def _inside(place: Path, roots: Sequence[Path]) -> bool:
    return any(place.is_relative_to(root) for root in roots)


def _named(roots: Sequence[Path]) -> str:
    return ", ".join(map(str, roots))
