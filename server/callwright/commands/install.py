"""`callwright install`: add the server to the configuration of a host. Other entries stay, and a backup is kept."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..settings import SettingError
from .hosts import Host, Json

SERVER = "callwright"


@dataclass(frozen=True)
class Installed:
    """Result of an installation: what was written, or in a dry run would be."""

    file: Path
    text: str
    changed: bool
    backup: Path | None
    """Path of the copy of the former file."""


def install(
    host: Host, command: list[str], env: dict[str, str], *, name: str = SERVER, dry_run: bool, private: bool = False
) -> Installed:
    """Write the entry `name` into the host's configuration. `command`: absolute path of this program, and arguments.
    `private`: `env` holds values that may be keys, so that the file and its copy become their owner's alone.

    Raises SettingError if the file is not JSON (some hosts allow comments, which rewriting would lose).
    """
    file = host.file()
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    config = _read(before, file, host, command, env, name)
    servers = config.setdefault(host.key, {})
    if not isinstance(servers, dict):
        raise SettingError(f"{host.key} in {file} is not an object; mend it by hand.")
    cast(Json, servers)[name] = host.entry(command, env)
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    changed = json.dumps(config) != json.dumps(json.loads(before or "{}"))
    if dry_run or not changed:
        return Installed(file, text, changed, None)
    return Installed(file, text, changed, _write(file, before, text, private=private))


def installed(host: Host, name: str = SERVER) -> Json:
    """The entry that a host would start. Raises SettingError if there is none."""
    file = host.file()
    if not file.exists():
        raise SettingError(f"{host.title} has no configuration at {file}. Run: callwright install {host.name}")
    try:
        servers: Any = json.loads(file.read_text(encoding="utf-8")).get(host.key, {})
        return cast(Json, servers[name])
    except (ValueError, AttributeError):
        raise SettingError(f"{file} is not JSON that can be read; mend it by hand.") from None
    except KeyError:
        raise SettingError(f"{file} has no server {name!r}. Run: callwright install {host.name}") from None


def _read(before: str, file: Path, host: Host, command: list[str], env: dict[str, str], name: str) -> Json:
    try:
        found: Any = json.loads(before) if before.strip() else {}
    except ValueError as exc:
        entry = json.dumps({name: host.entry(command, dict.fromkeys(env, "..."))}, ensure_ascii=False)
        raise SettingError(
            f"{file} is not plain JSON ({exc}), and rewriting it could lose what is there. Paste this into"
            f" {host.key} by hand: {entry}"
        ) from None
    if not isinstance(found, dict):
        raise SettingError(f"{file} does not hold an object; mend it by hand.")
    return cast(Json, found)


PRIVATE = 0o600


def _write(file: Path, before: str, text: str, *, private: bool) -> Path | None:
    """Write the file atomically, so that hosts never read half of it.

    `private`: it and its copy are for their owner only, whatever they were before.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = PRIVATE if private or not file.exists() else file.stat().st_mode & 0o777
    backup = _backup(file, before, mode) if before else None
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(temporary, mode)
    os.replace(temporary, file)
    return backup


def _backup(file: Path, before: str, mode: int) -> Path:
    number = 1
    while (backup := file.with_name(f"{file.name}.bak{number}")).exists():
        number += 1
    # Made for its owner before anything is in it.
    with open(backup, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, PRIVATE)) as out:
        out.write(before)
    backup.chmod(mode)
    return backup
