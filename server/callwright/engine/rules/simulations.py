"""The handlers of simulated conversations: load the agent, run the dialogue runtime, and store the conversation."""

from typing import Any

from ...contract.agents import SimulateConversation, StreamSimulation
from ...contract.errors import InvalidRequest
from ...contract.merge import Json
from ..dialogue.agent import read_agent
from ..dialogue.analysis import read_questions
from ..dialogue.charging import charging
from ..dialogue.features import features_used
from ..dialogue.llm import LLM
from ..dialogue.record import Turn
from ..dialogue.simulation import DEFAULT_TURNS, Rehearsal, Simulated, simulate
from ..dialogue.tools import Mock
from ..dialogue.turn import OnTurn
from ..dialogue.variables import of_a_call
from ..handlers import Emit, Handlers
from ..models.names import CUSTOM_LLM, keeps_nothing
from ..roles.role_loader import RoleLoader
from ..schema.tables import agent
from ..store.conversations import keep
from ..tool_calls.offers import McpRoleProvider, listings_of, rehearsed
from ..unit import Unit

simulations = Handlers()

_PLACES = {"new_turns_limit": ("body",), "dynamic_variables": ("body", "simulation_specification")}
"""Places of the settings in the request body. All other problems are in the agent's configuration."""
_MISSING = "webhook, client and MCP tools are mocked or answered 'Tool Called.'"


@simulations.implements(SimulateConversation, proof="test_a_rehearsal_reads_back_as_a_conversation", missing=_MISSING)
async def simulate_conversation(unit: Unit, op: SimulateConversation) -> Json:
    return await _rehearsed(unit, op)


@simulations.implements(
    StreamSimulation, proof="test_the_parts_of_a_streamed_rehearsal_make_up_the_whole", missing=_MISSING
)
async def stream_simulation(unit: Unit, op: StreamSimulation, emit: Emit) -> None:
    """Emit each turn as it is spoken, after those of the history, and last the analysis with the rest of the answer."""
    history: list[Json] = (op.body() or {})["simulation_specification"].get("partial_conversation_history") or []
    told = False

    async def tell(turn: Turn) -> None:
        nonlocal told
        await emit({"simulated_conversation": [turn] if told else [*history, turn]})
        told = True

    whole = await _rehearsed(unit, op, tell)
    await emit(whole | {"simulated_conversation": [] if told else history})


async def _rehearsed(unit: Unit, op: SimulateConversation | StreamSimulation, on_turn: OnTurn | None = None) -> Json:
    """Run a simulation, in text only. The conversation is stored and marked as simulated.

    `conversation_id` in the answer is an addition to the platform's fields. Under zero retention no conversation is
    stored, and the answer names none.
    """
    body = op.body() or {}
    spec: Json = body["simulation_specification"]
    mocks: dict[str, Json] = spec.get("tool_mock_config") or {}
    settings: Json = await unit.read(lambda tx: tx.one(agent, op.agent_id)["document"]["platform_settings"])
    variables: Json = spec.get("dynamic_variables") or {}
    stored = RoleLoader(unit, op.agent_id, on_phone=of_a_call(variables))
    user = read_agent("simulated_user", {"agent": spec["simulated_user_config"]})
    conversation_id, now = unit.new_id("conv"), unit.clock() / 1000
    known = rehearsed(op.agent_id, conversation_id, {**user.placeholders, **variables}, now)
    roles = McpRoleProvider(stored, listings_of(unit), known)
    role = await roles.role(op.agent_id)
    rehearsal = Rehearsal(
        role=role,
        user=user,
        user_llm=_llm_of_user(unit, user.llm, settings),
        mocks={name: _mock(mock) for name, mock in mocks.items()},
        history=spec.get("partial_conversation_history") or (),
        dynamic_variables=variables,
        questions=read_questions(settings, body.get("extra_evaluation_criteria") or ()),
        new_turns_limit=body.get("new_turns_limit") or DEFAULT_TURNS,
        roles=roles,
    )
    started = unit.clock() // 1000
    try:
        done = await simulate(
            rehearsal,
            conversation_id=conversation_id,
            clock=lambda: unit.clock() / 1000,
            new_id=lambda: unit.new_id("call").removeprefix("call_").ljust(32, "0")[:32],
            on_turn=on_turn,
        )
    except InvalidRequest as exc:
        for problem in exc.problems:  # the runtime does not know the place of its settings in a request
            problem["loc"] = [*_PLACES.get(str(problem["loc"][0]), ("agent",)), *problem["loc"]]
        raise
    answer: Json = {
        "simulated_conversation": done.transcript,
        "analysis": done.analysis,
        "ended_because": done.ended,
    }
    if settings["privacy"].get("zero_retention_mode"):
        return answer
    record = _record(op.agent_id, rehearsal, done, started, unit.clock() // 1000)
    await unit.write(lambda tx: keep(tx, record, simulated=True))
    return answer | {"conversation_id": done.conversation_id}


def _llm_of_user(unit: Unit, llm: str, settings: Json) -> LLM | None:
    """The model of the simulated user; None if its configuration names no model, or one without a route."""
    zero_retention = bool(settings["privacy"].get("zero_retention_mode"))
    if not llm or llm == CUSTOM_LLM or (zero_retention and not keeps_nothing(llm)):
        return None
    return unit.models.for_agent(llm, zero_retention=zero_retention, tenant=unit.is_tenants)


def _mock(mock: Json) -> Mock:
    given = {"return_value": mock.get("default_return_value"), "is_error": mock.get("default_is_error")}
    return Mock(**{name: value for name, value in given.items() if value is not None})


def _record(agent_id: str, rehearsal: Rehearsal, done: Simulated, started: int, ended: int) -> Json:
    metadata: dict[str, Any] = {
        "start_time_unix_secs": started,
        "accepted_time_unix_secs": started,
        "call_duration_secs": ended - started,
        "cost": 0,
        "cost_fiat": None,
        "deletion_settings": {},
        "feedback": {"overall_score": None, "likes": 0, "dislikes": 0},
        "charging": charging(done.transcript[len(rehearsal.history) :]),
        "termination_reason": done.ended,
        "error": {"code": 1, "reason": done.ended} if done.failed else None,
        "main_language": rehearsal.role.agent.language,
        "text_only": True,
        "features_usage": features_used(rehearsal.role, done.transcript),
    }
    return {
        "simulated": True,
        "agent_id": agent_id,
        "conversation_id": done.conversation_id,
        "status": "failed" if done.failed else "done",
        "user_id": None,
        "transcript": done.transcript,
        "metadata": metadata,
        "analysis": done.analysis,
        "conversation_initiation_client_data": {"dynamic_variables": dict(rehearsal.dynamic_variables)},
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
        "has_auxiliary_audio": False,
    }
