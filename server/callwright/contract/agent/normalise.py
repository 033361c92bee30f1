"""One spelling for an agent's document: older examples and clients write the same thing in several ways.

Works on plain JSON, before any model is built, so that what is stored and what is sent is always the one spelling.
Nothing that was given is changed in place; what has another shape than expected is left for the models to refuse.
"""

import re
from collections.abc import Callable
from typing import Any, cast

Document = dict[str, Any]

_AGENT = ("conversation_config", "agent")

SYSTEM_TOOLS = (
    "end_call",
    "language_detection",
    "transfer_to_agent",
    "transfer_to_number",
    "skip_turn",
    "play_keypad_touch_tone",
    "voicemail_detection",
)


def normalise(request: object) -> tuple[Any, list[str]]:
    """The body of a request that creates, changes, rehearses or tests an agent; and what was written differently."""
    warnings: list[str] = []

    def agent(config: Document) -> Document:
        return _agent(config, warnings)

    def nodes(found: Document) -> Document:
        return {id: _at(cast(Document, n), _AGENT, agent) if isinstance(n, dict) else n for id, n in found.items()}

    if not isinstance(request, dict):
        return request, warnings

    def whole(document: Document) -> Document:
        document = _at(document, _AGENT, agent)
        document = _at(document, ("workflow", "nodes"), nodes)
        return _each(document, ("platform_settings", "evaluation"), "criteria", _criterion)

    body = whole(cast(Document, request))
    body = _at(body, ("agent_config_override",), whole)
    body = _at(body, ("simulation_specification", "simulated_user_config"), agent)
    return _each(body, (), "extra_evaluation_criteria", _criterion), warnings


def split_nulls(patch: Any) -> tuple[Any, list[tuple[str, ...]]]:
    """A merge patch without its nulls, and where they stood. A list is a value: what is null in it stays."""
    if not isinstance(patch, dict):
        return patch, []
    rest: Document = {}
    nulls: list[tuple[str, ...]] = []
    for name, value in cast(Document, patch).items():
        if value is None:
            nulls.append((name,))
            continue
        rest[name], below = split_nulls(value)
        nulls += [(name, *path) for path in below]
    return rest, nulls


def _agent(config: Document, warnings: list[str]) -> Document:
    prompt = config.get("prompt")
    if isinstance(prompt, str):
        return config | {"prompt": {"prompt": prompt}}
    if not isinstance(prompt, dict):
        return config
    prompt = cast(Document, prompt)
    if "first_message" in prompt:
        warnings.append("agent.prompt.first_message is not read there; it became agent.first_message.")
        config = {"first_message": prompt["first_message"], **config}
        prompt = {k: v for k, v in prompt.items() if k != "first_message"}
    return config | {"prompt": _tools(prompt, warnings)}


def _tools(prompt: Document, warnings: list[str]) -> Document:
    """System tools move from the list of tools to `built_in_tools`, where their own name wins over their label."""
    given = prompt.get("built_in_tools")
    built_in = {n: system_tool(n, t) for n, t in cast(Document, given).items()} if isinstance(given, dict) else {}
    tools = prompt.get("tools")
    rest: list[Any] = []
    for tool in cast(list[Any], tools) if isinstance(tools, list) else []:
        kind = system_kind(tool)
        if kind is None:
            rest.append(tool)
        elif built_in.get(kind) is not None:
            warnings.append(f"{kind} stands in tools and in built_in_tools; the one in built_in_tools is kept.")
        else:
            built_in[kind] = system_tool(kind, tool)
    changed: Document = {}
    if isinstance(tools, list) and len(rest) < len(cast(list[Any], tools)):
        changed["tools"] = rest
    if built_in:
        changed["built_in_tools"] = built_in
    return prompt | changed


def system_kind(tool: object) -> str | None:
    """Which of the platform's own tools this is, however it is spelt; None where it is none of them."""
    if not isinstance(tool, dict) or cast(Document, tool).get("type") != "system":
        return None
    params = cast(Document, tool).get("params")
    kind = cast(Document, params).get("system_tool_type") if isinstance(params, dict) else None
    kind = kind or cast(Document, tool).get("name")
    return kind if kind in SYSTEM_TOOLS else None


def system_tool(kind: str, tool: Any) -> Any:
    """With everything that its place implies: name, type and the kind in its parameters."""
    if not isinstance(tool, dict) or kind not in SYSTEM_TOOLS:
        return cast(Any, tool)
    found = cast(Document, tool)
    given: Any = found.get("params") or {}
    params: Any = {"system_tool_type": kind, **cast(Document, given)} if isinstance(given, dict) else given
    return {"type": "system", "name": kind, **found, "params": params}


def _criterion(criterion: Any) -> Any:
    """A goal that is only a sentence gets an id from its first words."""
    if not isinstance(criterion, str):
        return criterion
    words = re.findall(r"[a-z0-9]+", criterion.lower())[:6]
    return {
        "id": "_".join(words) or "goal",
        "name": criterion[:80],
        "type": "prompt",
        "conversation_goal_prompt": criterion,
    }


def _at(node: Document, path: tuple[str, ...], change: Callable[[Document], Document]) -> Document:
    """A copy of `node` with the object at `path` changed, where there is one."""
    if not path:
        return change(node)
    child = node.get(path[0])
    return node | {path[0]: _at(cast(Document, child), path[1:], change)} if isinstance(child, dict) else node


def _each(node: Document, path: tuple[str, ...], name: str, change: Callable[[Any], Any]) -> Document:
    def items(parent: Document) -> Document:
        found = parent.get(name)
        return parent | {name: [change(i) for i in cast(list[Any], found)]} if isinstance(found, list) else parent

    return _at(node, path, items)
