"""Variables in texts of an agent that are reached only later: a conversation needs their values at its start."""

from collections.abc import Iterator
from typing import cast

from sqlalchemy import select

from ...contract.merge import Json
from ...contract.paths import at
from ...contract.references import references_in
from ..dialogue.variables import named_in
from ..schema.agent_tools import tool
from ..schema.mcp_servers import mcp_server
from ..store.transaction import Tx
from .configuration import prompts_in

_GIVEN_NAMES = ("dynamic_variable_placeholders",)
"""Objects whose keys are names chosen by users."""


def needed_later(tx: Tx, document: Json) -> frozenset[str]:
    """Variables in the texts of workflow nodes, of transfer messages, and of languages that can be switched to.

    Variables that one of the agent's tools may set are left out: only the tool's result shows whether it does.
    """
    config: Json = document["conversation_config"]
    workflow: Json = document.get("workflow") or {}
    nodes: dict[str, Json] = workflow.get("nodes") or {}
    texts: list[object] = [*_values(config, "transfer_message"), *_values(workflow, "transfer_message")]
    texts += [node.get("additional_prompt") for node in nodes.values()]
    agents = [at(node, "conversation_config", "agent") for node in nodes.values()]
    texts += [at(agent, "first_message") for agent in agents]
    said_at = {"workflow", *(["language_presets"] if _switches_language(config) else [])}
    texts += [prompt.get("prompt") for prompt, place in prompts_in(document) if said_at & {*map(str, place)}]
    named = named_in(*(text for text in texts if isinstance(text, str)))
    return frozenset(named - _assigned(tx, document)) if named else frozenset()


def _switches_language(config: Json) -> bool:
    prompt: Json = at(config, "agent", "prompt") or {}
    inline: list[Json] = prompt.get("tools") or []
    return bool(at(prompt, "built_in_tools", "language_detection")) or any(
        tool.get("name") == "language_detection" for tool in inline
    )


def _assigned(tx: Tx, document: Json) -> set[str]:
    sources: list[object] = [document]
    for kind, table in (("tool", tool), ("mcp_server", mcp_server)):
        ids = {reference.id for reference in references_in(document) if reference.kind == kind}
        found = select(table.c.document).where(tx.own(table), table.c.id.in_(ids))
        sources += tx.db.execute(found).scalars()
    rules = [cast(list[Json], value) for source in sources for value in _values(source, "assignments") if value]
    return {str(rule.get("dynamic_variable")) for each in rules for rule in each}


def _values(node: object, key: str) -> Iterator[object]:
    """All values of the key `key`, at any depth."""
    if isinstance(node, list):
        for item in cast(list[object], node):
            yield from _values(item, key)
    elif isinstance(node, dict):
        for name, value in cast(Json, node).items():
            if name == key:
                yield value
            elif name not in _GIVEN_NAMES:
                yield from _values(value, key)
