"""Rehearses a conversation: the production turn loop, a simulated user, mocked tools, and a final analysis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...contract.errors import ApiError, InvalidRequest
from .agent import Agent
from .analysis import Analysis, Questions, analyse, not_analysed
from .judge import Judge
from .llm import LLM, ModelFailed, Usage
from .mocked import MockedTools
from .offline import NO_LLM
from .record import Turn
from .roles import Role, RoleProvider
from .simulated_user import PlayedUser, ScriptedUser, User
from .tools import Mock, MockExecutor
from .turn import Clock, Conversation, ConversationContext, OnTurn
from .variables import Value, require

DEFAULT_TURNS = 20
MOST_TURNS = 100

ENDED_BY_USER = "The simulated user had nothing more to say."


@dataclass(frozen=True)
class Rehearsal:
    """The input of a rehearsal. `user` is read by `read_agent`: a simulated user has the configuration of an agent.

    The turn limit counts utterances of the user and replies of the agent, each reply with all its tool calls; the
    agent's first message is not counted.
    """

    role: Role
    """The agent's role; without a model it runs offline and nothing is judged."""
    user: Agent
    mocks: Mapping[str, Mock] = field(default_factory=dict[str, Mock])
    history: Sequence[Mapping[str, Any]] = ()
    """Earlier turns, which become the beginning of the transcript."""
    dynamic_variables: Mapping[str, Value | None] = field(default_factory=dict[str, Value | None])
    questions: Questions = field(default_factory=Questions)
    """The agent's own criteria and data collection, followed by the criteria of this rehearsal."""
    new_turns_limit: int = DEFAULT_TURNS
    user_llm: LLM | None = None
    """The model that plays the user; the agent's model if None."""
    roles: RoleProvider | None = None
    """If None, the rehearsal ends at a transfer to another agent."""


@dataclass(frozen=True)
class Simulated:
    """A finished rehearsal. `transcript` and `analysis` are in wire form."""

    conversation_id: str
    transcript: list[Turn]
    analysis: Analysis
    ended: str
    """The reason for the end of the conversation."""
    failed: bool = False
    """The rehearsal was interrupted: the model failed, or a text could not be built."""
    user_usage: Usage = field(default_factory=Usage)
    judge_usage: Usage = field(default_factory=Usage)


async def simulate(
    rehearsal: Rehearsal,
    *,
    conversation_id: str,
    clock: Clock,
    new_id: Callable[[], str],
    on_turn: OnTurn | None = None,
) -> Simulated:
    """Run the rehearsal to its end and judge it.

    `on_turn` is awaited with each new turn. Raises MissingVariables and PromptTooLarge before the first turn. Later
    errors are not raised: the rehearsal ends with the turns so far, and the analysis names the reason.
    """
    if not 1 <= rehearsal.new_turns_limit <= MOST_TURNS:
        message = f"A rehearsal takes 1 to {MOST_TURNS} new turns, not {rehearsal.new_turns_limit}."
        raise InvalidRequest([{"loc": ["new_turns_limit"], "msg": message, "type": "value_error"}])
    now = clock()  # the clock does not advance in a rehearsal: every turn is at second 0

    def judge() -> Judge | None:
        return talk.judge()

    tools = MockedTools(MockExecutor(rehearsal.mocks), judge)
    context = ConversationContext(tools, lambda: now, new_id, on_turn, rehearsal.roles)
    given = {**rehearsal.user.placeholders, **rehearsal.dynamic_variables}
    talk = Conversation(conversation_id, rehearsal.role, context, given=given, history=rehearsal.history)
    require(talk.variables(), rehearsal.user.prompt, rehearsal.user.first_message)
    return await (_online(rehearsal, talk, llm) if (llm := talk.model(rehearsal.role)) else _offline(rehearsal, talk))


async def _online(rehearsal: Rehearsal, talk: Conversation, llm: LLM) -> Simulated:
    user = PlayedUser(rehearsal.user_llm or llm, rehearsal.user, talk.variables())
    try:
        ended = await _play(talk, user, rehearsal.new_turns_limit)
    except ApiError as failed:  # a model, a prompt that is too large, a variable without a value
        return _broken_off(rehearsal, talk, failed, user.usage)
    questions, variables, role = rehearsal.questions, talk.variables(), rehearsal.role
    analysis, judging = await analyse(talk.transcript, questions, variables, role.retrieval(role.documents), llm)
    return Simulated(talk.id, talk.transcript, analysis, ended, user_usage=user.usage, judge_usage=judging)


async def _offline(rehearsal: Rehearsal, talk: Conversation) -> Simulated:
    user = ScriptedUser(rehearsal.user, talk.variables())
    try:
        ended = await _play(talk, user, rehearsal.new_turns_limit)
    except ApiError as failed:  # a model, a prompt that is too large, a variable without a value
        return _broken_off(rehearsal, talk, failed, Usage())
    summary = (
        f"This was rehearsed offline and nothing was judged, because {NO_LLM}. The agent's answers are quotations from "
        f"its documents; the simulated user read {user.read} of the {user.length} lines of its prompt, one a turn."
    )
    why = f"Not judged: {NO_LLM}."
    analysis = not_analysed(rehearsal.questions, talk.variables(), why, title="Offline rehearsal", summary=summary)
    return Simulated(talk.id, talk.transcript, analysis, ended)


def _broken_off(rehearsal: Rehearsal, talk: Conversation, why: ApiError, used: Usage) -> Simulated:
    """The result with the turns so far. Raises `why` if there are none and the model is not the cause."""
    if not isinstance(why, ModelFailed) and len(talk.transcript) == len(rehearsal.history):
        raise why
    told = f"Not judged, because the rehearsal broke off: {why}"
    analysis = not_analysed(rehearsal.questions, talk.variables(), told, title="Rehearsal broken off")
    return Simulated(talk.id, talk.transcript, analysis, str(why), failed=True, user_usage=used)


async def _play(talk: Conversation, user: User, limit: int) -> str:
    """Alternate between user and agent until one of them ends it; returns the reason."""
    await talk.open()
    if talk.ended:  # a workflow may end before the first message
        return talk.ended
    last = False
    for _ in range(limit):
        if talk.transcript and talk.transcript[-1]["role"] == "user":
            await talk.answer()
            if talk.ended or last:
                return talk.ended or ENDED_BY_USER
        else:
            said = await user.speak(talk.transcript)
            if not said.text:
                return ENDED_BY_USER
            await talk.listen(said.text)
            last = said.last
    return f"The limit of {limit} new turns was reached."
