"""Requests of one operation, made from the OpenAPI document: some as it describes them, some that break it.

All are made before the first is sent, so that nothing that the engine remembers can change them.
"""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, cast

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import REQUEST_SHAPE_PROBES, CoveragePhaseData, CoverageScenario

from tests.contract.published import published

Schema = dict[str, Any]
Case = schemathesis.Case[Any]

LARGE = 20_000
"""Characters of a body's schema, with all that it refers to, beyond which breaking it takes minutes an operation."""


@cache
def loaded() -> Any:
    """The document as schemathesis reads it."""
    found: Any = schemathesis.openapi.from_dict(deepcopy(published()), config=SchemathesisConfig())
    # The key is a matter of its own, and so are NUL characters, which no schema can exclude: both would hide the rest.
    found.config.generation.update(with_security_parameters=False, allow_x00=False)
    return found


@cache
def operations() -> dict[str, Any]:
    """All of them, by `operationId`."""
    return {found.ok().definition.raw["operationId"]: found.ok() for found in loaded().get_all_operations()}


def cases(operation: Any, known: Schema, body: Schema, examples: int, *, same: bool) -> Iterator[Case]:
    """Every boundary of a small request, `examples` at random of each mode, half about what there is; and a plain one.

    `known`: ids of what there is, by the name of the parameter that takes them. `body`: the fields of a request that
    fits it. `same`: the same cases in every run.
    """
    made = _at_random(operation, GenerationMode.POSITIVE, examples, same=same)
    if not is_large(operation):
        made += _boundaries(operation)
        if [*operation.iter_parameters(), *operation.body]:
            made += _at_random(operation, GenerationMode.NEGATIVE, examples, same=same)
    chance = random.Random(operation.label)
    for case in made:
        if chance.random() < 0.5:
            _about_what_there_is(case, known, body)
        yield case
    yield _plain(made[0], known, body)


def is_large(operation: Any) -> bool:
    body = operation.definition.raw.get("requestBody", {})
    return len(json.dumps([body, *_referred(body, {}).values()])) > LARGE


def is_really_broken(case: Case) -> bool:
    """Whether the engine must refuse the request: a boundary is crossed.

    Not where a type is another one, because `"7"` and `7`, `"on"` and `true` are read alike, as on the hosted platform;
    and not where something was broken at random, which in a query often means the same when it is written down.
    """
    phase = case.meta.phase.data if case.meta else None
    return (
        isinstance(phase, CoveragePhaseData)
        and cast(Any, case.meta).generation.mode.is_negative
        and phase.scenario not in REQUEST_SHAPE_PROBES
        and phase.scenario is not CoverageScenario.INCORRECT_TYPE
    )


def _referred(node: Any, found: Schema) -> Schema:
    if isinstance(node, dict):
        for key, child in cast(Schema, node).items():
            if key == "$ref" and child not in found:
                found[child] = published()["components"]["schemas"][child.rsplit("/", 1)[1]]
                _referred(found[child], found)
            _referred(child, found)
    elif isinstance(node, list):
        for child in cast(list[Any], node):
            _referred(child, found)
    return found


def _boundaries(operation: Any) -> Iterator[Case]:
    modes = list(GenerationMode)
    return loaded().iter_coverage_cases(operation, generation_modes=modes, generation_config=loaded().config.generation)


def _at_random(operation: Any, mode: GenerationMode, examples: int, *, same: bool) -> list[Case]:
    made: list[Case] = []

    @hypothesis.settings(
        max_examples=examples,
        database=None,
        derandomize=same,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case) -> None:
        made.append(case)

    keep()
    return made


def _about_what_there_is(case: Case, known: Schema, body: Schema) -> None:
    """Puts what exists where the case has something of its own; what was broken on purpose stays broken."""
    if _fits(case, ParameterLocation.PATH):
        case.path_parameters = _filled(case.path_parameters, known)
    if _fits(case, ParameterLocation.QUERY):
        case.query = _filled(case.query, known)
    if not body or not isinstance(case.body, dict):
        return  # untouched: a file that was put in again would count as broken
    if _fits(case, ParameterLocation.BODY):
        case.body = {**case.body, **body}
    else:
        _mend_around(case, body)


def _mend_around(case: Case, body: Schema) -> None:
    """Makes all fit but what is broken, or else something that does not exist would hide it."""
    given = cast(Schema, case.body)
    for name in sorted(given.keys() & body.keys()):
        case.body = {**given, name: body[name]}
        if not _fits(case, ParameterLocation.BODY):
            given = cast(Schema, case.body)
    case.body = given


def _plain(case: Case, known: Schema, body: Schema) -> Case:
    """A request of which nothing is made up where something is known: whether it succeeds is not left to chance."""
    _about_what_there_is(case, known, {})
    if body and isinstance(case.body, dict):
        case.body = body
    return case


def _fits(case: Case, location: ParameterLocation) -> bool:
    made = case.meta.components.get(location) if case.meta else None
    return made is not None and made.mode.is_positive


def _filled(given: Schema, known: Schema) -> Schema:
    return {name: known.get(name, value) for name, value in given.items()}
