"""Combine flat arguments with the `config` document of a tool call."""

from typing import cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.merge import Json


def put(body: Json, path: tuple[str, ...], value: object, argument: str) -> None:
    """Set the value of an argument at `path` of `body`, unless it is None. Raises ToolError if a value is set there."""
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
