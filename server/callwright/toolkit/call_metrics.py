"""Metrics and log of tool calls, for the operator: outcome, approval and duration of each call."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, InputRequiredResult

from ..approval.call import Call
from ..approval.refusal import asks
from ..telemetry.logs import FACTS
from ..telemetry.spans import described

if TYPE_CHECKING:
    from ..telemetry.metrics import Metrics

R = TypeVar("R", bound=CallToolResult | InputRequiredResult | None)
Told = Callable[[R], R]
"""Function that notes an answer for the metrics and returns it unchanged."""

log = logging.getLogger("callwright.calls")


class CallMetrics:
    """Records one tool call: a metric, a log line, and attributes that the SDK's span of the call lacks."""

    def __init__(self, metrics: "Metrics | None", tool: str, effect: str, who: str) -> None:
        self._meters, self._tool, self._effect, self._who = metrics, tool, effect, who
        self._outcome, self._approval = "cancelled", "policy"

    @contextmanager
    def call(self) -> Generator[Told[Any]]:
        began = time.perf_counter()

        def told(answer: R) -> R:
            self._outcome = "asked" if _asks(answer) else "error" if _is_error(answer) else "done"
            return answer

        try:
            yield told
        except UnexpectedToolError:
            self._outcome = "defect"
            raise
        except (ToolError, MCPError):
            self._outcome = "error"
            raise
        finally:
            self._tell(time.perf_counter() - began)

    @contextmanager
    def approval(self, call: Call) -> Generator[Told[Any]]:
        def told(instead: R) -> R:
            self._approved(call.approved_by if instead is None else "asked" if _asks(instead) else "declined")
            return instead

        try:
            yield told
        except ToolError:
            self._approved("refused")
            raise

    def _approved(self, outcome: str) -> None:
        self._approval = outcome
        if self._meters:
            self._meters.approval(outcome)

    def _tell(self, seconds: float) -> None:
        if self._meters:
            self._meters.call(self._tool, self._outcome, seconds)
        said = {"effect": self._effect, "outcome": self._outcome, "approval": self._approval}
        described(tool=self._tool, **said)
        level = logging.ERROR if self._outcome == "defect" else logging.INFO
        if log.isEnabledFor(level):
            facts = {"tool": self._tool, "principal": self._who, **said, "duration_ms": round(seconds * 1000, 1)}
            log.log(level, "%s %s", self._tool, self._outcome, extra={FACTS: facts})


def _asks(answer: object) -> bool:
    return isinstance(answer, InputRequiredResult) or asks(answer)


def _is_error(answer: object) -> bool:
    return isinstance(answer, CallToolResult) and bool(answer.is_error)
