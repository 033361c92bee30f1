"""The handlers of MCP servers: their settings, the approval of their tools, and the configuration of single tools."""

from collections.abc import Iterable

from sqlalchemy import RowMapping, delete, insert, select, update

from ...contract.common import Empty
from ...contract.errors import BadRequest, InUse, InvalidRequest, NotFound, Problem, Unavailable, body_problem
from ...contract.mcp_servers import (
    CreateMcpServer,
    CreateMcpToolApproval,
    CreateMcpToolConfig,
    DeleteMcpServer,
    DeleteMcpToolApproval,
    DeleteMcpToolConfig,
    GetMcpServer,
    GetMcpToolConfig,
    ListMcpServers,
    ListMcpTools,
    UpdateMcpApprovalPolicy,
    UpdateMcpServer,
    UpdateMcpToolConfig,
)
from ...contract.merge import Json
from ...contract.references import references_in
from ...net.guard import check
from ..checks.configuration import check_mcp_policy
from ..checks.parameters import parameter_problems
from ..handlers import Handlers
from ..mcp.approval import approval_of, fixed_in, tool_hash
from ..mcp.client import tools_of
from ..mcp.servers import clear, config_of, reached, tool_config
from ..schema.defaults import OWNER
from ..schema.mcp_servers import mcp_server
from ..schema.tables import secret
from ..store.transaction import Tx
from ..store.uses import agents_using, forget_uses, replace_uses
from ..unit import Unit

mcp_servers = Handlers()

_REACHED = "auth connections"

POLICIES = ("auto_approve_all", "require_approval_all", "require_approval_per_tool")
TOOL_POLICIES = ("auto_approved", "requires_approval")
TRANSPORTS = ("SSE", "STREAMABLE_HTTP")
_DEFAULTS: Json = {
    "approval_policy": "require_approval_all",
    "tool_approval_hashes": [],
    "secret_token": None,
    "request_headers": {},
    "description": "",
    "force_pre_tool_speech": False,
    "disable_interruptions": False,
    "tool_config_overrides": [],
}
_SET_OTHERWISE = {
    **dict.fromkeys(("url", "name", "description", "transport"), "It stays as it was created; create a new server."),
    "tool_approval_hashes": "Approve each tool by itself, as it was shown.",
    "tool_config_overrides": "Configure each tool by itself.",
}
"""Settings that an update cannot change, with the reasons. Without this table they would be accepted unchecked, as
fields of a newer client."""
_HEADER = 'This platform sends texts, secrets ({"secret_id": "..."}) and variables ({"variable_name": "..."}) here.'
_TOOL_DEFAULTS: Json = {
    **dict.fromkeys(
        ("force_pre_tool_speech", "pre_tool_speech", "disable_interruptions", "interruption_mode", "tool_call_sound")
    ),
    **dict.fromkeys(("tool_call_sound_behavior", "execution_mode", "response_timeout_secs", "input_overrides")),
    "assignments": [],
    "response_mocks": None,
}


@mcp_servers.implements(CreateMcpServer, proof="test_a_server_reads_back_as_it_was_created", missing=_REACHED)
def create_server(tx: Tx, op: CreateMcpServer) -> Json:
    check_mcp_policy(tx)
    given: Json = (op.body() or {})["config"]
    url = given["url"]
    by_path = "SSE" if isinstance(url, str) and url.split("?")[0].rstrip("/").endswith("/sse") else "STREAMABLE_HTTP"
    config = _DEFAULTS | {"transport": by_path} | given
    _refuse(given, _DEFAULTS, ("tool_config_overrides",), at=["config"])
    _check(tx, config, at=["config"])
    new = tx.new_id("mcpsrv")
    tx.db.execute(insert(mcp_server).values(workspace=tx.workspace, id=new, created_ms=tx.now_ms, document=config))
    replace_uses(tx, "mcp_server", new, references_in(config))
    return _answer(tx, tx.one(mcp_server, new))


