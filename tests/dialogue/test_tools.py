"""What an agent's model is offered, from the tools that its configuration declares."""

from dataclasses import replace
from typing import Any

from inline_snapshot import snapshot

from callwright.contract.agent.config import ConversationConfig
from callwright.engine.dialogue.agent import read_agent

BODY: dict[str, Any] = {
    "type": "object",
    "description": "The booking.",
    "required": ["seats", "token", "who"],
    "properties": {
        "seats": {"type": "integer", "description": "How many."},
        "token": {"type": "string", "constant_value": "fixed"},
        "channel": {"type": "string", "dynamic_variable": "channel"},
        "who": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "description": "In full."}},
        },
        "extras": {"type": "array", "items": {"type": "string", "description": "One.", "enum": ["paddle", "vest"]}},
    },
}
CONFIG: dict[str, Any] = {
    "agent": {
        "language": "en",
        "prompt": {
            "prompt": "P",
            "max_tokens": -1,
            "tools": [
                {
                    "type": "webhook",
                    "name": "book",
                    "description": "Books.",
                    "api_schema": {
                        "url": "https://example.com/{day}",
                        "path_params_schema": {"day": {"type": "string", "description": "Which day."}},
                        "query_params_schema": {"properties": {"dry": {"type": "boolean", "description": "Only try."}}},
                        "request_body_schema": BODY,
                    },
                }
            ],
            "built_in_tools": {
                "language_detection": {
                    "name": "language_detection",
                    "params": {"system_tool_type": "language_detection"},
                },
                "skip_turn": {
                    "name": "skip_turn",
                    "description": "Only when asked to wait.",
                    "params": {"system_tool_type": "skip_turn"},
                },
                "transfer_to_number": {
                    "name": "transfer_to_number",
                    "params": {"system_tool_type": "transfer_to_number", "transfers": []},
                },
                "transfer_to_agent": {
                    "name": "transfer_to_agent",
                    "params": {
                        "system_tool_type": "transfer_to_agent",
                        "transfers": [
                            {"agent_id": "a", "condition": "Billing."},
                            {"agent_id": "b", "condition": "Sales."},
                        ],
                    },
                },
            },
        },
    },
    "language_presets": {"nl": {"overrides": {}}},
}


def test_declared_parameters_become_json_schemas_and_telephone_tools_are_left_out() -> None:
    assert [tool.schema()["function"] for tool in read_agent("a", CONFIG).tools] == snapshot(
        [
            {
                "name": "book",
                "description": "Books.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "day": {"type": "string", "description": "Which day."},
                        "dry": {"type": "boolean", "description": "Only try."},
                        "seats": {"type": "integer", "description": "How many."},
                        "who": {
                            "type": "object",
                            "properties": {"name": {"type": "string", "description": "In full."}},
                            "required": ["name"],
                        },
                        "extras": {
                            "type": "array",
                            "items": {"type": "string", "description": "One.", "enum": ["paddle", "vest"]},
                        },
                    },
                    "required": ["day", "seats", "who"],
                },
            },
            {
                "name": "language_detection",
                "description": "Changes the language when the user speaks another one or asks for it. Languages: en, nl",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "reason": {"type": "string", "description": "Why the tool is called."},
                        "language": {"type": "string", "description": "The new language's code.", "enum": ["en", "nl"]},
                    },
                    "required": ["reason", "language"],
                },
            },
            {
                "name": "skip_turn",
                "description": "Only when asked to wait.",
                "parameters": {
                    "type": "object",
                    "properties": {"reason": {"type": "string", "description": "Why the tool is called."}},
                    "required": [],
                },
            },
            {
                "name": "transfer_to_agent",
                "description": """\
Hands the conversation over to another agent, by number:
0: Billing.
1: Sales.\
""",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "reason": {"type": "string", "description": "Why the tool is called."},
                        "agent_number": {"type": "integer", "description": "The number of the rule that applies."},
                    },
                    "required": ["agent_number"],
                },
            },
        ]
    )


def test_a_configuration_reads_the_same_with_every_default_of_the_contract_written_out() -> None:
    written_out = read_agent("a", ConversationConfig.model_validate(CONFIG).model_dump(mode="json"))
    brief = read_agent("a", CONFIG)
    assert replace(written_out, tools=()) == replace(brief, tools=())
    assert {tool.name: tool.schema() for tool in written_out.tools} == {t.name: t.schema() for t in brief.tools}


def test_an_empty_configuration_is_an_agent_that_says_nothing_first() -> None:
    agent = read_agent("a", {})
    assert (agent.first_message, agent.prompt, agent.tools, agent.max_tokens) == ("", "", [], None)
