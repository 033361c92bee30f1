"""The command of the campaigns: `python -m tests.campaigns NAME --count N --seed S`, `list`, or `all --short`."""

import argparse
import logging
import sys
import time
from functools import partial

import anyio

from tests.alone import like_a_test_run

from .campaign import NAMES, Report, keep, line, named


def main() -> int:
    asked = _arguments()
    if asked.name == "list":
        for name in NAMES:
            module = named(name)
            print(f"{name:10} {module.LONG:>7,} (short: {module.SHORT:,})  {(module.__doc__ or '').splitlines()[0]}")
        return 0
    names = NAMES if asked.name == "all" else (asked.name,)
    return max(_run(name, asked) for name in names)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/soak", description="Attack the program, from a seed.")
    parser.add_argument("name", choices=(*NAMES, "all", "list"))
    parser.add_argument("--count", type=int, help="how many attacks; without it those of the long form")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="the form that runs with the tests")
    return parser.parse_args()


def _run(name: str, asked: argparse.Namespace) -> int:
    module, begun = named(name), time.monotonic()
    count: int = asked.count or (module.SHORT if asked.short else module.LONG)
    report: Report = anyio.run(partial(module.campaign, count, asked.seed))
    print(line(name, report, asked.seed, time.monotonic() - begun), flush=True)
    for note in report.notes:
        print(f"  {note}", file=sys.stderr)
    for finding in report.findings:
        print(f"  {finding.said}\n  {keep(name, finding)}", file=sys.stderr)
    return 1 if report.findings else 0


if __name__ == "__main__":
    like_a_test_run()
    logging.disable(logging.CRITICAL)  # a run prints one line; what is attacked on purpose logs thousands
    sys.exit(main())