@mcp_servers.implements(ListMcpServers, proof="test_a_server_reads_back_as_it_was_created")
def list_servers(tx: Tx, _: ListMcpServers) -> Json:
    found = select(mcp_server).where(tx.own(mcp_server)).order_by(mcp_server.c.created_ms, mcp_server.c.id)
    return {"mcp_servers": [_answer(tx, row) for row in tx.db.execute(found).mappings().all()]}


@mcp_servers.implements(GetMcpServer, proof="test_a_server_reads_back_as_it_was_created")
def get_server(tx: Tx, op: GetMcpServer) -> Json:
    return _answer(tx, tx.one(mcp_server, op.mcp_server_id))


@mcp_servers.implements(UpdateMcpServer, proof="test_an_update_changes_what_it_names_and_null_resets", missing=_REACHED)
def update_server(tx: Tx, op: UpdateMcpServer) -> Json:
    """Update the settings. `request_headers` and `request_meta` are replaced whole, so that an entry can be removed."""
    body = op.body() or {}
    config = config_of(tx, op.mcp_server_id)
    _refuse(body, config, _SET_OTHERWISE, at=[])
    for name, value in body.items():
        if value is None:
            config.pop(name, None)
        else:
            config[name] = value
    return _save(tx, op.mcp_server_id, _DEFAULTS | config)


@mcp_servers.implements(DeleteMcpServer, proof="test_deleting_a_server_in_use_names_the_agents")
def delete_server(tx: Tx, op: DeleteMcpServer) -> Empty:
    name = config_of(tx, op.mcp_server_id)["name"]
    if users := agents_using(tx, "mcp_server", op.mcp_server_id):
        named = ", ".join(f"{shown!r} ({id})" for id, shown, _ in users[:10])
        raise InUse("mcp_server_in_use", f"MCP server {name!r} is used by {named}. Take it out there first.")
    mine = tx.own(mcp_server, id=op.mcp_server_id)
    tx.db.execute(delete(mcp_server).where(mine))
    forget_uses(tx, "mcp_server", op.mcp_server_id)
    return Empty()


@mcp_servers.implements(UpdateMcpApprovalPolicy, proof="test_each_policy_says_what_happens_to_a_call")
def update_policy(tx: Tx, op: UpdateMcpApprovalPolicy) -> Json:
    config = config_of(tx, op.mcp_server_id) | {"approval_policy": op.approval_policy}
    return _save(tx, op.mcp_server_id, config)


@mcp_servers.implements(CreateMcpToolApproval, proof="test_a_tool_that_changed_asks_again")
def approve_tool(tx: Tx, op: CreateMcpToolApproval) -> Json:
    """Store a decision about a tool in its current form. It replaces an earlier decision about the same tool."""
    config = config_of(tx, op.mcp_server_id)
    fixed = fixed_in(config, op.tool_name)
    decided = {
        "tool_name": op.tool_name,
        "tool_hash": tool_hash(op.tool_name, op.tool_description, op.input_schema, fixed),
        "approval_policy": op.approval_policy or "requires_approval",
    }
    others = [one for one in config["tool_approval_hashes"] if one["tool_name"] != op.tool_name]
    return _save(tx, op.mcp_server_id, config | {"tool_approval_hashes": [*others, decided]})


@mcp_servers.implements(DeleteMcpToolApproval, proof="test_a_decision_is_taken_back")
def forget_approval(tx: Tx, op: DeleteMcpToolApproval) -> Json:
    config = config_of(tx, op.mcp_server_id)
    others = [one for one in config["tool_approval_hashes"] if one["tool_name"] != op.tool_name]
    if len(others) == len(config["tool_approval_hashes"]):
        raise NotFound(f"Nothing was decided about a tool {op.tool_name!r} of this server.")
    return _save(tx, op.mcp_server_id, config | {"tool_approval_hashes": others})


