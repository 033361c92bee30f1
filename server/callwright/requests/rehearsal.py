"""Build the platform's request for a rehearsal (simulated conversation) from the arguments of the tool."""

import json
import re
from copy import deepcopy
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.merge import Json
from ..replies.text import short
from .documents import put


def rehearsal_of(
    config: Json | None, caller: str, criteria: list[str], variables: Json | None, mocks: Json | None
) -> Json:
    """The REST body of a rehearsal. A mock may be the answer itself, or `{"value": …, "is_error": true}`.

    Raises ToolError if a field is set both in `config` and by an argument.
    """
    body = deepcopy(config or {})
    if unknown := sorted(body.keys() - {"simulation_specification", "extra_evaluation_criteria"}):
        raise ToolError(
            f"config.{unknown[0]} is unknown; allowed: extra_evaluation_criteria, simulation_specification."
        )
    user = ("simulation_specification", "simulated_user_config")
    put(body, (*user, "prompt", "prompt"), caller, "caller")
    put(body, ("simulation_specification", "dynamic_variables"), variables, "variables")
    mocked = None if mocks is None else {name: _mock(mock) for name, mock in mocks.items()}
    put(body, ("simulation_specification", "tool_mock_config"), mocked, "tool_mocks")
    put(body, ("extra_evaluation_criteria",), _criteria_of(criteria) or None, "criteria")
    body["simulation_specification"]["simulated_user_config"].setdefault("first_message", "")
    body.setdefault("extra_evaluation_criteria", [])
    return body


def _criteria_of(goals: list[str]) -> list[Json]:
    """Criteria from goals in words; each id is derived from the words, so that results can be told apart."""
    ids: dict[str, str] = {}
    for goal in goals:
        base = re.sub(r"[^a-z0-9]+", "_", goal.lower()).strip("_")[:48] or "goal"
        id, number = base, 2
        while id in ids:
            id, number = f"{base}_{number}", number + 1
        ids[id] = goal
    return [
        {"id": id, "name": short(goal), "type": "prompt", "conversation_goal_prompt": goal} for id, goal in ids.items()
    ]


def _mock(mock: Any) -> Json:
    if isinstance(mock, dict) and cast(Json, mock).keys() <= {"value", "is_error"}:
        given = cast(Json, mock)
        return {"default_return_value": str(given.get("value", "")), "default_is_error": bool(given.get("is_error"))}
    return {"default_return_value": mock if isinstance(mock, str) else json.dumps(mock)}
