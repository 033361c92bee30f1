"""Values that are known only when a conversation runs."""

from typing import Literal

from ..common import Scalar, Variant, Wire


class DynamicVariables(Wire):
    """Values that stand in for `{{variables}}` when a caller brings none."""

    dynamic_variable_placeholders: dict[str, Scalar] = {}


class Assignment(Variant):
    """Puts a part of a tool's answer in a variable."""

    source: Literal["response"] = "response"
    dynamic_variable: str
    value_path: str
    """Dots between keys, as in `user.name`."""
