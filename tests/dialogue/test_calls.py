"""What a call of a tool does to its conversation: arguments that are checked, variables that are set."""

import json
import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.arguments import read_arguments
from callwright.engine.dialogue.destinations import APPROVED
from callwright.engine.dialogue.features import features_used
from callwright.engine.dialogue.roles import Role
from callwright.engine.dialogue.simulated_user import STOP
from callwright.engine.dialogue.tools import Mock, Tool

from .conftest import Connect
from .llm_peer import JSON, Call, Say, peer
from .rehearsals import brief, parts, rehearsal, rehearse, role

pytestmark = pytest.mark.anyio

BOOK = Tool(
    "client", "book", "Books.",
    {
        "seats": {"type": "integer"},
        "price": {"type": "number"},
        "dry": {"type": "boolean"},
        "day": {"type": "string", "enum": ["Friday", "Sunday"]},
        "who": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        "extras": {"type": "array", "items": {"type": "string"}},
    },
    ("seats", "day"),
)  # fmt: skip


def test_arguments_become_what_the_schema_says_and_what_it_does_not_name_is_left_out() -> None:
    written = {
        "seats": "2", "price": "9.5", "dry": "true", "day": "Friday", "extras": [" vest "], "admin": True,
        "who": {"name": 7, "role": "x"},
    }  # fmt: skip
    assert read_arguments(json.dumps(written), BOOK) == {
        "seats": 2, "price": 9.5, "dry": True, "day": "Friday", "who": {"name": "7"}, "extras": [" vest "],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[1]", "The arguments are not a JSON object."),
        ('{"seats": null}', "Missing arguments: seats, day."),
        ('{"seats": 2.5, "day": "Monday"}', "seats: 2.5 is not of type integer. day: 'Monday' is none of the allowed values."),
        ('{"seats": 1, "day": "Sunday", "who": {}}', "Missing arguments: who.name."),
        ('{"seats": 1, "day": "Sunday", "who": "Ann"}', "who: 'Ann' is not an object."),
        ('{"seats": 1, "day": "Sunday", "extras": ["a", {}]}', "extras[1]: {} is not of type string."),
        ('{"seats": 1, "day": "Sunday", "extras": "a"}', "extras: 'a' is not a list."),
        ('{"seats": 1, "day": "Sunday", "dry": 1}', "dry: 1 is not of type boolean."),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_told_to_the_model(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_arguments(written, BOOK)


ASSIGNING: JSON = {
    "type": "client",
    "name": "look_up",
    "description": "Looks up.",
    "assignments": [
        {"source": "response", "dynamic_variable": "plan", "value_path": "user.plans[1].name"},
        {"source": "response", "dynamic_variable": "seats", "value_path": "$.user.plans.0.seats"},
        {"source": "response", "dynamic_variable": "user", "value_path": "user.tags"},
        {"source": "response", "dynamic_variable": "nothing", "value_path": "user.gone"},
        {"source": "response", "dynamic_variable": "empty", "value_path": "user.none"},
        {"source": "response", "dynamic_variable": "system__time", "value_path": "user.plans[1].name"},
    ],
}
ANSWER = json.dumps({"user": {"plans": [{"seats": 2}, {"name": "Gold"}], "tags": ["a"], "none": None}})


def looking_up(request: JSON) -> Say:
    if request["messages"][-1]["content"] == "Hi.":
        return Say(calls=(Call("look_up"),))
    return Say("Done.")


async def played(connect: Connect, mock: Mock, **changes: Any) -> tuple[Any, list[str]]:
    """A rehearsal with that answer, and the agent's prompts one after the other."""
    prompt = {"prompt": "Plan {{plan}}, seats {{seats}}.", "tools": [ASSIGNING]}
    placeholders = {"dynamic_variable_placeholders": {"plan": "unknown", "seats": 0}}
    agent = read_agent("a", {"agent": {"prompt": prompt, "dynamic_variables": placeholders}})
    async with peer(parts(looking_up, "Hi.", f"Bye. {STOP}")) as at:
        done = await rehearse(rehearsal(agent=agent, mocks={"look_up": mock}, **changes), connect(at))
    prompts = [r["messages"][0]["content"].split("\n")[0] for r in at.requests if role(r) == "agent"]
    return done, prompts


async def test_an_answer_sets_variables_for_all_that_follows(connect: Connect) -> None:
    done, prompts = await played(connect, Mock(ANSWER))
    assert prompts[:2] == ["Plan unknown, seats 0.", "Plan Gold, seats 2."]
    [result] = [one["tool_results"][0] for one in done.transcript if one["tool_results"]]
    assert result["dynamic_variable_updates"] == snapshot(
        [
            {
                "variable_name": "plan",
                "old_value": "unknown",
                "new_value": "Gold",
                "updated_at": 1770000000,
                "tool_name": "look_up",
                "tool_request_id": "look_up_00000000000000000000000000000001",
            },
            {
                "variable_name": "seats",
                "old_value": "0",
                "new_value": "2",
                "updated_at": 1770000000,
                "tool_name": "look_up",
                "tool_request_id": "look_up_00000000000000000000000000000001",
            },
            {
                "variable_name": "user",
                "old_value": None,
                "new_value": '["a"]',
                "updated_at": 1770000000,
                "tool_name": "look_up",
                "tool_request_id": "look_up_00000000000000000000000000000001",
            },
        ]
    )
    used = features_used(Role(read_agent("a", {"agent": {"prompt": {"tools": [ASSIGNING]}}})), done.transcript)
    assert used["tool_dynamic_variable_updates"] == {"enabled": True, "used": True}


@pytest.mark.parametrize(
    "mock", [Mock(ANSWER, is_error=True), Mock("All is well."), Mock("[1, 2]"), Mock('{"user": 1}')]
)
async def test_errors_and_answers_without_the_value_set_nothing(connect: Connect, mock: Mock) -> None:
    done, prompts = await played(connect, mock)
    assert set(prompts) == {"Plan unknown, seats 0."}
    [result] = [one["tool_results"][0] for one in done.transcript if one["tool_results"]]
    assert result["dynamic_variable_updates"] == []


PHONE: JSON = {
    "transfer_to_number": {
        "name": "transfer_to_number",
        "params": {
            "system_tool_type": "transfer_to_number",
            "transfers": [
                {"transfer_destination": {"type": "phone", "phone_number": "+15551230001"}, "condition": "Sales."},
                {
                    "transfer_destination": {"type": "sip_uri", "sip_uri": "sip:desk@example.com"},
                    "condition": "Desk.",
                    "transfer_type": "sip_refer",
                },
                {
                    "transfer_destination": {"type": "phone_dynamic_variable", "phone_number": "manager"},
                    "condition": "The manager.",
                },
                {"phone_number": "+15551230009", "condition": "The older way."},
                {
                    "transfer_destination": {"type": "phone_dynamic_variable", "phone_number": "unset"},
                    "condition": "Nobody.",
                },
            ],
        },
    },
    "voicemail_detection": {
        "name": "voicemail_detection",
        "params": {"system_tool_type": "voicemail_detection", "voicemail_message": "Call {{shop}} back."},
    },
    "play_keypad_touch_tone": {
        "name": "play_keypad_touch_tone",
        "params": {"system_tool_type": "play_keypad_touch_tone"},
    },
}


APPROVED_NUMBERS = {"manager": ["+1555123"]}


async def one_call(
    connect: Connect, tool: str, arguments: JSON, *, on_phone: bool = True, approved: JSON = APPROVED_NUMBERS
) -> Any:
    tools = {name: one | {APPROVED: approved} for name, one in PHONE.items()}
    config = {"agent": {"prompt": {"prompt": "P", "built_in_tools": tools}}}
    agent = read_agent("a", config, on_phone=on_phone)

    def speak(request: JSON) -> Say:
        asked = request["messages"][-1]["content"] == "Hi."
        return Say(calls=(Call(tool, json.dumps(arguments)),)) if asked else Say("I see.")

    async with peer(parts(speak, "Hi.", STOP)) as at:
        variables = {"shop": "Northshore", "manager": "+15551230007"}
        return await rehearse(rehearsal(agent=agent, dynamic_variables=variables), connect(at))


def handing_over(number: str) -> JSON:
    return {"transfer_number": number, "client_message": "One moment.", "agent_message": "Ann, about a canoe."}


@pytest.mark.parametrize("number", ["+15551230001", "sip:desk@example.com", "manager", "+15551230007", "+15551230009"])
async def test_a_call_is_handed_over_to_a_number_of_the_rules(connect: Connect, number: str) -> None:
    done = await one_call(connect, "transfer_to_number", handing_over(number))
    [result] = [one["tool_results"][0]["result"] for one in done.transcript if one["tool_results"]]
    to = {"manager": "+15551230007"}.get(number, number)
    note = "The transfer is recorded; nobody is dialled from here."
    if number.startswith("sip:"):
        expected = {"result_type": "transfer_to_number_sip_success", "status": "success", "transfer_number": to, "reason": None, "note": note}  # fmt: skip
    else:
        expected = {
            "result_type": "transfer_to_number_twilio_success", "status": "success", "transfer_number": to,
            "reason": None, "client_message": "One moment.", "agent_message": "Ann, about a canoe.",
            "conference_name": result["conference_name"], "note": note,
        }  # fmt: skip
    assert result == expected
    assert done.transcript[-1]["message"] == "One moment."
    assert done.ended == f"The conversation was handed over to {to}."


@pytest.mark.parametrize(
    ("approved", "said"),
    [
        ({}, "Nobody has approved where the variable manager may lead, so nobody is transferred by it. Say it with"
         " update_destinations; a person approves it there."),
        ({"manager": ["+4930", "sip:@example.com"]}, "The variable manager leads somewhere that nobody approved."
         " Approved: +4930, sip:@example.com."),
    ],
)  # fmt: skip
async def test_a_variable_hands_nobody_over_to_where_it_may_not_lead(
    connect: Connect, approved: JSON, said: str
) -> None:
    done = await one_call(connect, "transfer_to_number", handing_over("manager"), approved=approved)
    [result] = [one["tool_results"][0] for one in done.transcript if one["tool_results"]]
    assert (result["is_error"], result["result_value"]) == (True, said)


@pytest.mark.parametrize(
    ("tool", "arguments", "on_phone", "type_", "said"),
    [
        (
            "transfer_to_number", handing_over("+15559999999"), True, "transfer_to_number_error",
            "'+15559999999' is none of the numbers of the rules: +15551230001, sip:desk@example.com, manager, "
            "+15551230009, unset.",
        ),
        (
            "transfer_to_number", handing_over("unset"), True, "transfer_to_number_error",
            "The variable unset that holds the number has no value.",
        ),
        (
            "play_keypad_touch_tone", {"dtmf_tones": "12A"}, True, "play_dtmf_error",
            "These are no keys: '12A'. Keys are 0 to 9, * and #.",
        ),
        (
            "transfer_to_number", handing_over("+15551230001"), False, "transfer_to_number_error",
            "transfer_to_number works in phone calls only, and this conversation is held in text.",
        ),
        (
            "play_keypad_touch_tone", {"dtmf_tones": "1"}, False, "play_dtmf_error",
            "play_keypad_touch_tone works in phone calls only, and this conversation is held in text.",
        ),
        (
            "voicemail_detection", {"reason": "beep"}, False, None,
            "voicemail_detection works in phone calls only, and this conversation is held in text.",
        ),
    ],
)  # fmt: skip
async def test_what_a_telephone_tool_cannot_do_is_said_and_the_conversation_goes_on(
    connect: Connect, tool: str, arguments: JSON, on_phone: bool, type_: str | None, said: str
) -> None:
    done = await one_call(connect, tool, arguments, on_phone=on_phone)
    [result] = [one["tool_results"][0] for one in done.transcript if one["tool_results"]]
    assert (result["is_error"], result["result_value"]) == (True, said)
    assert result.get("result") == (type_ and {"result_type": type_, "status": "error", "error": said, "details": None})
    assert done.transcript[-1]["message"] == "I see."


async def test_a_voicemail_gets_its_message_and_the_call_ends(connect: Connect) -> None:
    done = await one_call(connect, "voicemail_detection", {"reason": "A beep."})
    assert brief(done.transcript)[-2:] == snapshot(
        [
            'results [\'{"result_type": "voicemail_detection_success", "status": "success", "voicemail_message": "Call Northshore back.", "reason": "A beep."}\']',
            "agent: Call Northshore back.",
        ]
    )
    assert done.ended == "An answering machine picked up."


async def test_keys_are_pressed_and_the_conversation_goes_on(connect: Connect) -> None:
    done = await one_call(connect, "play_keypad_touch_tone", {"dtmf_tones": "1*#"})
    assert brief(done.transcript)[-2:] == snapshot(
        [
            'results [\'{"result_type": "play_dtmf_success", "status": "success", "dtmf_tones": "1*#", "reason": null}\']',
            "agent: I see.",
        ]
    )
