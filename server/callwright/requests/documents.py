"""A document that is said partly in flat arguments, and otherwise in `config`."""

from typing import cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.merge import Json


def put(body: Json, path: tuple[str, ...], value: object, argument: str) -> None:
    """Set what an argument says at its place in `body`; None says nothing. ToolError where it stands there already."""
    if value is None:
        return
    node = body
    for at, part in enumerate(path[:-1]):
        inner = node.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ToolError(f"config.{'.'.join(path[: at + 1])} must be an object.")
        node = cast(Json, inner)
    if path[-1] in node:
        raise ToolError(f"{argument} is also set in config.{'.'.join(path)}: say it once.")
    node[path[-1]] = value
