"""The tools of a rehearsal, which answer from its mocks and have no side effects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...contract.merge import JsonView
from .expectations import judged
from .judge import Judge
from .paths import value_at
from .tools import MockExecutor, Outcome, Tool
from .variables import Variables


@dataclass(frozen=True)
class MockedTools:
    """`Executor`. A mock of the rehearsal takes precedence over the mocks of the tool itself."""

    named: MockExecutor
    judge: Callable[[], Judge | None]

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> None:
        return None

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        """The answer of the first of the tool's own mocks whose conditions the arguments meet."""
        own: Sequence[JsonView] = tool.config.get("response_mocks") or ()
        if tool.name not in self.named.mocks:
            for mock in own:
                if await self._meets(arguments, mock.get("parameter_conditions") or ()):
                    return Outcome(mock["mock_result"], bool(mock.get("is_error")))
        return await self.named.run(tool, request_id, arguments, variables)

    async def _meets(self, arguments: JsonView, conditions: Sequence[JsonView]) -> bool:
        """Whether all conditions are met. Those that need a model run last, if the others hold, because it costs."""
        for condition in sorted(conditions, key=lambda one: one["eval"].get("type") == "llm"):
            found = await judged(condition["eval"], value_at(arguments, condition["path"]), self.judge())
            if found.result != "success":
                return False
        return True
