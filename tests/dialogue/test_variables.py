from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from callwright.engine.dialogue.variables import (
    MissingVariables,
    gather,
    named_in,
    require,
    substitute,
    system_variables,
)

NOW = datetime(2026, 3, 4, 17, 5, 9, tzinfo=UTC).timestamp()


def test_values_are_put_in_with_or_without_blanks_in_the_braces() -> None:
    values = {"name": "Ada", "seats": 2, "vip": True, "price": 1.5}
    text = "{{name}}: {{ seats }} seats, vip {{vip}}, {{price}}, {{{name}}}, {{ not a name }}, {{}}"
    assert substitute(text, values) == "Ada: 2 seats, vip true, 1.5, {Ada}, {{ not a name }}, {{}}"


def test_one_error_names_every_missing_variable() -> None:
    with pytest.raises(MissingVariables) as caught:
        require({"a": 1}, "{{a}} {{c}}", "{{b}} {{c}}")
    assert str(caught.value) == snapshot(
        "Missing dynamic variables: b, c. Give each a value, or a placeholder on the agent."
    )
    assert caught.value.detail() == snapshot(
        [
            {
                "loc": ["dynamic_variables", "b"],
                "msg": "The agent's texts use it, and it has no value.",
                "type": "missing",
            },
            {
                "loc": ["dynamic_variables", "c"],
                "msg": "The agent's texts use it, and it has no value.",
                "type": "missing",
            },
        ]
    )


@given(st.text(), st.text())
def test_a_value_is_never_read_as_a_template(before: str, value: str) -> None:
    assert substitute("{{x}}", {"x": "{{y}}" + value, "y": before}) == "{{y}}" + value


NAMES = ["a", "b_2", "_c", "system__time", "Name"]
VALUES = st.one_of(
    st.sampled_from(["{{a}}", "{{", "}}", "\\", "\\1", "\\g<0>", "{", "$a", ""]),
    st.text(),
    st.integers(),
    st.booleans(),
)
LITERALS = st.one_of(
    st.sampled_from(["}}", "{ {", "{{}}", "{{1}}", "{{a b}}", "\\g<1>", "\n", " "]),
    st.text(st.characters(exclude_characters="{}")),
)
"""What names no variable, and cannot become a part of a place beside it."""
PLACES = st.tuples(st.sampled_from(NAMES), st.sampled_from(["", " ", "\t", "\n  "]), st.sampled_from(["", " "]))


@given(st.lists(st.one_of(LITERALS, PLACES)), st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_places_get_their_values_and_everything_else_stays(
    pieces: list[str | tuple[str, str, str]], values: dict[str, str | int | bool]
) -> None:
    text, joined, names = "", "", set[str]()
    for piece in pieces:
        if isinstance(piece, str):
            text, joined = text + piece, joined + piece
            continue
        name, before, after = piece
        names.add(name)
        text += "{{" + before + name + after + "}}"
        value = values.get(name, "")
        joined += ("true" if value else "false") if isinstance(value, bool) else f"{value}"
    assert named_in(text) == names
    if names <= values.keys():
        require(values, text)
        assert substitute(text, values) == joined
        return
    for refusing in (lambda: require(values, text), lambda: substitute(text, values)):
        with pytest.raises(MissingVariables) as caught:
            refusing()
        assert caught.value.names == sorted(names - values.keys())


@given(st.text())
def test_text_without_braces_stays_as_it_is(text: str) -> None:
    assert substitute(text.replace("{", ""), {}) == text.replace("{", "")


def test_what_the_caller_gives_wins_over_placeholders_and_loses_to_the_system() -> None:
    assert gather(
        {"a": "placeholder", "b": "placeholder"},
        {"a": "given", "b": None, "system__agent_id": "forged", "system__caller_id": "+15550100"},
        {"system__agent_id": "agent_1"},
    ) == {
        "a": "given",
        "b": "placeholder",
        "system__agent_id": "agent_1",
        "system__caller_id": "+15550100",
        # of a telephone call, and not given
        "system__called_number": "unknown",
        "system__call_sid": "unknown",
    }


def test_the_system_knows_the_agent_the_conversation_and_the_time() -> None:
    assert system_variables(
        agent_id="agent_1", conversation_id="conv_1", now=NOW, started=NOW - 90, timezone="Europe/Berlin"
    ) == snapshot(
        {
            "system__agent_id": "agent_1",
            "system__current_agent_id": "agent_1",
            "system__conversation_id": "conv_1",
            "system__call_duration_secs": 90,
            "system__time_utc": "2026-03-04T17:05:09Z",
            "system__time": "Wednesday, 18:05 04 March 2026",
            "system__timezone": "Europe/Berlin",
        }
    )


@pytest.mark.parametrize("unknown", ["Nowhere/Land", "../../etc/passwd", "", None])
def test_an_unknown_time_zone_is_read_as_utc(unknown: str | None) -> None:
    told = system_variables(agent_id="a", conversation_id="c", now=NOW, started=NOW, timezone=unknown)
    assert told["system__time"] == "Wednesday, 17:05 04 March 2026"
