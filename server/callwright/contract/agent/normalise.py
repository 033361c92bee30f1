"""One spelling for an agent's document: older examples and clients write the same thing in several ways.

Works on plain JSON, before any model is built, so that what is stored and what is sent is always the one spelling.
Nothing that was given is changed in place; what has another shape than expected is left for the models to refuse.
"""

import re
from collections.abc import Callable
from itertools import chain, count
from typing import Any, cast

from ..merge import Json
from ..tool_dialect import editors, normalise_tool
from .system_spelling import system_kind, system_tool

_AGENT = ("conversation_config", "agent")


def normalise(request: object) -> tuple[Any, list[str]]:
    """The body of a request that creates, changes, rehearses or tests an agent; and what was written differently."""
    warnings: list[str] = []

    def agent(config: Json) -> Json:
        return _agent(config, warnings)

    def nodes(found: Json) -> Json:
        return {id: _at(cast(Json, n), _AGENT, agent) if isinstance(n, dict) else n for id, n in found.items()}

    if not isinstance(request, dict):
        return request, warnings

    def whole(document: Json) -> Json:
        document = _at(document, _AGENT, agent)
        document = _at(document, ("workflow", "nodes"), nodes)
        return _at(document, ("platform_settings", "evaluation"), lambda found: _criteria(found, "criteria"))

    body = whole(cast(Json, request))
    body = _at(body, ("agent_config_override",), whole)
    body = _at(body, ("simulation_specification", "simulated_user_config"), agent)
    return _criteria(body, "extra_evaluation_criteria"), warnings


def split_nulls(patch: Any) -> tuple[Any, list[tuple[str, ...]]]:
    """A merge patch without its nulls, and where they stood. A list is a value: what is null in it stays."""
    if not isinstance(patch, dict):
        return patch, []
    rest: Json = {}
    nulls: list[tuple[str, ...]] = []
    for name, value in cast(Json, patch).items():
        if value is None:
            nulls.append((name,))
            continue
        rest[name], below = split_nulls(value)
        nulls += [(name, *path) for path in below]
    return rest, nulls


def _agent(config: Json, warnings: list[str]) -> Json:
    prompt = config.get("prompt")
    if isinstance(prompt, str):
        return config | {"prompt": {"prompt": prompt}}
    if not isinstance(prompt, dict):
        return config
    prompt = cast(Json, prompt)
    if "first_message" in prompt:
        warnings.append("agent.prompt.first_message is not read there; it became agent.first_message.")
        config = {"first_message": prompt["first_message"], **config}
        prompt = {k: v for k, v in prompt.items() if k != "first_message"}
    return config | {"prompt": _tools(prompt, warnings)}


def _tools(prompt: Json, warnings: list[str]) -> Json:
    """System tools move from the list of tools to `built_in_tools`, where their own name wins over their label; tools
    that an editor wrote become the API's."""
    given = prompt.get("built_in_tools")
    built_in = {n: system_tool(n, t) for n, t in cast(Json, given).items()} if isinstance(given, dict) else {}
    tools = prompt.get("tools")
    rest: list[Any] = []
    for tool in cast(list[Any], tools) if isinstance(tools, list) else []:
        kind = system_kind(tool)
        if kind is None and editors(tool):
            found, notes = normalise_tool(tool)
            rest.append(found)
            warnings += [f"{tool['name']}: {note}" if "name" in tool else note for note in notes]
        elif kind is None:
            rest.append(tool)
        elif built_in.get(kind) is not None:
            warnings.append(f"{kind} stands in tools and in built_in_tools; the one in built_in_tools is kept.")
        else:
            built_in[kind] = system_tool(kind, tool)
    changed: Json = {}
    if isinstance(tools, list) and rest != tools:
        changed["tools"] = rest
    if built_in:
        changed["built_in_tools"] = built_in
    return prompt | changed


def _criteria(node: Json, name: str) -> Json:
    """Goals that are only sentences get ids from their first words, each its own: results are kept by id."""
    found = node.get(name)
    if not isinstance(found, list):
        return node
    given = cast(list[Any], found)
    taken = {str(cast(Json, goal).get("id")) for goal in given if isinstance(goal, dict)}
    goals: list[Any] = []
    for goal in given:
        if not isinstance(goal, str):
            goals.append(goal)
            continue
        words = "_".join(re.findall(r"[a-z0-9]+", goal.lower())[:6]) or "goal"
        id = next(each for each in chain([words], (f"{words}_{n}" for n in count(2))) if each not in taken)
        taken.add(id)
        goals.append({"id": id, "name": goal[:80], "type": "prompt", "conversation_goal_prompt": goal})
    return node | {name: goals}


def _at(node: Json, path: tuple[str, ...], change: Callable[[Json], Json]) -> Json:
    """A copy of `node` with the object at `path` changed, where there is one."""
    if not path:
        return change(node)
    child = node.get(path[0])
    return node | {path[0]: _at(cast(Json, child), path[1:], change)} if isinstance(child, dict) else node