@mcp_servers.implements(ListMcpTools, proof="test_the_tools_of_a_real_server_are_listed")
async def list_tools(unit: Unit, op: ListMcpTools) -> Json:
    """List the tools of a server. `tool_hash` and `approval` are additions to the platform's fields.

    `tool_hash` identifies the tool's current form in a decision, and `approval` is its current approval state.
    """
    config, endpoint = await unit.read(lambda tx: reached(tx, op.mcp_server_id))
    try:
        tools = await tools_of(endpoint, unit.allow, unit.models.proxy_url)
    except Unavailable as exc:
        unsent = [name for name in config["request_headers"] if name not in endpoint.headers]
        said = (
            f"{exc} Only a conversation sends {', '.join(unsent)}: dynamic variables are there." if unsent else str(exc)
        )
        return {"success": False, "tools": [], "error_message": said}
    return {"success": True, "tools": [tool | approval_of(tool, config) for tool in tools], "error_message": None}


@mcp_servers.implements(CreateMcpToolConfig, proof="test_a_tool_is_configured_and_reads_back")
def create_tool_config(tx: Tx, op: CreateMcpToolConfig) -> Json:
    config = config_of(tx, op.mcp_server_id)
    _production_only(op.environment)
    if tool_config(config, op.tool_name) is not None:
        raise BadRequest(f"The tool {op.tool_name!r} is configured already. PATCH its configuration, or delete it.")
    made = {key: value for key, value in (op.body() or {}).items() if value is not None}
    return _save_tool(tx, op.mcp_server_id, config, made)


@mcp_servers.implements(GetMcpToolConfig, proof="test_a_tool_is_configured_and_reads_back")
def get_tool_config(tx: Tx, op: GetMcpToolConfig) -> Json:
    return _needed(config_of(tx, op.mcp_server_id), op.tool_name)


@mcp_servers.implements(UpdateMcpToolConfig, proof="test_an_update_of_a_tool_keeps_what_it_leaves_out")
def update_tool_config(tx: Tx, op: UpdateMcpToolConfig) -> Json:
    config = config_of(tx, op.mcp_server_id)
    _production_only(op.environment)
    old = {key: value for key, value in _needed(config, op.tool_name).items() if value is not None}
    new = {key: value for key, value in (old | (op.body() or {})).items() if value is not None}
    return _save_tool(tx, op.mcp_server_id, config, new)


@mcp_servers.implements(DeleteMcpToolConfig, proof="test_a_tool_is_configured_and_reads_back")
def delete_tool_config(tx: Tx, op: DeleteMcpToolConfig) -> Json:
    config = config_of(tx, op.mcp_server_id)
    _needed(config, op.tool_name)
    others = [one for one in config["tool_config_overrides"] if one["tool_name"] != op.tool_name]
    return _save(tx, op.mcp_server_id, config | {"tool_config_overrides": others})


def _save(tx: Tx, server_id: str, config: Json) -> Json:
    _check(tx, config, at=[])
    mine = tx.own(mcp_server, id=server_id)
    tx.db.execute(update(mcp_server).where(mine).values(document=config))
    replace_uses(tx, "mcp_server", server_id, references_in(config))
    return _answer(tx, tx.one(mcp_server, server_id))


