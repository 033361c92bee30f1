"""Runs every measurement, prints the table; with --check, fails where a goal is missed three times over."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import perf_counter

from .installed import import_rows, install_rows
from .reading import reading_rows
from .rows import ATTEMPTS, Probe, Row, as_json, measured, missed, table
from .speed import FULL, QUICK, Bench
from .talking import Turns
from .tokens import counter


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, under two minutes")
    parser.add_argument("--check", action="store_true", help="measure what misses again; exit 1 where it still misses")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers there")
    args = parser.parse_args()
    began = perf_counter()
    counts = counter()
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as folder:
        effort = QUICK if args.quick else FULL
        bench = Bench(Path(folder) / "speed", effort)
        turns = Turns(Path(folder) / "talking", effort.lone_turns, effort.live_turns)

        async def run() -> list[Row]:
            await bench.prepare()
            return await measured(
                (
                    *(Probe(p) for p in (bench.starts, bench.warm_list, bench.reads, bench.slow_api, bench.memory)),
                    Probe(turns.rows),
                    Probe(lambda: reading_rows(Path(folder) / "reading", counts), noisy=False),
                    Probe(_later(install_rows), noisy=False),
                    Probe(_later(import_rows), noisy=False),
                ),
                attempts=ATTEMPTS if args.check else 1,
            )

        rows = asyncio.run(run())
    print(table(rows))
    print(f"\nTokens are {counts.said}. {'Quick' if args.quick else 'Full'} run, {perf_counter() - began:.0f} s.")
    return finish(rows, check=args.check, file=args.json)


def finish(rows: Sequence[Row], *, check: bool, file: Path | None) -> int:
    """Writes the numbers to `file`; the exit status: 1 where `check` is asked for and a goal is missed."""
    if file:
        file.write_text(json.dumps(as_json(rows), indent=1) + "\n", encoding="utf-8")
    if not check:
        return 0
    late = missed(rows)
    for row in late:
        sys.stderr.write(f"missed: {row.what}\n")
    return int(bool(late))


def _later(rows: Callable[[], Sequence[Row]]) -> Callable[[], Awaitable[Sequence[Row]]]:
    async def run() -> Sequence[Row]:
        return await asyncio.to_thread(rows)

    return run


if __name__ == "__main__":
    sys.exit(main())
