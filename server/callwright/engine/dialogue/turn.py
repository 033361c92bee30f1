"""The turn loop of live conversations, rehearsals and tests, which differ in the context that they pass in."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from ...contract.merge import JsonView
from .agent import Agent
from .aloud import Aloud, OnText
from .charging import usage_record
from .history import History
from .judge import Judge
from .llm import LLM, Answer, InSession, ModelFailed, Request, RequestContext, ToolCall, collect
from .offline import OfflineResponder
from .pace import Pace
from .prices import family
from .prompt import system_prompt
from .record import NOTE, Turn, as_data, spoken, turn
from .roles import Role, RoleProvider
from .system_tools import Effect
from .tool_calling import described, request_record, result_record, run_call, written_down
from .tools import Executor, Outcome, Tool
from .variables import Value, gather, require, system_variables, told
from .voices import plain, split_voices
from .workflow_runner import Step, WorkflowRunner

MAX_TOOL_ROUNDS = 10
"""Rounds of tool calls in one agent turn; afterwards the model has to speak, without tools."""

Clock = Callable[[], float]
"""Unix seconds."""
OnTurn = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True)
class ConversationContext:
    """The dependencies of a conversation, supplied by its owner: tools, clock, ids, and a receiver of turns."""

    tools: Executor
    clock: Clock
    new_id: Callable[[], str]
    """32 hex digits."""
    on_turn: OnTurn | None = None
    roles: RoleProvider | None = None
    """If None, a conversation ends at a transfer, and no workflow is followed."""
    pause: Callable[[float], Awaitable[None]] | None = None
    """Waits for the given seconds; if None, time does not advance."""
    user_id: str | None = None
    extra_body: JsonView | None = None
    """Extra body for an agent's own LLM endpoint, sent if the agent allows it."""
    on_text: OnText | None = None
    """Receives the agent's text piece by piece while its model writes; the turn follows the last piece."""
    timed: bool = False
    """Turns record the latency of their models."""