def _answer(tx: Tx, row: RowMapping) -> Json:
    users = [
        {"type": "available", "id": id, "name": name, "created_at_unix_secs": created, "access_level": "admin"}
        for id, name, created in agents_using(tx, "mcp_server", row["id"])
    ]
    return {
        "id": row["id"],
        "config": row["document"],
        "access_info": OWNER.model_dump(),
        "dependent_agents": users,
        "metadata": {"created_at": row["created_ms"] // 1000, "owner_user_id": None},
    }


def _refuse(given: Json, there: Json, names: Iterable[str], at: list[str | int]) -> None:
    """Raises InvalidRequest for each of `names` that `given` would change. The value that is `there` is no change."""
    changed = [name for name in names if name in given and given[name] != there[name]]
    if changed:
        raise InvalidRequest([body_problem([*at, name], _SET_OTHERWISE[name]) for name in changed])


def _check(tx: Tx, config: Json, at: list[str | int]) -> None:
    """Raises InvalidRequest with all problems of a server's settings at once."""
    problems = [
        *_unknown_words(config),
        *_unknown_secrets(tx, config),
        *_unsendable(config),
        *_unsafe_url(tx, config),
    ]
    if problems:
        raise InvalidRequest([{**one, "loc": ["body", *at, *one["loc"][1:]]} for one in problems])


def _unknown_words(config: Json) -> list[Problem]:
    """Problems for unknown values of settings. An unknown approval policy is refused, because it cannot be guessed."""
    problems = [
        body_problem([name], f"Allowed: {', '.join(allowed)}.")
        for name, allowed in (("approval_policy", POLICIES), ("transport", TRANSPORTS))
        if config[name] not in allowed
    ]
    for place, decided in enumerate(config["tool_approval_hashes"]):
        if decided.get("approval_policy", TOOL_POLICIES[0]) not in TOOL_POLICIES:
            loc = ["tool_approval_hashes", place, "approval_policy"]
            problems.append(body_problem(loc, f"Allowed: {', '.join(TOOL_POLICIES)}."))
    return problems


def _unknown_secrets(tx: Tx, config: Json) -> list[Problem]:
    found = [reference for reference in references_in(config) if reference.kind == "secret"]
    there = select(secret.c.id).where(tx.own(secret), secret.c.id.in_({one.id for one in found}))
    known = set(tx.db.execute(there).scalars())
    return [
        body_problem(one.at, f"There is no secret {one.id!r}.", resource="secret")
        for one in found
        if one.id not in known
    ]


def _unsendable(config: Json) -> list[Problem]:
    """Problems for settings that could not be resolved for a request to the server."""
    problems: list[Problem] = []
    token: Json | None = config["secret_token"]
    if token is not None and "secret_id" not in token:
        problems.append(body_problem(["secret_token"], 'Point to a workspace secret: {"secret_id": "..."}.'))
    if config.get("auth_connection") is not None:
        problems.append(
            body_problem(["auth_connection"], "MCP servers take no auth connection here; use secret_token.")
        )
    headers: Json = config["request_headers"]
    problems += [
        body_problem(["request_headers", name], _HEADER)
        for name, value in headers.items()
        if isinstance(value, dict) and not value.keys() & {"secret_id", "variable_name"}
    ]
    meta: Json = config.get("request_meta") or {}
    problems += [
        body_problem(["request_meta", name], "This platform has no environment variables.")
        for name, value in meta.items()
        if isinstance(value, dict) and "env_var_label" in value
    ]
    return problems


def _unsafe_url(tx: Tx, config: Json) -> list[Problem]:
    url = config["url"]
    try:
        # The reason of a refusal names the host, so it is not shown for a URL that is a secret.
        check(clear(tx, url), allow=tx.allow)
    except NotFound:
        return []  # reported already
    except BadRequest as exc:
        said = str(exc) if isinstance(url, str) else "The secret holds no address that may be called."
        return [body_problem(["url"], said, "url_not_allowed")]
    return []


def _needed(config: Json, tool_name: str) -> Json:
    if (found := tool_config(config, tool_name)) is None:
        said = f"The tool {tool_name!r} has no configuration of its own; it is called as the server's settings say."
        raise NotFound(said)
    return _TOOL_DEFAULTS | found


def _save_tool(tx: Tx, server_id: str, config: Json, made: Json) -> Json:
    mocks: list[Json] = made.get("response_mocks") or []
    problems = [
        problem
        for place, mock in enumerate(mocks)
        for problem in parameter_problems(
            mock.get("parameter_conditions") or [], ["response_mocks", place, "parameter_conditions"]
        )
    ]
    if problems:
        raise InvalidRequest(problems)
    complete = _TOOL_DEFAULTS | made
    others = [one for one in config["tool_config_overrides"] if one["tool_name"] != complete["tool_name"]]
    return _save(tx, server_id, config | {"tool_config_overrides": [*others, complete]})


def _production_only(environment: str) -> None:
    if environment != "production":
        raise BadRequest(f"This platform has one environment, production; there is no {environment!r}.")
