"""The features that an agent had and those that its conversation used, in the platform's shape."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...contract.paths import at
from ...workflow.node_kinds import KINDS, kind_of
from .roles import Role

_SYSTEM = ("language_detection", "transfer_to_agent", "transfer_to_number")


def features_used(role: Role, transcript: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The features of a whole conversation. `role`: the role at its beginning."""
    features = Features(role)
    for turn in transcript:
        features.add(turn)
    return features.record()


class Features:
    """`add` takes each turn of a conversation once; `record` returns the features used in those turns."""

    def __init__(self, role: Role) -> None:
        """`role`: the role at the beginning of the conversation."""
        self._role = role
        self._done: set[str] = set()
        self._called: set[str] = set()
        self._met: set[str] = set()
        self._assigned = self._voices = False

    def add(self, turn: Mapping[str, Any]) -> None:
        results: Sequence[Mapping[str, Any]] = turn.get("tool_results") or ()
        self._done |= {str(at(result, "result", "result_type")) for result in results}
        nested = _with_nested(results)
        self._called |= {str(result.get("type")) for result in nested}
        self._assigned |= any(result.get("dynamic_variable_updates") for result in nested)
        moves = [result["result"]["steps"] for result in results if result.get("type") == "workflow"]
        self._met |= {step["target_node_id"] for steps in moves for step in steps if step["type"] == "edge"}
        self._voices |= bool(turn.get("multivoice_message"))

    def record(self) -> dict[str, Any]:
        agent, done = self._role.agent, self._done
        offered = {tool.kind for tool in agent.tools}
        found: dict[str, Any] = {
            kind: _use(kind in offered, any(type_.startswith(f"{kind}_") and "success" in type_ for type_ in done))
            for kind in _SYSTEM
        }
        found["dtmf_tones"] = _use("play_keypad_touch_tone" in offered, "play_dtmf_success" in done)
        found["voicemail_detection"] = _use("voicemail_detection" in offered, "voicemail_detection_success" in done)
        outside = [tool for tool in agent.tools if tool.type != "system"]
        assigns = any(tool.config.get("assignments") for tool in outside)
        found["tool_dynamic_variable_updates"] = _use(assigns, self._assigned)
        found["external_mcp_servers"] = _use(bool(agent.mcp_server_ids), "mcp" in self._called)
        found["multivoice"] = _use(bool(agent.voices), self._voices)
        return found | {"workflow": self._workflow()}

    def _workflow(self) -> dict[str, Any]:
        nodes: Mapping[str, Any] = self._role.workflow.nodes if self._role.workflow else {}
        there = {kind_of(node).feature for node in nodes.values()}
        met = {kind_of(nodes[id_]).feature for id_ in self._met if id_ in nodes}
        names = [kind.feature for kind in KINDS.values() if kind.feature]
        return {"enabled": bool(nodes)} | {name: _use(name in there, name in met) for name in names}


def _with_nested(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The results together with those of tools that a workflow ran."""
    steps = [step for result in results if result.get("type") == "workflow" for step in result["result"]["steps"]]
    return [*results, *(nested for step in steps for nested in step.get("results") or ())]


def _use(enabled: bool, used: bool) -> dict[str, bool]:
    return {"enabled": enabled, "used": used}
