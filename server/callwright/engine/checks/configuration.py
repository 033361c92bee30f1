"""Checks of an agent's document beyond its shape: its references exist, and its URLs are allowed."""

import re
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import Table, select

from ...contract.agents import CreateAgent
from ...contract.errors import BadRequest, InvalidRequest, Problem, body_problem
from ...contract.guards import holds_variable
from ...contract.merge import Json
from ...contract.paths import at as at_path
from ...contract.references import references_in
from ...net.guard import AllowList, check
from ...workflow.problems import graph_problems
from ..dialogue.destinations import origin_of
from ..dialogue.prompt import PROMPT_LIMIT
from ..models.names import CUSTOM_LLM, keeps_nothing
from ..schema.agent_tests import agent_test
from ..schema.agent_tools import tool
from ..schema.auth_connections import auth_connection
from ..schema.mcp_servers import mcp_server
from ..schema.pronunciation import pronunciation_dictionary, pronunciation_version
from ..schema.tables import agent, document, secret
from ..store.transaction import Tx
from ..store.workspace_documents import document_of
from .problems import validated

_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")
_OWN_PROMPT = ("conversation_config", "agent", "prompt")
_STORED: dict[str, Table] = {
    "document": document,
    "secret": secret,
    "agent": agent,
    "test": agent_test,
    "mcp_server": mcp_server,
    "tool": tool,
    "auth_connection": auth_connection,
    "pronunciation_dictionary": pronunciation_dictionary,
}


def check_agent(tx: Tx, doc: Json, allow: AllowList) -> None:
    """Check the merged document of an agent and report all its problems at once: a bad change is refused whole.

    Raises InvalidRequest for its shape and references, BadRequest for settings that zero retention forbids.
    """
    validated(CreateAgent, doc)
    problems = [
        *graph_problems(doc.get("workflow") or {}),
        *missing_references(tx, doc),
        *unsafe_urls(doc, allow),
        *_prompt_size(doc),
        *_own_endpoints(doc),
    ]
    if problems:
        raise InvalidRequest(problems)
    if doc["platform_settings"]["privacy"].get("zero_retention_mode"):
        _refuse_what_keeps(doc)
    if any(each.kind == "mcp_server" for each in references_in(doc)):
        check_mcp_policy(tx)


def check_mcp_policy(tx: Tx) -> None:
    """Raises BadRequest if the workspace does not use MCP servers."""
    if not document_of(tx, "settings")["can_use_mcp_servers"]:
        raise BadRequest("This workspace uses no MCP servers: can_use_mcp_servers in its settings is false.")


def missing_references(tx: Tx, doc: Json) -> list[Problem]:
    """Problems for the ids in the body `doc` that name no resource of this workspace."""
    found = list(references_in(doc))
    problems: list[Problem] = []
    for kind, table in _STORED.items():
        wanted = {reference.id for reference in found if reference.kind == kind}
        if not wanted:
            continue
        there = select(table.c.id).where(tx.own(table), table.c.id.in_(wanted))
        known = set(tx.db.execute(there).scalars())
        problems += [
            body_problem(at, f"There is no {kind} {id!r}.", "unknown_reference", resource=table.info["resource"])
            for reference_kind, id, at in found
            if reference_kind == kind and id not in known
        ]
    return [*problems, *_unknown_versions(tx, doc)]


def _unknown_versions(tx: Tx, doc: Json) -> Iterator[Problem]:
    """Problems for versions that do not belong to the dictionary named beside them.

    A version beside an unknown dictionary is not reported: the dictionary itself already is.
    """
    table = pronunciation_version
    for kind, id, at in references_in(doc):
        if kind == "pronunciation_dictionary" and (version := _beside(doc, at, "version_id")) is not None:
            its = select(table.c.id).where(tx.own(table, dictionary_id=id))
            known = set(tx.db.execute(its).scalars())  # a dictionary has at least one
            if known and version not in known:
                said = f"Pronunciation dictionary {id!r} has no version {version!r}."
                yield body_problem([*at[:-1], "version_id"], said, "unknown_reference")


def _beside(doc: Json, at: tuple[str | int, ...], name: str) -> object:
    """The field `name` of the object that holds the field at `at`."""
    node: Any = doc
    for part in at[:-1]:
        node = node[part]
    return node.get(name)


