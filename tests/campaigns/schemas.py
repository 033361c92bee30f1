"""Values for the input schemas of tools: those that fit, and those that do not."""

from typing import Any, cast

from hypothesis import strategies as st

from tests.engine.test_fuzz import ODD

from .campaign import Json

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["agent_11", "en", "gpt-4o-mini", "https://a.example/x", "+15550001111", "\u202e", "\0", "\ud800", "{{x}}"]),
    st.text(alphabet="{}%\\/\"'<>&.*[]()-+@:;#\n", max_size=20),
)  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
ODDITIES = st.one_of(st.sampled_from(ODD), ANYTHING)


def fitting(schema: Json, known: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values that fit a schema. An argument with a known name mostly has its known value: else nothing is ever found."""
    if name in known:
        return st.one_of(st.just(known[name]), st.just(known[name]), _by_type(schema, known))
    return _by_type(schema, known)


def _by_type(schema: Json, known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(cast(list[Any], schema["enum"]))
    match schema.get("type"):
        case "object":
            return _object(schema, known)
        case "array":
            return st.lists(fitting(schema.get("items", {}), known), max_size=3)
        case "string":
            return TEXTS
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False)
        case "boolean":
            return st.booleans()
        case _:
            return ANYTHING


def _object(schema: Json, known: dict[str, Any]) -> st.SearchStrategy[Any]:
    properties: dict[str, Json] = schema.get("properties", {})
    if not properties:
        return st.dictionaries(TEXTS, ANYTHING, max_size=4)
    needed: list[str] = schema.get("required", [])
    each = {name: fitting(inner, known, name) for name, inner in properties.items()}
    return st.fixed_dictionaries(
        {name: each[name] for name in needed if name in each},
        optional={name: inner for name, inner in each.items() if name not in needed},
    )


@st.composite
def hostile(draw: st.DrawFn, schema: Json, known: dict[str, Any]) -> Json:
    """Arguments that mostly fit, with something odd in one or two places."""
    arguments: Json = dict(draw(fitting({**schema, "type": "object"}, known)))
    names = [*schema.get("properties", {}), "stranger", ""]
    for _ in range(draw(st.integers(0, 2))):
        arguments[draw(st.sampled_from(names))] = draw(ODDITIES)
    return arguments
