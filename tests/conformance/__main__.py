"""`scripts/conformance`: runs the suites and the lint, or serves the fixtures (`--serve PORT`)."""

import argparse
import os
import sys
import tempfile
from contextlib import AsyncExitStack

import anyio

from .runs import Run, Verdict, judged, runs
from .serve import KINDS, serve_for_ever, served

AT_ONCE = 2
SECONDS = 60


async def _examine_all() -> list[Verdict]:
    everything = list(runs())
    verdicts: list[Verdict] = []
    slots = anyio.CapacityLimiter(AT_ONCE)
    async with AsyncExitStack() as stack:
        # They end together: a server that ends closes the streams of all in its process.
        urls = {kind: await stack.enter_async_context(served(kind)) for kind in KINDS}
        home = stack.enter_context(tempfile.TemporaryDirectory())

        async def examine(run: Run) -> None:
            async with slots:
                verdicts.append(await _examine(run, urls[run.server], home))

        async with anyio.create_task_group() as tasks:
            for run in everything:
                tasks.start_soon(examine, run)
    return sorted(verdicts, key=lambda verdict: everything.index(verdict.run))


async def _examine(run: Run, url: str, home: str) -> Verdict:
    command = [part.replace("URL", url, 1) if part.startswith("URL") else part for part in run.command]
    # The Inspector keeps a catalogue and secrets in the home folder.
    env = {**os.environ, "HOME": home, "USERPROFILE": home, "MCP_INSPECTOR_SECRET_STORE": "memory"}
    with anyio.move_on_after(SECONDS):
        done = await anyio.run_process(command, check=False, cwd=home, env=env)
        return judged(run, done.returncode, done.stdout.decode(), done.stderr.decode())
    return Verdict(run, 0, [f"did not end within {SECONDS} seconds"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--serve", type=int, metavar="PORT", help="serve the product with the fixtures on this port")
    parser.add_argument("--verbose", action="store_true", help="name every run, not only those that failed")
    args = parser.parse_args()
    if args.serve is not None:
        return serve_for_ever(args.serve)
    verdicts = anyio.run(_examine_all)
    for verdict in verdicts:
        if verdict.faults or args.verbose:
            print("FAILED" if verdict.faults else "ok    ", f"{verdict.checks:4} ", verdict.run.what)
            print("".join(f"        {fault}\n" for fault in verdict.faults), end="")
    checks = sum(verdict.checks for verdict in verdicts if not verdict.run.lint)
    failed = sum(bool(verdict.faults) for verdict in verdicts)
    print(f"{checks} checks in {len(verdicts)} runs of conformance suites and lint; {failed or 'no'} run(s) failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
