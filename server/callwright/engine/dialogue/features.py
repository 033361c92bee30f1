"""Which features an agent had, and which of them its conversation used, as the platform keeps it."""

from collections.abc import Mapping, Sequence
from typing import Any

from .agent import at
from .roles import Role

_SYSTEM = ("language_detection", "transfer_to_agent", "transfer_to_number")
_NODES = {
    "tool_node": "tool",
    "standalone_agent_node": "standalone_agent",
    "phone_number_node": "phone_number",
    "end_node": "end",
}


def features_used(role: Role, transcript: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`role` is the one that the conversation began with."""
    results = [result for turn in transcript for result in turn.get("tool_results") or ()]
    done = {str(at(result, "result", "result_type")) for result in results}
    offered = {tool.kind for tool in role.agent.tools}
    found: dict[str, Any] = {
        kind: _use(kind in offered, any(type_.startswith(f"{kind}_") and "success" in type_ for type_ in done))
        for kind in _SYSTEM
    }
    found["dtmf_tones"] = _use("play_keypad_touch_tone" in offered, "play_dtmf_success" in done)
    found["voicemail_detection"] = _use("voicemail_detection" in offered, "voicemail_detection_success" in done)
    outside = [tool for tool in role.agent.tools if tool.type != "system"]
    found["tool_dynamic_variable_updates"] = _use(
        any(tool.config.get("assignments") for tool in outside),
        any(result.get("dynamic_variable_updates") for result in _with_nested(results)),
    )
    called = {result.get("type") for result in _with_nested(results)}
    found["external_mcp_servers"] = _use(bool(role.agent.mcp_server_ids), "mcp" in called)
    found["multivoice"] = _use(bool(role.agent.voices), any(turn.get("multivoice_message") for turn in transcript))
    return found | {"workflow": _workflow(role, results)}


def _workflow(role: Role, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    nodes: Mapping[str, Any] = role.workflow.nodes if role.workflow else {}
    moves = [result["result"]["steps"] for result in results if result.get("type") == "workflow"]
    met = {step["target_node_id"] for steps in moves for step in steps if step["type"] == "edge"}
    kinds = {str(node["type"]) for node in nodes.values()}
    used = {str(at(nodes, id_, "type")) for id_ in met}
    return {"enabled": bool(nodes)} | {name: _use(kind in kinds, kind in used) for name, kind in _NODES.items()}


def _with_nested(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the tools that a workflow ran, too."""
    steps = [step for result in results if result.get("type") == "workflow" for step in result["result"]["steps"]]
    return [*results, *(nested for step in steps for nested in step.get("results") or ())]


def _use(enabled: bool, used: bool) -> dict[str, bool]:
    return {"enabled": enabled, "used": used}
