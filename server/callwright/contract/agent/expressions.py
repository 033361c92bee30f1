"""Expressions over dynamic variables, as trees."""

from typing import Annotated, Literal

from ..common import OneOf, Unknown, Variant


class StringLiteral(Variant):
    """A text."""

    type: Literal["string_literal"] = "string_literal"
    value: str


class NumberLiteral(Variant):
    """A number."""

    type: Literal["number_literal"] = "number_literal"
    value: float


class BooleanLiteral(Variant):
    """True or false."""

    type: Literal["boolean_literal"] = "boolean_literal"
    value: bool


class AskModel(Variant):
    """True when the model answers yes."""

    type: Literal["llm"] = "llm"
    prompt: str


class Variable(Variant):
    """The value of a dynamic variable."""

    type: Literal["dynamic_variable"] = "dynamic_variable"
    name: str


class AnyOf(Variant):
    """True when one child is."""

    type: Literal["or_operator"] = "or_operator"
    children: list["Expression"]


class AllOf(Variant):
    """True when all children are."""

    type: Literal["and_operator"] = "and_operator"
    children: list["Expression"]


class Equal(Variant):
    """left = right"""

    type: Literal["eq_operator"] = "eq_operator"
    left: "Expression"
    right: "Expression"


class NotEqual(Variant):
    """left ≠ right"""

    type: Literal["neq_operator"] = "neq_operator"
    left: "Expression"
    right: "Expression"


class Greater(Variant):
    """left > right"""

    type: Literal["gt_operator"] = "gt_operator"
    left: "Expression"
    right: "Expression"


class Less(Variant):
    """left < right"""

    type: Literal["lt_operator"] = "lt_operator"
    left: "Expression"
    right: "Expression"


class GreaterOrEqual(Variant):
    """left ≥ right"""

    type: Literal["gte_operator"] = "gte_operator"
    left: "Expression"
    right: "Expression"


class LessOrEqual(Variant):
    """left ≤ right"""

    type: Literal["lte_operator"] = "lte_operator"
    left: "Expression"
    right: "Expression"


Expression = Annotated[
    StringLiteral
    | NumberLiteral
    | BooleanLiteral
    | AskModel
    | Variable
    | AnyOf
    | AllOf
    | Equal
    | NotEqual
    | Greater
    | Less
    | GreaterOrEqual
    | LessOrEqual
    | Unknown,
    OneOf("type"),
]
