"""A JSON schema that was found to be one is not checked again in the same process.

A client of the SDK checks the output schema of each tool that it calls, which takes many times as long as to
validate an answer with it. Each test has a client of its own, and the schemas of all of them are the same.
"""

import json
from functools import cache
from typing import Any, cast

import jsonschema


def check_each_schema_once() -> None:
    """Replace `Draft202012Validator.check_schema` by one that remembers. What it refuses is refused every time."""
    validator = cast(Any, jsonschema.Draft202012Validator)
    check = validator.check_schema

    @cache
    def passes(schema: str) -> None:
        check(json.loads(schema))

    def once(schema: Any, **more: Any) -> None:
        if more:
            check(schema, **more)
        else:
            passes(json.dumps(schema))

    validator.check_schema = once
