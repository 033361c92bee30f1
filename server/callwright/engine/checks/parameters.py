"""Validation of parameter checks, which agent tests and the conditions of tool mocks have in common."""

from ...contract.errors import Problem, body_problem
from ...contract.merge import Json
from ..dialogue.patterns import check_pattern


def parameter_problems(parameters: list[Json], at: list[str | int]) -> list[Problem]:
    """Problems for regular expressions that cannot be used. `at`: the path of the parameter checks in the body."""
    problems: list[Problem] = []
    for place, parameter in enumerate(parameters):
        if parameter["eval"].get("type") == "regex":
            try:
                check_pattern(parameter["eval"]["pattern"])
            except ValueError as wrong:
                problems.append(body_problem([*at, place, "eval", "pattern"], str(wrong)))
    return problems
