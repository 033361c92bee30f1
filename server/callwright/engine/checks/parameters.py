"""What an agent test and the conditions of a mock have in common: checks of a call's parameters, as they are stored."""

from ...contract.errors import Problem, body_problem
from ...contract.merge import Json
from ..dialogue.patterns import check_pattern


def parameter_problems(parameters: list[Json], at: list[str | int]) -> list[Problem]:
    """Patterns that would never be searched with. `at`: where in the body the checks stand."""
    problems: list[Problem] = []
    for place, parameter in enumerate(parameters):
        if parameter["eval"].get("type") == "regex":
            try:
                check_pattern(parameter["eval"]["pattern"])
            except ValueError as wrong:
                problems.append(body_problem([*at, place, "eval", "pattern"], str(wrong)))
    return problems
