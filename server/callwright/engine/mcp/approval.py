"""The approval of calls to an MCP server's tools, by the server's policy and the stored decisions."""

import hashlib
import json

from ...contract.merge import Json


def tool_hash(name: str, description: str, input_schema: object, fixed: Json | None = None) -> str:
    """The hash that binds a decision to a tool: it changes with any part of the tool that a person saw.

    `fixed`: what is sent with each call whatever the model says (see `fixed_in`).
    """
    seen = [name, description, input_schema, *([fixed] if fixed else [])]
    shown = json.dumps(seen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(shown.encode()).hexdigest()


def fixed_in(config: Json, tool_name: str) -> Json:
    """What each call of a tool sends besides the model's arguments, by the settings of its server."""
    configured: list[Json] = config["tool_config_overrides"]
    inputs = next((one.get("input_overrides") for one in configured if one["tool_name"] == tool_name), None)
    given = {"input_overrides": inputs, "request_meta": config.get("request_meta")}
    return {name: value for name, value in given.items() if value}


def approval_of(tool: Json, config: Json) -> Json:
    """The approval state of calls to this tool: `auto_approved`, `requires_approval` or `disabled`.

    `disabled` is for tools without a decision under the policy per tool. `approval_outdated`: the tool, or what is sent
    with each of its calls, changed after its decision, so that the decision is void and calls need approval.
    """
    name = str(tool["name"])
    fixed = fixed_in(config, name)
    hash_ = tool_hash(name, str(tool.get("description") or ""), tool.get("inputSchema") or {}, fixed)
    decisions: list[Json] = config["tool_approval_hashes"]
    decided = next((one for one in decisions if one["tool_name"] == name), None)
    outdated = decided is not None and decided["tool_hash"] != hash_
    match config["approval_policy"]:
        case "auto_approve_all":
            state = "auto_approved"
        case "require_approval_per_tool" if decided is None:
            state = "disabled"
        case "require_approval_per_tool" if decided is not None and not outdated:
            state = decided.get("approval_policy") or "requires_approval"
        case _:
            state = "requires_approval"
    return {"tool_hash": hash_, "approval": state, "approval_outdated": outdated}
