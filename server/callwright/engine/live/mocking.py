"""Tools that are mocked for one conversation, at its client's request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..dialogue.tools import NOT_MOCKED, Executor, Outcome, Tool
from ..dialogue.variables import Variables
from .frames import Mocking


@dataclass(frozen=True)
class MockingExecutor:
    """`Executor` that skips the tools named by `mocking` and really calls the others."""

    inner: Executor
    mocking: Mocking

    def details(self, tool: Tool, arguments: Mapping[str, Any], variables: Variables) -> Mapping[str, Any] | None:
        return self.inner.details(tool, arguments, variables)

    async def run(self, tool: Tool, request_id: str, arguments: Mapping[str, Any], variables: Variables) -> Outcome:
        strategy = self.mocking.mocking_strategy
        if strategy == "all" or (strategy == "selected" and tool.name in self.mocking.mocked_tool_names):
            return Outcome(NOT_MOCKED)
        if strategy == "selected" and self.mocking.fallback_strategy == "raise_error":
            return Outcome("This tool is not mocked, and no other is called here.", is_error=True, called=False)
        return await self.inner.run(tool, request_id, arguments, variables)
