"""JSON merge (RFC 7396): objects merge, null removes, everything else replaces."""

from collections.abc import Mapping
from typing import Any, cast

Json = dict[str, Any]
"""A JSON object."""
JsonView = Mapping[str, Any]
"""A JSON object that is only read."""


def merged(old: Any, patch: Any, *, whole: tuple[str, ...] = ()) -> Any:
    """`old` with `patch` in it. `whole`: keys whose objects replace what stood there."""
    if not isinstance(patch, dict):
        return patch
    result: Json = dict(cast(Json, old)) if isinstance(old, dict) else {}
    for key, value in cast(Json, patch).items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = value if key in whole else merged(result.get(key), value, whole=whole)
    return result


def with_defaults(document: Any, defaults: Any) -> Any:
    """`document` with what it lacks taken from `defaults`; lists and scalars that are there stay as they are.

    A variant of another `type` than the default's takes nothing from it.
    """
    if not (isinstance(document, dict) and isinstance(defaults, dict)):
        return cast(Any, document)
    known, given = cast(Json, defaults), cast(Json, document)
    if "type" in known and given.get("type", known["type"]) != known["type"]:
        return given
    return {**known, **{key: with_defaults(value, known.get(key)) for key, value in given.items()}}


def without_nulls(document: Json) -> Json:
    """`document` without the fields that are null, at any depth of objects: as a patch they change nothing."""
    kept = {key: value for key, value in document.items() if value is not None}
    return {key: without_nulls(cast(Json, value)) if isinstance(value, dict) else value for key, value in kept.items()}
