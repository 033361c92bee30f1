"""What a tool takes: a small dialect of JSON Schema."""

from typing import Annotated, Literal

from ..common import Maybe, OneOf, Scalar, Unknown, Variant, Wire


class LiteralProperty(Wire):
    """One plain value: filled by the model from its description, or fixed, or taken from a variable."""

    type: Literal["boolean", "string", "integer", "number"]
    description: Maybe[str] = None
    enum: list[str] | None = None
    """Values to choose from."""
    is_system_provided: Maybe[bool] = None
    """Filled by the platform, not by the model."""
    dynamic_variable: Maybe[str] = None
    """Name of the variable that fills it."""
    constant_value: Maybe[Scalar] = None


class ObjectProperty(Variant):
    """An object of further properties."""

    type: Literal["object"] = "object"
    required: list[str] = []
    description: Maybe[str] = None
    properties: dict[str, "Property"] = {}


class ArrayProperty(Variant):
    """A list of one kind of property."""

    type: Literal["array"] = "array"
    description: Maybe[str] = None
    items: "Property"


Property = Annotated[LiteralProperty | ObjectProperty | ArrayProperty | Unknown, OneOf("type")]


class QueryProperties(Wire):
    """Parameters of a query string."""

    properties: dict[str, LiteralProperty]
    required: list[str] = []
