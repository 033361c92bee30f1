"""Rows of the table, and how they are judged against their goals."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, Literal, Self

ATTEMPTS = 3
"""How often `--check` measures a noisy row before it believes that the goal is missed."""
MEASURED_PAIRS = 3
"""Fewer pairs tell nothing about the noise."""


@dataclass(frozen=True)
class Row:
    """One measured number.

    The goal of a row with a `baseline` bounds the ratio of the two, never the number itself: machines differ, and the
    baseline was measured on the same one. Without a baseline the number is a count. Without a goal the row informs.
    """

    what: str
    ours: float
    unit: str = ""
    baseline: float | None = None
    goal: float | None = None
    better: Literal["less", "more"] = "less"
    ceiling: float | None = None
    """Where a goal is an aim: what must not be exceeded on the way to it."""
    note: str = ""
    ratios: tuple[float, ...] = ()
    """One ratio for each pair of measurements that ran directly after each other."""

    @classmethod
    def of_pairs(
        cls,
        what: str,
        ours: Sequence[float],
        baseline: Sequence[float],
        unit: str,
        goal: float | None = None,
        better: Literal["less", "more"] = "less",
        note: str = "",
    ) -> Self:
        """A row of measurements in turn: `ours[i]` and `baseline[i]` saw the machine in the same mood."""
        ratios = tuple(one / other for one, other in zip(ours, baseline, strict=True))
        return cls(what, median(ours), unit, median(baseline), goal, better, note=note, ratios=ratios)

    @property
    def ratio(self) -> float | None:
        """The median over the pairs, where there are pairs: a pair that something else disturbed does not count."""
        if self.ratios:
            return median(self.ratios)
        return None if self.baseline is None else self.ours / self.baseline

    @property
    def noise(self) -> float | None:
        """Half of the range in which the middle half of the pairs lies, as a share of the ratio."""
        if len(self.ratios) < MEASURED_PAIRS or not self.ratio:
            return None
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return (high - low) / 2 / self.ratio

    @property
    def room(self) -> float | None:
        """How far the ratio is from its goal, as a share of the goal; negative where the goal is missed."""
        if self.goal is None or self.ratio is None:
            return None
        return (self.goal - self.ratio) / self.goal * (1 if self.better == "less" else -1)

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        bound = self.goal if self.ceiling is None else self.ceiling
        return self._judged <= bound if self.better == "less" else self._judged >= bound

    @property
    def verdict(self) -> str:
        """`near`: beyond the aim and below the ceiling."""
        if self.met is None:
            return ""
        near = self.met and self.ceiling is not None and self.goal is not None and self._judged > self.goal
        return "near" if near else "ok" if self.met else "MISS"

    @property
    def _judged(self) -> float:
        return self.ours if self.ratio is None else self.ratio


@dataclass(frozen=True)
class Probe:
    """One measurement that yields some rows. A noisy one may come out otherwise when it is run again."""

    run: Callable[[], Awaitable[Sequence[Row]]]
    noisy: bool = True


async def measured(probes: Iterable[Probe], *, attempts: int = 1) -> list[Row]:
    """The rows of all probes. A noisy probe with a missed goal runs again, until `attempts`; what was met stays."""
    rows: list[Row] = []
    for probe in probes:
        found = {row.what: row for row in await probe.run()}
        for _ in range(1, attempts if probe.noisy else 1):
            if all(row.met is not False for row in found.values()):
                break
            _say(f"again: {', '.join(row.what for row in found.values() if row.met is False)}")
            again = {row.what: row for row in await probe.run()}
            found = {what: again.get(what, row) if row.met is False else row for what, row in found.items()}
        rows += found.values()
    return rows


def table(rows: Iterable[Row]) -> str:
    cells = [("what", "ours", "baseline", "ratio", "noise", "goal", "room", "")]
    cells += [_cells(row) for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join(_line(line, widths) for line in cells)


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [{**asdict(row), "ratio": row.ratio, "noise": row.noise, "room": row.room, "met": row.met} for row in rows]


def missed(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.met is False]


def _line(line: tuple[str, ...], widths: list[int]) -> str:
    what, *numbers, verdict = line
    aligned = [what.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))]
    return "  ".join([*aligned, verdict]).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    sign = "<=" if row.better == "less" else ">="
    factor = "" if row.baseline is None else " x"
    return (
        row.what,
        f"{_number(row.ours)} {row.unit}".strip(),
        "" if row.baseline is None else f"{_number(row.baseline)} {row.unit}".strip(),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.noise is None else f"±{row.noise:.0%}",
        "" if row.goal is None else f"{sign} {row.goal:,g}{factor}",
        "" if row.room is None else f"{row.room:.0%}",
        f"{row.verdict:4} {row.note}".rstrip(),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.2f}"


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
