"""What an agent's document must satisfy beyond its shape: what it refers to exists, and where it points is allowed."""

import re
from typing import Any, cast

from sqlalchemy import Table, select

from ..contract.agents import CreateAgent
from ..contract.errors import BadRequest, InvalidRequest, Problem
from ..net.guard import AllowList, check
from .handlers import Tx
from .merge import Json
from .problems import validated
from .tables import agent, document, secret
from .tables_agent_tests import agent_test
from .tables_agent_tools import tool
from .tables_mcp_servers import mcp_server
from .uses import references_in
from .workflow_checks import graph_problems

PROMPT_BYTES = 2_000_000
"""The platform's limit of the whole system prompt."""

_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")
_STORED: dict[str, Table] = {
    "document": document,
    "secret": secret,
    "agent": agent,
    "test": agent_test,
    "mcp_server": mcp_server,
    "tool": tool,
}

ZERO_RETENTION_MODELS = (
    "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.0-flash", "gemini-2.0-flash-lite", "gemini-1.5-flash",
    "gemini-1.5-pro", "gemini-1.0-pro", "claude-3-7-sonnet", "claude-3-5-sonnet", "claude-3-haiku", "claude-3-0-haiku",
    "custom-llm",
)  # fmt: skip
"""Models that keep nothing; zero retention allows no other. A dated variant counts as its family."""


def check_agent(tx: Tx, doc: Json, allow: AllowList) -> None:
    """All problems of the merged document at once, so that a bad part is refused whole.

    Raises InvalidRequest for its shape and references, BadRequest for what zero retention forbids.
    """
    validated(CreateAgent, doc)
    problems = [
        *graph_problems(doc.get("workflow") or {}),
        *missing_references(tx, doc),
        *unsafe_urls(doc, allow),
        *_prompt_size(doc),
    ]
    if problems:
        raise InvalidRequest(problems)
    privacy = doc["platform_settings"]["privacy"]
    llm = str(doc["conversation_config"]["agent"]["prompt"]["llm"])
    if privacy.get("zero_retention_mode") and not llm.startswith(ZERO_RETENTION_MODELS):
        raise BadRequest(f"Zero retention allows only models that keep nothing, and {llm!r} is none of them.")
    if privacy.get("zero_retention_mode") and any(each.kind == "mcp_server" for each in references_in(doc)):
        raise BadRequest("Zero retention allows no MCP servers: what they are sent, they may keep.")


def missing_references(tx: Tx, doc: Json) -> list[Problem]:
    """Ids in the body `doc` that name nothing of this workspace."""
    found = list(references_in(doc))
    problems: list[Problem] = []
    for kind, table in _STORED.items():
        wanted = {reference.id for reference in found if reference.kind == kind}
        if not wanted:
            continue
        there = select(table.c.id).where(table.c.workspace == tx.workspace, table.c.id.in_(wanted))
        known = set(tx.db.execute(there).scalars())
        problems += [
            Problem(loc=["body", *at], msg=f"There is no {kind} {id!r}.", type="unknown_reference")
            for reference_kind, id, at in found
            if reference_kind == kind and id not in known
        ]
    return problems


def unsafe_urls(node: object, allow: AllowList, at: tuple[str | int, ...] = ()) -> list[Problem]:
    """Every URL that will later receive data; one whose host is a `{{variable}}` is checked when it is called."""
    problems: list[Problem] = []
    if isinstance(node, list):
        for index, item in enumerate(cast(list[object], node)):
            problems += unsafe_urls(item, allow, (*at, index))
    elif isinstance(node, dict):
        for key, value in cast(dict[str, Any], node).items():
            if key == "url" and isinstance(value, str) and at[-1:] != ("avatar",):
                scheme, _, rest = value.partition("://")
                if "{{" in scheme or "{{" in rest.partition("/")[0]:
                    continue
                try:
                    check(_VARIABLE.sub("x", value), allow=allow)
                except BadRequest as exc:
                    problems.append(Problem(loc=["body", *at, key], msg=str(exc), type="url_not_allowed"))
            else:
                problems += unsafe_urls(value, allow, (*at, key))
    return problems


def _prompt_size(doc: Json) -> list[Problem]:
    size = len(str(doc["conversation_config"]["agent"]["prompt"].get("prompt") or "").encode())
    if size <= PROMPT_BYTES:
        return []
    said = f"The prompt has {size:,} bytes; at most {PROMPT_BYTES:,} are allowed."
    return [Problem(loc=["body", "conversation_config", "agent", "prompt", "prompt"], msg=said, type="too_long")]
