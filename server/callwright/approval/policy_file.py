"""Read the policy file and check all of it at the start, so that a mistake does not first show in a tool call."""

import difflib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast, get_args

from ..contract.merge import Json
from ..settings import Approval, SettingError, Settings, ToolPolicy
from ..surface import built
from .exempt import HOST_PATTERN, Exempt, prefix_of
from .policy import Caps, Policy

_NAME = "CALLWRIGHT_POLICY_FILE"
_POLICIES: tuple[str, ...] = get_args(ToolPolicy)


def policy_of(settings: Settings, file: Path) -> Policy:
    """The policy in force. Raises SettingError with the wrong place in the file and the values allowed there.

    If both the file and the setting name a mode, the stricter one is used.
    """
    found = _read(file)
    named = {settings.approval, found.get("mode")}
    mode: Approval = "always-ask" if "always-ask" in named else "fine-grained"
    mode = "none" if "none" in named and named <= {"none", None} else mode
    excepting = found.get("toolsets") or found.get("tools")
    toolset_of = {entry["tool"]["name"]: entry["toolset"] for entry in built()} if excepting else {}
    return Policy(
        mode,
        found.get("tools", {}),
        settings.unattended,
        found.get("toolsets", {}),
        toolset_of,
        carriers() if excepting else {},
        Exempt(**found.get("exempt", {})),
        Caps(**found.get("caps", {})),
    )


def carriers() -> dict[str, tuple[str, ...]]:
    """The tools that are there for an operation: those whose main one it is."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in built():
        main = next(iter(entry["operations"]), "WS")
        # Frames of one conversation share an operation, and each is an act of its own.
        if entry["effect"] != "read" and not main.startswith("WS"):
            found[main] = (*found.get(main, ()), entry["tool"]["name"])
    return found


def _read(file: Path) -> Json:
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise SettingError(f"{_NAME} must name a readable file of JSON.") from None
    if not document and isinstance(document, dict):
        raise SettingError(f"{_NAME} must hold at least one of: {', '.join(_SECTIONS)}.")
    return _checked("", document, _SECTIONS)


def _checked(at: str, given: object, known: dict[str, Callable[[str, Any], Any]]) -> Json:
    """The object with each value checked by the function of its key."""
    document = _object(at, given)
    _known(at, document, known)
    return {key: known[key](f"{at}{key}", value) for key, value in document.items()}


def _object(at: str, given: object) -> Json:
    if not isinstance(given, dict):
        raise SettingError(f"{_NAME}: {at.rstrip('.') or 'the whole'} must be an object.")
    return cast(Json, given)


def _known(at: str, names: Iterable[str], known: Iterable[str]) -> None:
    allowed = list(known)
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(allowed)}."
            raise SettingError(f"{_NAME}: {at}{name} is not known; {hint}")


def _mode(at: str, value: Any) -> Any:
    return _one_of(at, value, get_args(Approval))


def _one_of(at: str, value: Any, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise SettingError(f"{_NAME}: {at} must be one of {', '.join(allowed)}.")
    return value


def _policies_by(kind: str) -> Callable[[str, Any], Json]:
    def check(at: str, value: Any) -> Json:
        given = _object(at, value)
        _known(f"{at}.", given, _names(kind))
        return {name: _one_of(f"{at}.{name}", policy, _POLICIES) for name, policy in given.items()}

    return check


def _names(kind: str) -> list[str]:
    names = (entry["tool"]["name"] if kind == "tool" else entry["toolset"] for entry in built())
    return list(dict.fromkeys(names))


def _hosts(at: str, value: Any) -> tuple[str, ...]:
    hosts = tuple(text.lower() for text in _texts(at, value))
    if wrong := [host for host in hosts if not re.fullmatch(HOST_PATTERN, host)]:
        raise SettingError(f"{_NAME}: {at} takes hosts.example.com or *.example.com, not {wrong[0]!r}.")
    return hosts


def _phone_prefixes(at: str, value: Any) -> tuple[str, ...]:
    texts = _texts(at, value)
    try:
        return tuple(prefix_of(text) for text in texts)
    except ValueError:
        raise SettingError(f"{_NAME}: {at} takes beginnings of numbers with country code, such as +4930.") from None


def _texts(at: str, value: Any) -> list[str]:
    items = cast(list[Any], value) if isinstance(value, list) else []
    if items != value or not all(isinstance(item, str) and item for item in items):
        raise SettingError(f"{_NAME}: {at} must be a list of texts.")
    return items


def _count(at: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SettingError(f"{_NAME}: {at} must be a whole number from 0.")
    return value


def _section(keys: dict[str, Callable[[str, Any], Any]]) -> Callable[[str, Any], Json]:
    return lambda at, value: _checked(f"{at}.", value, keys)


_SECTIONS: dict[str, Callable[[str, Any], Any]] = {
    "mode": _mode,
    "toolsets": _policies_by("toolset"),
    "tools": _policies_by("tool"),
    "exempt": _section({"hosts": _hosts, "phone_prefixes": _phone_prefixes}),
    "caps": _section({"calls_a_day": _count, "recipients_a_batch": _count}),
}