class Conversation:
    """One text conversation of one agent.

    `open` says the first message; `listen` takes a message of the user; `answer` makes the agent speak; `reply` is one
    answer of the model, without running tools. `transcript` has every turn so far, including those of `history`;
    `ended` is the reason for the end, once the conversation is over.
    Raises MissingVariables at construction; ModelFailed and PromptTooLarge from `open`, `answer` and `reply`, after
    which the turns recorded before the error remain.
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
        self._history = History()
        self.ended: str | None = None
        self.language = role.agent.language
        self.switched: str | None = None
        """The language switched to, which applies unless the workflow sets another one."""
        self.transfers = 0
        self.assigned: dict[str, Value] = {}
        self.interrupted = False
        """The user has spoken over the last answered turn."""
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
        """The agent that speaks now."""
        return self.role.agent

    def enter(self, role: Role) -> None:
        """Switch to another role."""
        self.role = role
        self._responder = self.model(role) or OfflineResponder(role.retrieval(role.documents))
        self._retriever = role.retrieval(role.agent.looked_up(role.documents))
        self.language = role.agent.language

    def equip(self, tools: Executor, roles: RoleProvider, role: Role) -> None:
        """Set the executor and roles, if they are known only after the start; at most a greeting may come before."""
        self.tools, self.roles = tools, roles
        self.runner = self._runner_of(role)
        self.enter(role)

    def variables(self, agent: Agent | None = None) -> dict[str, Value]:
        """The current dynamic variables; system variables follow the clock. `agent`: the speaker, if another one."""
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
        """A judge of the conversation so far; None if the role has no model."""
        llm = self.model(self.role)
        return Judge(llm, as_data(self.transcript)) if llm else None

    def model(self, role: Role) -> LLM | None:
        """The model of a role, which receives this conversation's context with every request; None if there is none."""
        return InSession(role.llm, self._session) if role.llm else None

    async def open(self) -> None:
        """Greet, if the agent has a first message and the transcript is empty."""
        if not self.transcript and await self._follow():
            await self._greet()

    async def listen(self, text: str) -> None:
        self.interrupted = False
        self.overhear(text)
        await self._told()

    def overhear(self, text: str) -> None:
        """Record a message of the user without reporting the turn: for messages after the last answer."""
        self.transcript.append(turn("user", text, seconds=self._seconds()))

    async def note(self, text: str, context_id: str | None) -> None:
        """Record a fact for the agent without an answer. A later note with the same id replaces it."""
        given = {} if context_id is None else {"context_id": context_id}
        head = {"request_id": f"{NOTE}_{self.new_id()}", "tool_name": NOTE, "type": "client"}
        call = request_record(head, ToolCall("", NOTE, json.dumps(given)))
        await self._agent_turn(None, tool_calls=[call], tool_results=[result_record(head, Outcome(text))])

    def interrupt(self) -> None:
        """Stop the agent's text of this turn, because the user speaks over it. A running tool is waited for."""
        self.interrupted = True
        if self._writing is not None:
            self._writing.cancel()

    async def answer(self) -> None:
        """Let the model speak and call tools until its turn is complete."""
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
        """The model's next message and the tools that it calls. No tool is run, system tools included."""
        answer = await self._generate(self.role, self.agent.tools)
        if answer.text.strip():
            await self._said(answer)
        if answer.tool_calls:
            await self._record_calls(answer)

    async def dictate(self, role: Role, tool: Tool) -> ToolCall:
        """The call of one tool; the role's model fills in the arguments, if there are any."""
        made = ToolCall("", tool.name, "{}")
        if not tool.properties or role.llm is None:
            return made
        answer = await self._generate(role, [tool], must_call=tool.name)
        return next((call for call in answer.tool_calls if call.name == tool.name), made)

    def _runner_of(self, role: Role) -> WorkflowRunner | None:
        return WorkflowRunner(role.workflow, self.roles, self.transcript) if self.roles and role.workflow else None

    async def _follow(self) -> bool:
        """Follow the workflow from here; returns whether the agent should speak."""
        if self.runner is None:
            return True
        steps, effects = await self.runner.follow(self)
        if steps:
            await self._record_moves(steps)
        return await self._apply(effects, "")

    async def _greet(self) -> None:
        if self.agent.first_message:
            await self._speak(told(self.agent.first_message, self.variables()))

    async def _spoken(self, offered: Sequence[Tool]) -> Answer | None:
        """The model's answer, passed on as it arrives. None if the user interrupted it; the part heard is recorded."""
        answer = Answer(pace=Pace(self.now) if self._context.timed and self.role.llm else None)
        aloud = Aloud(self._context.on_text, voices=bool(self.agent.voices))
        try:
            with anyio.CancelScope() as self._writing:
                await self._generate(self.role, offered, answer, aloud)
                return answer
        except anyio.get_cancelled_exc_class():  # the conversation is over, and no turn is reported any more
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
            [{"role": "system", "content": await self._system_prompt()}, *self._history.messages(self.transcript)],
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
            if answer.text.strip() and must_call is None:  # the user has heard it; not for a forced call
                await self._said(answer, interrupted=True)
            raise
        return answer

    def _session(self) -> RequestContext:
        return RequestContext(self.variables(), self._context.user_id, self._context.extra_body)

    async def _system_prompt(self) -> str:
        agent, documents, said = self.agent, self.role.documents, spoken(self.transcript, 2)
        found = await self._retriever.best(said, at_most=agent.rag_passages, characters=agent.rag_characters)
        return system_prompt(
            told(agent.prompt, self.variables()),
            language=self.language,
            voices=agent.voices,
            whole=agent.whole(documents),
            found=found,
        )

    async def _call(self, answer: Answer) -> bool:
        """Run and record the calls of one answer; returns whether the model should speak again."""
        heads = await self._record_calls(answer)
        effects = Effect()
        results: list[dict[str, Any]] = []
        for head, call in zip(heads, answer.tool_calls, strict=True):
            outcome = await run_call(self, call, head["request_id"], self.agent.tools, effects)
            results.append(result_record(head, outcome))
        await self._agent_turn(None, tool_results=results)
        return await self._apply(effects, answer.text)

    async def _record_calls(self, answer: Answer) -> list[dict[str, Any]]:
        """Record the calls; returns the identifying fields of each."""
        heads = written_down(answer.tool_calls, self.agent.tools, self.new_id)
        made = [
            request_record(head, call, described(self, call, self.agent.tools))
            for head, call in zip(heads, answer.tool_calls, strict=True)
        ]
        # The cost of an answer is recorded on its first turn only.
        await self._agent_turn(None, tool_calls=made, **({} if answer.text.strip() else self._source(answer)))
        return heads

    async def _record_moves(self, steps: Sequence[Step]) -> None:
        """Record workflow moves in the platform's form: a call and its result, of separate types."""
        head = {"request_id": f"workflow_{self.new_id()}", "tool_name": "workflow", "type": "workflow"}
        await self._agent_turn(None, tool_calls=[request_record(head, ToolCall("", "workflow", "{}"))])
        nodes = [step["target_node_id"] for step in steps if step["type"] == "edge"]
        outcome = Outcome(" > ".join(nodes), result={"steps": list(steps)})
        await self._agent_turn(None, tool_results=[result_record(head, outcome)])

    async def _apply(self, effects: Effect, said: str) -> bool:
        """Apply the effects of an answer's calls or of a workflow; returns whether the model should speak."""
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
            await self._speak(told(message, self.variables()))
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
        """Record a message of the agent; for an agent with several voices, also its parts."""
        if self.runner:
            self.runner.spoke = True
        if not self.agent.voices:
            return await self._agent_turn(text.strip(), **fields)
        parts = split_voices(text.strip(), [label for label, _ in self.agent.voices], self._seconds())
        await self._agent_turn(plain(parts), multivoice_message={"parts": parts}, **fields)

    def _source(self, answer: Answer) -> dict[str, Any]:
        """The answer's model if it is not the agent's own, its cost, and its latency."""
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
