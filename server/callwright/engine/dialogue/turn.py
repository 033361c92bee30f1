"""The turn loop. Live conversations, rehearsals and tests all run this one; what differs is given to it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from ...contract.merge import JsonView
from .agent import Agent
from .aloud import Aloud, OnText
from .charging import usage_record
from .judge import Judge
from .llm import LLM, Answer, InSession, ModelFailed, Request, RequestContext, ToolCall, collect
from .offline import OfflineResponder
from .pace import Pace
from .prices import family
from .prompt import system_prompt
from .record import NOTE, Turn, as_data, messages, spoken, turn
from .roles import Role, RoleProvider
from .system_tools import Effect
from .tool_calling import described, request_record, result_record, run_call, written_down
from .tools import Executor, Outcome, Tool
from .variables import Value, gather, require, substitute, system_variables
from .voices import plain, split_voices
from .workflow_runner import Step, WorkflowRunner

MAX_TOOL_ROUNDS = 10
"""Answers with tool calls in one agent turn; after them the model has to speak, with no tool on offer."""

Clock = Callable[[], float]
"""Unix seconds."""
OnTurn = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True)
class ConversationContext:
    """What a conversation is given by the program that holds it: tools, clock, ids, and where its turns go."""

    tools: Executor
    clock: Clock
    new_id: Callable[[], str]
    """32 hex digits."""
    on_turn: OnTurn | None = None
    roles: RoleProvider | None = None
    """Without one, a conversation ends where it would be handed over, and no workflow is followed."""
    pause: Callable[[float], Awaitable[None]] | None = None
    """Waits so many seconds; where there is none, time stands still."""
    user_id: str | None = None
    extra_body: JsonView | None = None
    """For an agent's own LLM endpoint, if the agent lets it through."""
    on_text: OnText | None = None
    """Gets what the agent says piece by piece, while its model writes; the turn comes after the last piece."""
    timed: bool = False
    """Turns tell how long their models took."""


