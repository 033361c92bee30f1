"""Who must approve a call of an MCP server's tool, by what was decided about it."""

import hashlib
import json

from ...contract.merge import Json


def tool_hash(name: str, description: str, input_schema: object) -> str:
    """What a decision about a tool is bound to: it changes when anything does that a person looked at."""
    shown = json.dumps([name, description, input_schema], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(shown.encode()).hexdigest()


def approval_of(tool: Json, config: Json) -> Json:
    """What happens to a call of this tool: `auto_approved`, `requires_approval` or, undecided per tool, `disabled`.

    `approval_outdated`: it was decided about this tool, but not as it is now, so the decision is void: it asks.
    """
    name = str(tool["name"])
    hash_ = tool_hash(name, str(tool.get("description") or ""), tool.get("inputSchema") or {})
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
