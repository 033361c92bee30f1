"""The server's counters as Prometheus text: names, outcomes, seconds. No ids, no arguments, no secrets."""

from bisect import bisect_left
from collections import Counter

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds in seconds."""


class Metrics:
    """Counts since the start of the process. Every label has few values: a tool's name, a word, a status."""

    def __init__(self) -> None:
        self._calls = Counter[tuple[str, str]]()
        self._approvals = Counter[str]()
        self._upstream = Counter[str]()
        self._refused = Counter[str]()
        self._seconds: dict[str, list[int]] = {}
        self._total: dict[str, float] = {}

    def call(self, tool: str, outcome: str, seconds: float) -> None:
        """Count an ended tool call: `done`, `asked`, `error`, `defect` or `cancelled`."""
        self._calls[tool, outcome] += 1
        buckets = self._seconds.setdefault(tool, [0] * (len(BUCKETS) + 1))
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self._total[tool] = self._total.get(tool, 0.0) + seconds

    def approval(self, outcome: str) -> None:
        """Count an approval: `asked`, `person`, `preview` (both granted), `declined` or `refused`."""
        self._approvals[outcome] += 1

    def upstream(self, status: str) -> None:
        """Count a response of the platform with this status, or `none`."""
        self._upstream[status] += 1

    def refused(self, reason: str) -> None:
        """Count a request that was rejected before it reached a tool."""
        self._refused[reason] += 1

    def text(self) -> str:
        """Prometheus text format 0.0.4."""
        lines = _head("tool_calls_total", "counter", "Calls of tools.")
        for (tool, outcome), count in sorted(self._calls.items()):
            lines.append(f'callwright_tool_calls_total{{tool="{tool}",outcome="{outcome}"}} {count}')
        lines += _head("tool_seconds", "histogram", "How long calls took, waiting for a person included.")
        for tool in sorted(self._seconds):
            lines += self._histogram(tool)
        for name, label, what, counts in (
            ("approvals_total", "outcome", "Calls that needed an approval.", self._approvals),
            ("upstream_requests_total", "status", "Requests to the platform.", self._upstream),
            ("http_refused_total", "reason", "Requests that reached no tool.", self._refused),
        ):
            lines += _head(name, "counter", what)
            lines += [f'callwright_{name}{{{label}="{value}"}} {count}' for value, count in sorted(counts.items())]
        return "\n".join(lines) + "\n"

    def _histogram(self, tool: str) -> list[str]:
        lines: list[str] = []
        below = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._seconds[tool], strict=True):
            below += count
            lines.append(f'callwright_tool_seconds_bucket{{tool="{tool}",le="{bound}"}} {below}')
        lines.append(f'callwright_tool_seconds_sum{{tool="{tool}"}} {self._total[tool]:.6f}')
        lines.append(f'callwright_tool_seconds_count{{tool="{tool}"}} {below}')
        return lines


def _head(name: str, kind: str, what: str) -> list[str]:
    return [f"# HELP callwright_{name} {what}", f"# TYPE callwright_{name} {kind}"]
