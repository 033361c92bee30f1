"""One spelling for the platform's own tools, wherever they stand."""

from typing import Any, cast

from ..merge import Json

SYSTEM_TOOLS = (
    "end_call",
    "language_detection",
    "transfer_to_agent",
    "transfer_to_number",
    "skip_turn",
    "play_keypad_touch_tone",
    "voicemail_detection",
)


def system_kind(tool: object) -> str | None:
    """Which of the platform's own tools this is, however it is spelt; None where it is none of them."""
    if not isinstance(tool, dict) or cast(Json, tool).get("type") != "system":
        return None
    params = cast(Json, tool).get("params")
    kind = cast(Json, params).get("system_tool_type") if isinstance(params, dict) else None
    kind = kind or cast(Json, tool).get("name")
    return kind if kind in SYSTEM_TOOLS else None


def system_tool(kind: str, tool: Any) -> Any:
    """With everything that its place implies: name, type and the kind in its parameters."""
    if not isinstance(tool, dict) or kind not in SYSTEM_TOOLS:
        return cast(Any, tool)
    found = cast(Json, tool)
    given: Any = found.get("params") or {}
    params: Any = {"system_tool_type": kind, **cast(Json, given)} if isinstance(given, dict) else given
    return {"type": "system", "name": kind, **found, "params": params}