def unsafe_urls(node: object, allow: AllowList, at: tuple[str | int, ...] = ()) -> list[Problem]:
    """Problems for the URLs that will later receive data and are not allowed.

    Only the host of a webhook tool may hold variables, and only those that the tool itself gives a value.
    """
    problems: list[Problem] = []
    if isinstance(node, list):
        for index, item in enumerate(cast(list[object], node)):
            problems += unsafe_urls(item, allow, (*at, index))
    elif isinstance(node, dict):
        given = cast(dict[str, Any], node)
        for key, value in given.items():
            if key == "api_schema" and isinstance(at_path(value, "url"), str):
                problems += _unsafe_webhook(given, allow, (*at, key, "url"))
                problems += unsafe_urls(value, allow, (*at, key))
            elif key == "url" and isinstance(value, str) and at[-1:] not in (("avatar",), ("api_schema",)):
                problems += _unsafe(value, allow, (*at, key))
            else:
                problems += unsafe_urls(value, allow, (*at, key))
    return problems


def _unsafe_webhook(tool: Json, allow: AllowList, at: tuple[str | int, ...]) -> Iterator[Problem]:
    try:
        origin = origin_of(tool)
    except ValueError as exc:
        yield body_problem([*at], str(exc), "url_not_allowed")
        return
    url: str = tool["api_schema"]["url"]
    yield from _unsafe(origin if holds_variable(url) else url, allow, at)


def _unsafe(url: str, allow: AllowList, at: tuple[str | int, ...]) -> Iterator[Problem]:
    if holds_variable(url):
        said = "No variable may stand in the host of this address: whoever talks could send data anywhere by it."
        yield body_problem([*at], said, "url_not_allowed")
        return
    try:
        check(_VARIABLE.sub("x", url), allow=allow)
    except BadRequest as exc:
        yield body_problem([*at], str(exc), "url_not_allowed")


def _refuse_what_keeps(doc: Json) -> None:
    """Raises BadRequest for a model or an MCP server that retains data, anywhere in the document.

    The languages and the workflow's nodes count too, because each may choose its own model.
    """
    prompts = [prompt for prompt, _ in prompts_in(doc)]
    for llm in filter(None, (prompt.get("llm") for prompt in prompts)):
        if not keeps_nothing(str(llm)):
            raise BadRequest(f"Zero retention allows only models that keep nothing, and {llm!r} is none of them.")
    if any(prompt.get(name) for prompt in prompts for name in ("mcp_server_ids", "native_mcp_server_ids")):
        raise BadRequest("Zero retention allows no MCP servers: what they are sent, they may keep.")


def prompts_in(node: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[Json, tuple[str | int, ...]]]:
    """The prompts of the agent, of its languages and of its workflow's nodes, each with its path."""
    if not isinstance(node, dict) or at[-1:] == ("dynamic_variable_placeholders",):
        return
    for key, value in cast(Json, node).items():
        if key == "prompt" and isinstance(value, dict):
            yield cast(Json, value), (*at, key)
        else:
            yield from prompts_in(value, (*at, key))


def _prompt_size(doc: Json) -> Iterator[Problem]:
    texts: list[tuple[Any, tuple[str | int, ...]]] = [
        (prompt.get("prompt"), (*at, "prompt")) for prompt, at in prompts_in(doc)
    ]
    workflow: Json = doc.get("workflow") or {}
    nodes: dict[str, Json] = workflow.get("nodes") or {}
    for id, node in nodes.items():
        texts.append((node.get("additional_prompt"), ("workflow", "nodes", id, "additional_prompt")))
    for text, at in texts:
        if (size := len(str(text or "").encode())) > PROMPT_LIMIT:
            said = f"The prompt has {size:,} bytes; at most {PROMPT_LIMIT:,} are allowed."
            yield body_problem([*at], said, "too_long")


def _own_endpoints(doc: Json) -> Iterator[Problem]:
    """Problems for a custom model without a URL, and for an auth connection, which no request to it would carry.

    A language or a node may choose the custom model and take its URL from the agent's main prompt.
    """
    usual = next((prompt.get("custom_llm") for prompt, at in prompts_in(doc) if at == _OWN_PROMPT), None)
    for prompt, at in prompts_in(doc):
        endpoint = prompt.get("custom_llm")
        if prompt.get("llm") == CUSTOM_LLM and not (endpoint or usual):
            said = f"The llm is {CUSTOM_LLM}, and nothing says where that is: give its url here, or choose another llm."
            yield body_problem([*at, "custom_llm"], said, "missing")
        if endpoint and endpoint.get("auth_connection"):
            said = "A custom_llm takes no auth connection here; use api_key, or a secret in request_headers."
            yield body_problem([*at, "custom_llm", "auth_connection"], said)
