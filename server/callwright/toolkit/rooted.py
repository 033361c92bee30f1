"""Opens files inside a folder component by component, without following links.

A path that is looked at first and opened afterwards can lead elsewhere by then: whoever writes in the folder swaps a
component for a link in between. So each component is opened in the one before it, and what is judged is the open file.
"""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_BY_FOLDER = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Windows has neither. There the path of the open file is looked at once more."""
_BINARY = getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_LINKLESS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe must not be waited for


def open_to_read(root: Path, inside: Path) -> int:
    """The descriptor of a regular file with a single name, at the path `inside` of a folder. Raises OSError."""
    with _folder_of(root, inside) as folder:
        descriptor = _open(folder, root / inside, os.O_RDONLY | _LINKLESS)
    try:
        _check(os.fstat(descriptor), None if folder is not None else (root, inside))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_new(root: Path, inside: Path) -> int:
    """The descriptor of a new file, to write. Raises OSError; FileExistsError if there is anything of that name."""
    with _folder_of(root, inside) as folder:
        return _open(folder, root / inside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _LINKLESS)


@contextmanager
def _folder_of(root: Path, inside: Path) -> Generator[int | None]:
    """The open folder that holds `inside`; None where folders cannot be opened."""
    if ".." in inside.parts or inside.is_absolute():
        raise OSError("not a path inside")
    if not _BY_FOLDER:
        yield None
        return
    folder = os.open(root, os.O_RDONLY | _FOLDER)
    try:
        for name in inside.parts[:-1]:
            next_folder = os.open(name, os.O_RDONLY | _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = next_folder
        yield folder
    finally:
        os.close(folder)


def _open(folder: int | None, path: Path, flags: int) -> int:
    flags |= _BINARY
    return os.open(path, flags, 0o666) if folder is None else os.open(path.name, flags, 0o666, dir_fd=folder)


def _check(found: os.stat_result, unsure: tuple[Path, Path] | None) -> None:
    """`unsure`: root and path of an open file whose folders were not opened."""
    if not stat.S_ISREG(found.st_mode):
        raise OSError("not a regular file")
    if found.st_nlink > 1:
        raise OSError("a hard link: the file has another name, which may be outside")
    if unsure:
        root, inside = unsure
        place = (root / inside).resolve(strict=True)
        if not place.is_relative_to(root) or not os.path.samestat(place.stat(), found):
            raise OSError("the path leads elsewhere")