class Conversation:
    """One conversation of one agent in text.

    `open` says the first message; `listen` takes what the user said; `answer` makes the agent speak; `reply` is one
    answer of the model, with no tool run. `transcript` has every turn so far, those of `history` included; `ended`
    says why nothing more will be said.
    Raises MissingVariables at once; ModelFailed and PromptTooLarge from `open`, `answer` and `reply`, what was said
    before it stays.
    """

    def __init__(
        self,
        conversation_id: str,
        role: Role,
        context: ConversationContext,
        *,
        given: Mapping[str, Value | None],
        history: Sequence[JsonView] = (),
    ) -> None:
        self.id, self.role = conversation_id, role
        self.transcript: list[Turn] = [dict(one) for one in history]
        self.ended: str | None = None
        self.language = role.agent.language
        self.switched: str | None = None
        """The language that was switched to, which holds wherever the workflow does not say another one."""
        self.transfers = 0
        self.assigned: dict[str, Value] = {}
        self.interrupted = False
        """The user has spoken over the turn that was answered last."""
        self._writing: anyio.CancelScope | None = None
        self.tools, self.roles, self.new_id, self.now = context.tools, context.roles, context.new_id, context.clock
        self._context, self._given = context, given
        self._called = role.agent.id
        self._started = context.clock()
        require(self.variables(), role.agent.prompt, role.agent.first_message, names=role.needs)
        self.runner = self._runner_of(role)
        self.enter(role)

    @property
    def agent(self) -> Agent:
        """Who speaks now."""
        return self.role.agent

    def enter(self, role: Role) -> None:
        """Let another role speak from now on."""
        self.role = role
        self._responder = self.model(role) or OfflineResponder(role.retrieval(role.documents))
        self._retriever = role.retrieval(role.agent.looked_up(role.documents))
        self.language = role.agent.language

    def equip(self, tools: Executor, roles: RoleProvider, role: Role) -> None:
        """What its tools are run with, where that is known only once it has begun; only a greeting may come before."""
        self.tools, self.roles = tools, roles
        self.runner = self._runner_of(role)
        self.enter(role)

    def variables(self, agent: Agent | None = None) -> dict[str, Value]:
        """Dynamic variables as they stand now; those of the system move with the clock. `agent`: if it spoke."""
        speaks = agent or self.agent
        system = system_variables(
            agent_id=self._called,
            current_agent_id=speaks.id,
            conversation_id=self.id,
            now=self._context.clock(),
            started=self._started,
            timezone=speaks.timezone,
        )
        return gather(speaks.placeholders, {**self._given, **self.assigned}, system)

    def judge(self) -> Judge | None:
        """Of the conversation as it stands; None where no model answers."""
        llm = self.model(self.role)
        return Judge(llm, as_data(self.transcript)) if llm else None

    def model(self, role: Role) -> LLM | None:
        """The model of a role, which is told what this conversation is with every request; None where none answers."""
        return InSession(role.llm, self._session) if role.llm else None

    async def open(self) -> None:
        """Greet, where the agent has a first message and nothing was said yet."""
        if not self.transcript and await self._follow():
            await self._greet()

    async def listen(self, text: str) -> None:
        self.interrupted = False
        self.overhear(text)
        await self._told()

    def overhear(self, text: str) -> None:
        """What the user said when nothing more is answered: it stands in the transcript, and nobody is told."""
        self.transcript.append(turn("user", text, seconds=self._seconds()))

    async def note(self, text: str, context_id: str | None) -> None:
        """Something that the agent should know from now on; nobody answers. One of the same id takes its place."""
        given = {} if context_id is None else {"context_id": context_id}
        head = {"request_id": f"{NOTE}_{self.new_id()}", "tool_name": NOTE, "type": "client"}
        call = request_record(head, ToolCall("", NOTE, json.dumps(given)))
        await self._agent_turn(None, tool_calls=[call], tool_results=[result_record(head, Outcome(text))])

    def interrupt(self) -> None:
        """The user speaks over the agent, which says no more in this turn. A tool that runs is waited for."""
        self.interrupted = True
        if self._writing is not None:
            self._writing.cancel()

    async def answer(self) -> None:
        """Let the model speak and call tools until it has nothing more to say."""
        self.transfers = 0
        if not await self._follow():
            return
        for round_ in range(MAX_TOOL_ROUNDS + 1):
            if self.interrupted:
                return
            answer = await self._spoken(self.agent.tools if round_ < MAX_TOOL_ROUNDS else ())
            if answer is None:
                return
            if answer.text.strip():
                await self._said(answer)
            if not answer.tool_calls or round_ == MAX_TOOL_ROUNDS or not await self._call(answer):
                return

    async def reply(self) -> None:
        """What the model says next and which tools it calls. No tool is run, the system's included."""
        answer = await self._generate(self.role, self.agent.tools)
        if answer.text.strip():
            await self._said(answer)
        if answer.tool_calls:
            await self._record_calls(answer)

    async def dictate(self, role: Role, tool: Tool) -> ToolCall:
        """The call of one tool, its arguments filled in by the role's model, if there is anything to fill in."""
        made = ToolCall("", tool.name, "{}")
        if not tool.properties or role.llm is None:
            return made
        answer = await self._generate(role, [tool], must_call=tool.name)
        return next((call for call in answer.tool_calls if call.name == tool.name), made)

    def _runner_of(self, role: Role) -> WorkflowRunner | None:
        return WorkflowRunner(role.workflow, self.roles, self.transcript) if self.roles and role.workflow else None

    async def _follow(self) -> bool:
        """Go where the workflow leads now; whether the agent is to speak."""
        if self.runner is None:
            return True
        steps, effects = await self.runner.follow(self)
        if steps:
            await self._record_moves(steps)
        return await self._apply(effects, "")

    async def _greet(self) -> None:
        if self.agent.first_message:
            await self._speak(substitute(self.agent.first_message, self.variables()))

    async def _spoken(self, offered: Sequence[Tool]) -> Answer | None:
        """What the model says, handed on as it does. None where the user spoke over it; what was heard is recorded."""
        answer = Answer(pace=Pace(self.now) if self._context.timed and self.role.llm else None)
        aloud = Aloud(self._context.on_text, voices=bool(self.agent.voices))
        try:
            with anyio.CancelScope() as self._writing:
                await self._generate(self.role, offered, answer, aloud)
                return answer
        except anyio.get_cancelled_exc_class():  # the conversation is over, and nobody is told any more
            if aloud.told:
                self.transcript.append(self._turn(aloud.told, interrupted=True, original_message=answer.text.strip()))
            raise
        finally:
            self._writing = None
        if written := answer.text.strip():
            await self._agent_turn(aloud.told or None, interrupted=True, original_message=written)
        return None

    async def _generate(
        self,
        role: Role,
        offered: Sequence[Tool],
        answer: Answer | None = None,
        aloud: Aloud | None = None,
        *,
        must_call: str | None = None,
    ) -> Answer:
        request = Request(
            [{"role": "system", "content": await self._system_prompt()}, *messages(self.transcript)],
            [tool.schema() for tool in offered],
            must_call=must_call,
            temperature=role.agent.temperature,
            max_tokens=role.agent.max_tokens,
            reasoning_effort=role.agent.reasoning_effort,
        )
        answer = answer or Answer()
        try:
            await collect(self.model(role) or self._responder, request, answer, aloud.write if aloud else None)
            if aloud:
                await aloud.finish()
        except ModelFailed:
            if answer.text.strip() and must_call is None:  # the user has heard it; not what was to be a call alone
                await self._said(answer, interrupted=True)
            raise
        return answer

    def _session(self) -> RequestContext:
        return RequestContext(self.variables(), self._context.user_id, self._context.extra_body)

    async def _system_prompt(self) -> str:
        agent, documents, said = self.agent, self.role.documents, spoken(self.transcript, 2)
        found = await self._retriever.best(said, at_most=agent.rag_passages, characters=agent.rag_characters)
        return system_prompt(
            substitute(agent.prompt, self.variables()),
            language=self.language,
            voices=agent.voices,
            whole=agent.whole(documents),
            found=found,
        )

    async def _call(self, answer: Answer) -> bool:
        """Run the calls of one answer and record them; whether the model is to speak again."""
        heads = await self._record_calls(answer)
        effects = Effect()
        results: list[dict[str, Any]] = []
        for head, call in zip(heads, answer.tool_calls, strict=True):
            outcome = await run_call(self, call, head["request_id"], self.agent.tools, effects)
            results.append(result_record(head, outcome))
        await self._agent_turn(None, tool_results=results)
        return await self._apply(effects, answer.text)

    async def _record_calls(self, answer: Answer) -> list[dict[str, Any]]:
        """Write down what is called; what identifies each call."""
        heads = written_down(answer.tool_calls, self.agent.tools, self.new_id)
        made = [
            request_record(head, call, described(self, call, self.agent.tools))
            for head, call in zip(heads, answer.tool_calls, strict=True)
        ]
        # What the answer cost stands on its first turn, and only there.
        await self._agent_turn(None, tool_calls=made, **({} if answer.text.strip() else self._source(answer)))
        return heads

    async def _record_moves(self, steps: Sequence[Step]) -> None:
        """As the platform does: a call and its result, of a type of their own."""
        head = {"request_id": f"workflow_{self.new_id()}", "tool_name": "workflow", "type": "workflow"}
        await self._agent_turn(None, tool_calls=[request_record(head, ToolCall("", "workflow", "{}"))])
        nodes = [step["target_node_id"] for step in steps if step["type"] == "edge"]
        outcome = Outcome(" > ".join(nodes), result={"steps": list(steps)})
        await self._agent_turn(None, tool_results=[result_record(head, outcome)])

    async def _apply(self, effects: Effect, said: str) -> bool:
        """Do what the calls of an answer, or a workflow, brought about; whether the model is to speak."""
        if effects.language:
            self.enter(effects.speaker or self.role)
            self.language = self.switched = effects.language
        if effects.farewell and effects.farewell.strip() != said.strip():
            await self._speak(effects.farewell)
        self.ended = effects.ended
        if self.ended or effects.successor is None:
            return not (self.ended or effects.silent)
        return await self._hand_over(effects.successor, effects.transfer or {})

    async def _hand_over(self, role: Role, rule: JsonView) -> bool:
        if message := rule.get("transfer_message"):
            await self._speak(substitute(message, self.variables()))
        if self._context.pause and (delay := rule.get("delay_ms")):
            await self._context.pause(delay / 1000)
        self.transfers += 1
        self.switched = role.agent.language
        self.runner = None
        self.enter(role)
        self.runner = self._runner_of(role)
        if not await self._follow():
            return False
        if not rule.get("enable_transferred_agent_first_message") or not self.agent.first_message:
            return True
        await self._greet()
        return False

    async def _said(self, answer: Answer, *, interrupted: bool = False) -> None:
        await self._speak(answer.text, interrupted=interrupted, **self._source(answer))

    async def _speak(self, text: str, **fields: Any) -> None:
        """A message of the agent; where it has several voices, also in its parts."""
        if self.runner:
            self.runner.spoke = True
        if not self.agent.voices:
            return await self._agent_turn(text.strip(), **fields)
        parts = split_voices(text.strip(), [label for label, _ in self.agent.voices], self._seconds())
        await self._agent_turn(plain(parts), multivoice_message={"parts": parts}, **fields)

    def _source(self, answer: Answer) -> dict[str, Any]:
        """Which model answered, where it is not the agent's own, what it cost, and how soon it came."""
        own = not answer.model or family(answer.model) == family(self.agent.llm)
        return {
            "llm_override": None if own else answer.model,
            "llm_usage": usage_record(answer.model, answer.usage),
            "conversation_turn_metrics": answer.pace.record() if answer.pace else None,
        }

    async def _agent_turn(self, message: str | None, **fields: Any) -> None:
        await self._record(self._turn(message, **fields))

    def _turn(self, message: str | None, **fields: Any) -> Turn:
        node = self.runner.node if self.runner else None
        return turn("agent", message, seconds=self._seconds(), agent_id=self.agent.id, node_id=node, **fields)

    async def _record(self, one: Turn) -> None:
        self.transcript.append(one)
        await self._told()

    async def _told(self) -> None:
        if self._context.on_turn is not None:
            await self._context.on_turn(self.transcript[-1])

    def _seconds(self) -> int:
        return int(self._context.clock() - self._started)
