"""Small mistakes put into the code that keeps the promises: the tests of that code must notice each of them.

A mutant is a copy of the program with one comparison, condition, number or truth value changed. What survives is told on
stderr; some of it is no other program at all.
"""

import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from .campaign import Finding, Json, Report

SHORT, LONG = 4, 150
LEAST = 0.8
"""Of the mutants that must be noticed, from so many on that a share says something."""
ENOUGH = 25
SECONDS = 300
ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "server" / "callwright"

TESTS: dict[str, tuple[str, ...]] = {
    "bounds.py": ("api/test_bounds.py",),
    "api/retry.py": ("api/test_retry.py",),
    "approval/exempt.py": ("approval/test_policy.py", "approval/test_policy_file.py"),
    "approval/policy.py": ("approval/test_policy.py", "approval/test_one_policy.py", "approval/test_unattended.py"),
    "approval/dial_limits.py": ("approval/test_policy_file.py", "approval/test_policy.py"),
    "approval/open_hosts.py": ("approval/test_open_hosts.py",),
    "contract/guards.py": ("approval/test_keys_of_ones_own.py", "contract/test_operation.py", "api/test_bounds.py"),
    "net/guard.py": ("net/test_guard.py", "net/test_pinned.py"),
    "secrecy.py": ("test_secrecy.py", "telemetry/test_redaction.py"),
    "replies/masking.py": ("approval/test_keys_of_ones_own.py", "tools/test_parts.py", "test_canary.py"),
}
"""The files that are changed, and the tests that must notice it, the quickest first."""

SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    file: str
    place: int
    """Which of the nodes of the file, in the order in which they are walked."""
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


async def campaign(count: int, seed: int) -> Report:
    report, chance = Report(), random.Random(seed)
    every = [mutant for file in TESTS for mutant in mutants_of(file)]
    chosen = chance.sample(every, min(count, len(every)))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copied = Path(folder)
        await anyio.to_thread.run_sync(shutil.copytree, PACKAGE, copied / "callwright")
        for file in sorted({mutant.file for mutant in chosen}) if count >= ENOUGH else ():
            if await anyio.to_thread.run_sync(_failing, copied, file):
                report.findings.append(
                    Finding(f"The tests of {file} fail without a mutant.", {"count": count, "seed": seed})
                )
        for mutant in chosen:
            noticed = await anyio.to_thread.run_sync(_noticed, copied, mutant)
            report.counts["mutants"] += 1
            report.counts["noticed"] += noticed
            if not noticed:
                report.notes.append(f"survived: {mutant}")
    share = report.counts["noticed"] / max(1, report.counts["mutants"])
    report.counts["percent"], report.counts["of all"] = round(100 * share), len(every)
    if share < LEAST and report.counts["mutants"] >= ENOUGH:
        report.findings.append(
            Finding(f"Only {share:.0%} of the mutants were noticed.", {"count": count, "seed": seed})
        )
    return report


async def replay(case: Json) -> list[str]:
    return [finding.said for finding in (await campaign(case["count"], case["seed"])).findings]


def mutants_of(file: str) -> list[Mutant]:
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    return [
        Mutant(file, place, getattr(node, "lineno", 0), what)
        for place, node in enumerate(ast.walk(tree))
        for what in _ways(node)
    ]


def _ways(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            yield f"{type(op).__name__} for {SWAPPED[type(op)].__name__}"
        case ast.BoolOp():
            yield "and for or"
        case ast.UnaryOp(op=ast.Not()):
            yield "without not"
        case ast.If() | ast.IfExp():
            yield "the other branch"
        case ast.Constant(value=bool()):
            yield "the other truth"
        case ast.Constant(value=int()):
            yield "one more"
        case _:
            return


def mutated(file: str, mutant: Mutant) -> str:
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    node = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [SWAPPED[type(op)]()]
        case ast.BoolOp(op=op):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.UnaryOp(operand=operand):
            vars(node).update(vars(copy.deepcopy(ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand)))))
        case ast.If(test=test) | ast.IfExp(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case _:
            raise ValueError(mutant)
    return ast.unparse(ast.fix_missing_locations(tree))


def _noticed(copied: Path, mutant: Mutant) -> bool:
    place = copied / "callwright" / mutant.file
    before = place.read_text("utf-8")
    place.write_text(mutated(mutant.file, mutant), "utf-8")
    try:
        return _failing(copied, mutant.file)
    finally:
        place.write_text(before, "utf-8")


def _failing(copied: Path, file: str) -> bool:
    """Whether a test of this file fails, or does not end, with the copy instead of the program."""
    tests = [str(ROOT / "tests" / name) for name in TESTS[file]]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath={copied} {ROOT}",
    ]
    try:
        done = subprocess.run([*command, *tests], cwd=ROOT, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
