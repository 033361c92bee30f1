"""Every regular expression of the program takes time in proportion to its text, whatever the text is.

The expressions are found in the modules and in their source, with the ways in which they are used. The texts are made
from the expressions: what they begin with, and what they repeat, over and over, and then something else.
"""

import ast
import importlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

import callwright

ROOT = Path(callwright.__file__).parent
WAYS = ("search", "match", "fullmatch", "split", "findall", "finditer", "sub")
SMALL, TIMES = 1500, 8
QUICK = 0.002
"""Seconds under which a text is quick, however the ones before it were."""
BY_A_USER_OF_ITS_OWN = {"engine/dialogue/patterns.py"}
"""Patterns that the operator wrote are tried in a process of their own, with a limit of time."""


class Used(NamedTuple):
    where: str
    pattern: re.Pattern[Any]
    way: str


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield cast("re.Pattern[Any]", value)
    elif isinstance(value, tuple | list):
        for each in cast(list[object], value):
            yield from patterns_in(each)
    elif isinstance(value, dict):
        for each in cast(dict[object, object], value).values():
            yield from patterns_in(each)


def found() -> Iterator[Used]:
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT)
        if str(path) in BY_A_USER_OF_ITS_OWN or file.name == "__main__.py":
            continue
        parts = path.with_suffix("").parts
        module = importlib.import_module(".".join(("callwright", *(p for p in parts if p != "__init__"))))
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        for name, value in vars(module).items():
            for pattern in patterns_in(value):
                for way in ways_of(name, calls) or ("search", "fullmatch"):
                    yield Used(f"{path}:{name}", pattern, way)
        for call in calls:
            func = cast(ast.Attribute, call.func)
            inline = isinstance(func.value, ast.Name) and func.value.id == "re" and func.attr in WAYS
            if inline and isinstance(written := call.args[0], ast.Constant):
                yield Used(f"{path}:{call.lineno}", re.compile(cast(Any, written.value)), func.attr)


def ways_of(name: str, calls: list[ast.Call]) -> set[str]:
    attributes = [cast(ast.Attribute, call.func) for call in calls]
    return {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == name and a.attr in WAYS}


parser: Any = sys.modules.get("re._parser") or importlib.import_module("re._parser")


def sample(node: Any) -> str:
    """A text that a part of an expression matches, more or less."""
    kind, what = str(node[0]), node[1]
    match kind:
        case "LITERAL":
            return chr(what)
        case "NOT_LITERAL":
            return "a" if what != ord("a") else "b"
        case "ANY":
            return "a"
        case "IN":
            return one_of(what)
        case "CATEGORY":
            return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}.get(str(what), "-")
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return "".join(map(sample, what[2])) * max(1, min(what[0], 20))
        case "SUBPATTERN":
            return "".join(map(sample, what[3]))
        case "ATOMIC_GROUP":
            return "".join(map(sample, what))
        case "BRANCH":
            return "".join(map(sample, what[1][0]))
        case _:  # what takes no text
            return ""


def one_of(what: Any) -> str:
    if str(what[0][0]) == "NEGATE":
        single = re.compile("[^" + "".join(escaped(each) for each in what[1:]) + "]")
        return next((sign for sign in 'a1- "<{[(/\\.,;:=@&?#%+*!\n\t' if single.match(sign)), "ü")
    kind, value = what[0]
    return chr(value[0]) if str(kind) == "RANGE" else sample((kind, value))


def escaped(each: Any) -> str:
    kind, value = str(each[0]), each[1]
    if kind == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    if kind == "LITERAL":
        return re.escape(chr(value))
    return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_SPACE": r"\S"}.get(
        str(value), r"\W"
    )


def inner(node: Any) -> list[Any]:
    """The parts of a part, each a sequence."""
    kind, what = str(node[0]), node[1]
    if kind.endswith("REPEAT"):
        return [what[2]]
    if kind == "SUBPATTERN":
        return [what[3]]
    if kind == "ATOMIC_GROUP":
        return [what]
    return list(what[1]) if kind == "BRANCH" else []


def texts(pattern: re.Pattern[Any]) -> set[str]:
    """Short texts that are said over and over: beginnings of the expression, and what it repeats, alone and after them."""
    units: set[str] = set()

    def walk(sequence: Any, before: str) -> None:
        for node in sequence:
            if str(node[0]).endswith("REPEAT"):
                unit = "".join(map(sample, node[1][2]))
                units.update((unit, before + unit, before, f"-{before}{unit}"))
            for part in inner(node):
                walk(part, before)
            before += sample(node)
            units.add(before)

    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    walk(parser.parse(written, pattern.flags & ~re.DEBUG & (re.IGNORECASE | re.DOTALL | re.MULTILINE)), "")
    return {unit for unit in units if unit}


def once(run: Callable[[Any], object], text: Any) -> float:
    begun = time.process_time()
    run(text)
    return time.process_time() - begun


def seconds(run: Callable[[Any], object], text: Any) -> float:
    return min(once(run, text) for _ in range(3))


def runner(used: Used) -> Callable[[Any], object]:
    if used.way == "finditer":
        return lambda text: [*cast("Iterator[Any]", used.pattern.finditer(text))]
    if used.way == "sub":
        return lambda text: used.pattern.sub(cast(Any, b"" if isinstance(text, bytes) else ""), text)
    return getattr(used.pattern, used.way)


EVERY = {
    f"{used.where} {used.way}": used
    for used in sorted(found(), key=lambda used: (used.where, used.way, str(used.pattern.pattern)))
}


def test_the_expressions_are_found() -> None:
    names = " ".join(EVERY)
    assert len(EVERY) > 90
    for known in ("secrecy.py:_IN_TEXT", "replies/text.py:_INVISIBLE", "net/guard.py:", "contract/guards.py:_ADDRESS"):
        assert known in names


def grows_too_fast(used: Used) -> list[str]:
    run, as_bytes = runner(used), isinstance(used.pattern.pattern, bytes)
    bad: list[str] = []
    for unit in sorted(texts(used.pattern)):
        for head, tail in (("", "\x00"), ("a", " ")):
            small = head + unit * (SMALL // len(unit) + 1) + tail
            large = head + unit * (TIMES * (SMALL // len(unit) + 1)) + tail
            first, second = (text.encode("utf-8") if as_bytes else text for text in (small, large))
            if once(run, second) > QUICK and seconds(run, second) > max(QUICK, 2.5 * TIMES * seconds(run, first)):
                bad.append(unit)
    return bad


@pytest.mark.parametrize("name", EVERY)
def test_more_text_takes_more_time_in_proportion(name: str) -> None:
    assert grows_too_fast(EVERY[name]) == []


@pytest.mark.parametrize("bad", [r"eyJ[\w-]{5,}\.", r"\[+\s*OVER", r"\s+$", r"<[^>]*>x"])
def test_an_expression_that_grows_faster_is_found(bad: str) -> None:
    assert grows_too_fast(Used("here", re.compile(bad), "search")) != []
