"""Agents that talk in a live conversation, and a model that does what the user tells it to."""

from itertools import pairwise

from tests.dialogue.llm_peer import JSON, Call, Reply, Say

ALWAYS: JSON = {"type": "unconditional"}


def obey(request: JSON) -> Reply:
    """A model that calls what the user tells it to, a line a call, and otherwise says who it is: the first line of its
    prompt.
    """
    last = request["messages"][-1]
    if last["role"] == "user" and last["content"].startswith("call "):
        told = [line.split(" ", 2)[1:] for line in last["content"].splitlines()]
        calls = [Call(name, arguments, f"call_{place}", place) for place, (name, arguments) in enumerate(told)]
        return Say(calls=tuple(calls))
    return Say(request["messages"][0]["content"].splitlines()[0])


def system_tool(name: str, **params: object) -> JSON:
    return {"type": "system", "name": name, "description": "", "params": {"system_tool_type": name, **params}}


def speaking(prompt: str, language: str = "en", *tools: JSON, **presets: JSON) -> JSON:
    """An agent with a greeting, and other languages by the changes that they bring."""
    asked = {"prompt": prompt, "built_in_tools": {tool["name"]: tool for tool in tools}}
    agent = {"first_message": f"Greeting: {prompt}", "language": language, "prompt": asked}
    return {
        "agent": agent,
        "language_presets": {name: {"overrides": {"agent": change}} for name, change in presets.items()},
    }


def line(*nodes: tuple[str, JSON]) -> JSON:
    """A workflow whose nodes follow each other."""
    names = ["start", *(name for name, _ in nodes)]
    ways = pairwise(names)
    edges = {f"{a}_{b}": {"source": a, "target": b, "forward_condition": ALWAYS} for a, b in ways}
    return {"nodes": {"start": {"type": "start"}, **dict(nodes)}, "edges": edges}
