"""The turn loop. Live conversations, rehearsals and tests all run this one; what differs is given to it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .agent import Agent
from .llm import LLM, Answer, ModelFailed, Request, ToolCall, collect
from .passages import Document
from .prompt import system_prompt
from .record import Turn, json_object, messages, spoken, turn, usage_record
from .system_tools import Effect, System, run_system_tool
from .tools import Executor, Outcome, Tool
from .variables import Value, gather, require, substitute, system_variables
from .voices import plain, split_voices

MAX_TOOL_ROUNDS = 10
"""Answers with tool calls in one agent turn; after them the model has to speak, with no tool on offer."""

Clock = Callable[[], float]
"""Unix seconds."""
OnTurn = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True)
class Surroundings:
    """What a conversation runs in."""

    llm: LLM
    tools: Executor
    clock: Clock
    new_id: Callable[[], str]
    """32 hex digits."""
    documents: Sequence[Document] = ()
    on_turn: OnTurn | None = None


class Conversation:
    """One conversation of one agent in text.

    `open` says the first message; `listen` takes what the user said; `answer` makes the agent speak; `reply` is one
    answer of the model, with no tool run. `transcript` has every turn so far, those of `history` included; `ended`
    says why nothing more will be said.
    Raises MissingVariables at once; ModelFailed and PromptTooLarge from `answer` and `reply`, what was said before it
    stays.
    """

    def __init__(
        self,
        conversation_id: str,
        agent: Agent,
        around: Surroundings,
        *,
        given: Mapping[str, Value | None],
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.id, self.agent = conversation_id, agent
        self.transcript: list[Turn] = [dict(one) for one in history]
        self.ended: str | None = None
        self.language = agent.language
        self._around, self._given = around, given
        self._started = around.clock()
        self._library = agent.library(around.documents)
        require(self.variables(), agent.prompt, agent.first_message)

    def variables(self) -> dict[str, Value]:
        """Dynamic variables as they stand now; those of the system move with the clock."""
        system = system_variables(
            agent_id=self.agent.id,
            conversation_id=self.id,
            now=self._around.clock(),
            started=self._started,
            timezone=self.agent.timezone,
        )
        return gather(self.agent.placeholders, self._given, system)

    async def open(self) -> None:
        """Greet, where the agent has a first message and nothing was said yet."""
        if self.agent.first_message and not self.transcript:
            await self._speak(substitute(self.agent.first_message, self.variables()))

    async def listen(self, text: str) -> None:
        await self._record(turn("user", text, seconds=self._seconds()))

    async def answer(self) -> None:
        """Let the model speak and call tools until it has nothing more to say."""
        for round_ in range(MAX_TOOL_ROUNDS + 1):
            answer = await self._generate(self.agent.tools if round_ < MAX_TOOL_ROUNDS else ())
            if answer.text.strip():
                await self._said(answer)
            if not answer.tool_calls or round_ == MAX_TOOL_ROUNDS or not await self._call(answer):
                return

    async def reply(self) -> None:
        """What the model says next and which tools it calls. No tool is run, the system's included."""
        answer = await self._generate(self.agent.tools)
        if answer.text.strip():
            await self._said(answer)
        if answer.tool_calls:
            await self._record_calls(answer)

    async def _generate(self, offered: Sequence[Tool]) -> Answer:
        request = Request(
            [{"role": "system", "content": self._system_prompt()}, *messages(self.transcript)],
            [tool.schema() for tool in offered],
            temperature=self.agent.temperature,
            max_tokens=self.agent.max_tokens,
            reasoning_effort=self.agent.reasoning_effort,
        )
        answer = Answer()
        try:
            await collect(self._around.llm, request, answer)
        except ModelFailed:
            if answer.text.strip():  # the user has heard it
                await self._said(answer, interrupted=True)
            raise
        return answer

    def _system_prompt(self) -> str:
        agent = self.agent
        return system_prompt(
            substitute(agent.prompt, self.variables()),
            language=self.language,
            voices=agent.voices,
            whole=agent.whole(self._around.documents),
            found=self._library.best(
                spoken(self.transcript, 2), at_most=agent.rag_passages, characters=agent.rag_characters
            ),
        )

    async def _call(self, answer: Answer) -> bool:
        """Run the calls of one answer and record them; whether the model is to speak again."""
        heads = await self._record_calls(answer)
        effects = Effect()
        results: list[dict[str, Any]] = []
        for head, call in zip(heads, answer.tool_calls, strict=True):
            outcome = await self._run(call, head["request_id"], effects)
            results.append({**head, **_result(head["type"], outcome)})
        await self._agent_turn(None, tool_results=results)
        return await self._apply(effects, answer.text)

    async def _record_calls(self, answer: Answer) -> list[dict[str, Any]]:
        """Write down what is called; what identifies each call."""
        calls = [(call, f"{_safe(call.name)}_{self._around.new_id()}") for call in answer.tool_calls]
        heads = [{"request_id": id_, "tool_name": _safe(call.name), "type": self._type(call)} for call, id_ in calls]
        made = [
            {**head, "params_as_json": call.arguments, "tool_has_been_called": False, "tool_details": None}
            for head, (call, _) in zip(heads, calls, strict=True)
        ]
        # What the answer cost stands on its first turn, and only there.
        await self._agent_turn(None, tool_calls=made, **({} if answer.text.strip() else self._source(answer)))
        return heads

    async def _run(self, call: ToolCall, request_id: str, effects: Effect) -> Outcome:
        tool = next((tool for tool in self.agent.tools if tool.name == call.name), None)
        if tool is None:
            names = ", ".join(tool.name for tool in self.agent.tools)
            return Outcome(f"There is no tool {call.name!r}. Tools: {names or 'none'}.", is_error=True, called=False)
        try:
            arguments = _arguments(call.arguments, tool)
        except ValueError as wrong:
            return Outcome(f"{wrong} Call the tool again with correct arguments.", is_error=True, called=False)
        if tool.type == "system":
            return run_system_tool(tool, arguments, System(self.agent.id, self.agent.languages), effects)
        return await self._around.tools.run(tool, request_id, arguments)

    async def _apply(self, effects: Effect, said: str) -> bool:
        self.language = effects.language or self.language
        if effects.farewell and effects.farewell.strip() != said.strip():
            await self._speak(effects.farewell)
        self.ended = effects.ended
        return not (effects.ended or effects.silent)

    async def _said(self, answer: Answer, *, interrupted: bool = False) -> None:
        await self._speak(answer.text, interrupted=interrupted, **self._source(answer))

    async def _speak(self, text: str, **fields: Any) -> None:
        """A message of the agent; where it has several voices, also in its parts."""
        if not self.agent.voices:
            return await self._agent_turn(text.strip(), **fields)
        parts = split_voices(text.strip(), [label for label, _ in self.agent.voices], self._seconds())
        await self._agent_turn(plain(parts), multivoice_message={"parts": parts}, **fields)

    def _source(self, answer: Answer) -> dict[str, Any]:
        """Which model answered, where it is not the agent's own, and what it cost."""
        override = answer.model if answer.model and answer.model != self.agent.llm else None
        return {"llm_override": override, "llm_usage": usage_record(answer.model, answer.usage)}

    def _type(self, call: ToolCall) -> str:
        return next((tool.type for tool in self.agent.tools if tool.name == call.name), "client")

    async def _agent_turn(self, message: str | None, **fields: Any) -> None:
        await self._record(turn("agent", message, seconds=self._seconds(), agent_id=self.agent.id, **fields))

    async def _record(self, one: Turn) -> None:
        self.transcript.append(one)
        if self._around.on_turn is not None:
            await self._around.on_turn(one)

    def _seconds(self) -> int:
        return int(self._around.clock() - self._started)


def _arguments(text: str, tool: Tool) -> dict[str, Any]:
    """The arguments that a model wrote. Raises ValueError with what is wrong with them."""
    arguments = json_object(text)
    if arguments is None:
        raise ValueError("The arguments are not a JSON object.")
    if missing := [name for name in tool.required if name not in arguments]:
        raise ValueError(f"Missing arguments: {', '.join(missing)}.")
    return arguments


def _result(type_: str, outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "result_value": outcome.value,
        "is_error": outcome.is_error,
        "tool_has_been_called": outcome.called,
        "tool_latency_secs": outcome.latency_secs,
        "dynamic_variable_updates": [],
    }
    return result | {"result": outcome.result} if type_ == "system" else result


def _safe(name: str) -> str:
    """A model may call what does not exist, and endpoints refuse a history with a name that is none."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "unnamed"
