"""Follows a workflow: before the agent speaks, the conversation moves along the edges whose conditions hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...contract.paths import at
from ...workflow.choosing import choose
from ...workflow.graph import MOST_STEPS, DirectedEdge, Workflow
from ...workflow.node_kinds import Node
from .judge import Judge
from .llm import ModelFailed, ToolCall
from .roles import Role, RoleProvider
from .system_tools import Effect
from .tool_calling import (
    ToolCallContext,
    described,
    prepare_transfer,
    request_record,
    result_record,
    run_call,
    written_down,
)
from .tools import Outcome, Tool

Step = dict[str, Any]
"""A move in wire form."""


class WorkflowContext(ToolCallContext, Protocol):
    """The part of a conversation that a step through a workflow reads and changes."""

    @property
    def switched(self) -> str | None: ...
    def judge(self) -> Judge | None: ...
    def enter(self, role: Role) -> None: ...
    async def dictate(self, role: Role, tool: Tool) -> ToolCall:
        """The call of this tool, with arguments that the role's model fills in."""
        ...

    def new_id(self) -> str: ...


class WorkflowRunner:
    """The position of a conversation in the workflow of the current agent."""

    def __init__(self, workflow: Workflow, roles: RoleProvider, transcript: Sequence[Mapping[str, Any]] = ()) -> None:
        """The position is the start node, or the node of the last turn in `transcript`."""
        self._flow, self._roles = workflow, roles
        last = next((one["agent_metadata"] for one in reversed(transcript) if one.get("agent_metadata")), None)
        node = str(at(last, "workflow_node_id"))
        self.spoke = node in workflow.nodes
        """The agent has spoken at this node."""
        self.node = node if self.spoke else workflow.start or ""

    async def follow(self, talk: WorkflowContext) -> tuple[list[Step], Effect]:
        """Take the edges whose conditions hold. Returns the steps and their effects, which are not applied yet."""
        steps: list[Step] = []
        effects, here, successful = Effect(), self.node, None
        while True:
            began = talk.now()
            edge = await self._next_edge(talk, here, successful)
            if edge is None:
                break
            if len(steps) >= MOST_STEPS:
                steps.append(_step("max_iterations_exceeded", talk.now() - began, max_iterations=MOST_STEPS))
                break
            here = edge.target
            steps.append(_step("edge", talk.now() - began, edge_id=edge.edge_id, target_node_id=here))
            arrival = _Arrival(self, self._roles, talk, here, steps, effects)
            successful = await self._flow.kind(here).arrive(arrival, self._flow.nodes[here])
            if successful is None or effects.ended or effects.successor:
                break
        return steps, effects

    async def _next_edge(self, talk: WorkflowContext, here: str, successful: bool | None) -> DirectedEdge | None:
        moves_on = self._flow.kind(here).moves_on or self.spoke
        out = self._flow.edges_from(here)
        return await choose(out, talk.variables(), talk.judge(), successful=successful, moves_on=moves_on)


@dataclass(frozen=True)
class _Arrival:
    """The arrival of a conversation at a node: implements `Stage` of the node's kind."""

    runner: WorkflowRunner
    roles: RoleProvider
    talk: WorkflowContext
    here: str
    steps: list[Step]
    effects: Effect

    def stay(self) -> None:
        self.runner.node = self.here

    async def speak(self, language: str | None) -> None:
        self.talk.enter(await self.roles.role(self.talk.role.agent.id, self.here, language or self.talk.switched))
        self.runner.node, self.runner.spoke = self.here, False

    async def hand_over(self, rule: Node) -> None:
        if (why := await prepare_transfer(self.talk, rule, self.effects)) is not None:
            self.end(f"The workflow could not hand the conversation over: {why}")

    def end(self, why: str) -> None:
        self.effects.ended = why

    async def run_tools(self) -> bool:
        """Run every tool of the node, independent of the model."""
        talk, began = self.talk, self.talk.now()
        role = await self.roles.role(talk.role.agent.id, self.here)
        requests: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        for tool in role.agent.tools:
            call, outcome = ToolCall("", tool.name, "{}"), None
            try:
                call = await talk.dictate(role, tool)
            except ModelFailed as why:
                outcome = Outcome(f"Nothing filled in its arguments: {why}", is_error=True, called=False)
            [head] = written_down([call], [tool], talk.new_id)
            details = described(talk, call, [tool])
            outcome = outcome or await run_call(talk, call, head["request_id"], [tool], self.effects)
            requests.append(request_record(head, call, details))
            results.append(result_record(head, outcome))
        done = all(not result["is_error"] for result in results)
        fields = {"node_id": self.here, "requests": requests, "results": results, "is_successful": done}
        self.steps.append(_step("nested_tools", talk.now() - began, **fields))
        return done


def _step(type_: str, seconds: float, **fields: Any) -> Step:
    return {"type": type_, "step_latency_secs": seconds, **fields}
