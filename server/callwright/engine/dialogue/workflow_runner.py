"""Following a workflow: before the agent speaks, the conversation goes where its edges lead now."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ...contract.paths import at
from ...workflow.choosing import choose
from ...workflow.graph import MOST_STEPS, DirectedEdge, Workflow
from .calls import Talk, described, prepare_transfer, request_record, result_record, run_call, written_down
from .judge import Judge
from .llm import ModelFailed, ToolCall
from .roles import Role, RoleProvider
from .system_tools import Effect
from .tools import Outcome, Tool

Step = dict[str, Any]
"""A move in wire form."""


class WorkflowContext(Talk, Protocol):
    """Of a conversation, what a step through a workflow depends on."""

    @property
    def switched(self) -> str | None: ...
    def judge(self) -> Judge | None: ...
    def enter(self, role: Role) -> None: ...
    async def dictate(self, role: Role, tool: Tool) -> ToolCall:
        """The call of this tool, with arguments that the role's model fills in."""
        ...

    def new_id(self) -> str: ...


class WorkflowRunner:
    """Where a conversation stands in the workflow of the agent that speaks."""

    def __init__(self, workflow: Workflow, roles: RoleProvider, transcript: Sequence[Mapping[str, Any]] = ()) -> None:
        """It begins at the start, or where the last turn of `transcript` was said."""
        self._flow, self._roles = workflow, roles
        last = next((one["agent_metadata"] for one in reversed(transcript) if one.get("agent_metadata")), None)
        node = str(at(last, "workflow_node_id"))
        self.spoke = node in workflow.nodes
        """The agent has said something here."""
        self.node = node if self.spoke else workflow.start or ""

    async def follow(self, talk: WorkflowContext) -> tuple[list[Step], Effect]:
        """Take the edges whose conditions hold. What they do to the conversation stands in the effects, undone yet."""
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
            here, successful = edge.target, None
            steps.append(_step("edge", talk.now() - began, edge_id=edge.edge_id, target_node_id=here))
            if self._flow.kind(here) != "tool":
                await self._arrive(talk, here, effects)
                break
            steps.append(await self._run_tools(talk, here, effects))
            successful = steps[-1]["is_successful"]
            if effects.ended or effects.successor:
                break
        return steps, effects

    async def _next_edge(self, talk: WorkflowContext, here: str, successful: bool | None) -> DirectedEdge | None:
        moves_on = self._flow.kind(here) in ("start", "tool") or self.spoke
        out = self._flow.edges_from(here)
        return await choose(out, talk.variables(), talk.judge(), successful=successful, moves_on=moves_on)

    async def _arrive(self, talk: WorkflowContext, here: str, effects: Effect) -> None:
        node = self._flow.nodes[here]
        match node["type"]:
            case "override_agent":
                language = at(node, "conversation_config", "agent", "language") or talk.switched
                talk.enter(await self._roles.role(talk.role.agent.id, here, language))
                self.node, self.spoke = here, False
            case "standalone_agent":
                if (why := await prepare_transfer(talk, node, effects)) is not None:
                    effects.ended = f"The workflow could not hand the conversation over: {why}"
            case "phone_number":
                to = node.get("transfer_destination")
                number = at(to, "phone_number") or at(to, "sip_uri") or "a person"
                effects.ended = f"The workflow handed the conversation over to {number}."
            case "end":
                effects.ended = "The workflow came to its end."
            case _:
                self.node = here  # a kind that only newer platforms know: the agent goes on as it is

    async def _run_tools(self, talk: WorkflowContext, here: str, effects: Effect) -> Step:
        """Each tool of the node, whatever the model thinks of it."""
        began = talk.now()
        role = await self._roles.role(talk.role.agent.id, here)
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
            outcome = outcome or await run_call(talk, call, head["request_id"], [tool], effects)
            requests.append(request_record(head, call, details))
            results.append(result_record(head, outcome))
        done = all(not result["is_error"] for result in results)
        seconds = talk.now() - began
        return _step("nested_tools", seconds, node_id=here, requests=requests, results=results, is_successful=done)


def _step(type_: str, seconds: float, **fields: Any) -> Step:
    return {"type": type_, "step_latency_secs": seconds, **fields}
