"""Rehearsing a conversation: the production turn loop, a simulated user, mocked tools, and an analysis at its end."""

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
    """What is rehearsed. `user` is read by `read_agent` too: a simulated user is configured like an agent.

    A new turn is one utterance of the user or one reply of the agent with all its tool calls; the first message of the
    agent is not counted.
    """

    role: Role
    """The agent; without a model it is rehearsed offline and nothing is judged."""
    user: Agent
    mocks: Mapping[str, Mock] = field(default_factory=dict[str, Mock])
    history: Sequence[Mapping[str, Any]] = ()
    """Turns that were said before; they stand at the beginning of the transcript."""
    dynamic_variables: Mapping[str, Value | None] = field(default_factory=dict[str, Value | None])
    questions: Questions = field(default_factory=Questions)
    """The agent's own criteria and data collection, and the criteria of this rehearsal after them."""
    new_turns_limit: int = DEFAULT_TURNS
    user_llm: LLM | None = None
    """The model that plays the user; without one it is the agent's."""
    roles: RoleProvider | None = None
    """Without one, the rehearsal ends where the conversation would be handed over."""


@dataclass(frozen=True)
class Simulated:
    """A finished rehearsal. `transcript` and `analysis` are in wire form."""

    conversation_id: str
    transcript: list[Turn]
    analysis: Analysis
    ended: str
    """Why nothing more was said."""
    failed: bool = False
    """It broke off: the model failed, or a text could not be put together."""
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
    """Play it to its end and judge it.

    `on_turn` is awaited with each new turn. Raises MissingVariables and PromptTooLarge before anything is said. What
    fails later is no error here: the rehearsal ends with what was said, and the analysis says why.
    """
    if not 1 <= rehearsal.new_turns_limit <= MOST_TURNS:
        message = f"A rehearsal takes 1 to {MOST_TURNS} new turns, not {rehearsal.new_turns_limit}."
        raise InvalidRequest([{"loc": ["new_turns_limit"], "msg": message, "type": "value_error"}])
    now = clock()  # time stands still in a rehearsal: every turn is at second 0

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
    """What was said until then stays. Raises `why` where that is nothing, and no model's fault."""
    if not isinstance(why, ModelFailed) and len(talk.transcript) == len(rehearsal.history):
        raise why
    told = f"Not judged, because the rehearsal broke off: {why}"
    analysis = not_analysed(rehearsal.questions, talk.variables(), told, title="Rehearsal broken off")
    return Simulated(talk.id, talk.transcript, analysis, str(why), failed=True, user_usage=used)


async def _play(talk: Conversation, user: User, limit: int) -> str:
    """Speak in turn until somebody is done; why it ended."""
    await talk.open()
    if talk.ended:  # a workflow may end before anybody speaks
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
