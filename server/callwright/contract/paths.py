"""The value at a place in JSON."""

from collections.abc import Mapping
from typing import Any, cast


def at(node: Any, *path: str) -> Any:
    """What stands below these keys of objects; None where any of them is absent or leads into no object."""
    for key in path:
        node = cast(Mapping[str, Any], node).get(key) if isinstance(node, Mapping) else None
    return node
