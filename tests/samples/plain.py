"""Requests at the wire of the embedded platform. `{name}` stands for an id of what was made before."""

from typing import Any

JSON = dict[str, Any]

TOOLS: list[JSON] = [
    {
        "type": "webhook",
        "name": "look_up",
        "description": "Finds a booking.",
        "api_schema": {
            "url": "https://crm.example.com/{id}",
            "method": "POST",
            "path_params_schema": {"id": {"type": "string", "description": "Booking."}},
            "request_body_schema": {"type": "object", "properties": {"day": {"type": "string", "description": "Day."}}},
            "request_headers": {"x-team": "support", "authorization": {"secret_id": "{secret_id}"}},
        },
    },
    {"type": "client", "name": "show_map", "description": "Shows the map.", "expects_response": True},
    {"type": "system", "name": "end_call", "description": ""},
]
AGENT: JSON = {
    "name": "Ada",
    "tags": ["front desk"],
    "conversation_config": {
        "agent": {
            "first_message": "Hello {{name}}.",
            "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo", "age": 7, "vip": True}},
            "prompt": {
                "prompt": "Help.",
                "tools": TOOLS,
                "knowledge_base": [{"type": "text", "name": "Hours", "id": "{documentation_id}", "usage_mode": "auto"}],
                "custom_llm": {"url": "https://llm.example.com/v1", "api_key": {"secret_id": "{secret_id}"}},
            },
        },
        "tts": {"supported_voices": [{"label": "Joe", "voice_id": "v1"}]},
        "language_presets": {"nl": {"overrides": {"agent": {"first_message": "Hoi."}}}},
    },
    "platform_settings": {
        "evaluation": {"criteria": ["Stays calm"]},
        "data_collection": {"day": {"type": "string", "description": "The day."}},
        "auth": {"enable_auth": True, "allowlist": [{"hostname": "example.com"}]},
    },
    "workflow": {"nodes": {"start": {"type": "start", "position": {"x": 0, "y": 0}, "edge_order": []}}, "edges": {}},
}
REHEARSAL: JSON = {
    "simulation_specification": {"simulated_user_config": {"prompt": {"prompt": "When do you open?"}}},
    "extra_evaluation_criteria": ["Says goodbye"],
}
TEST: JSON = {
    "name": "Calls nobody",
    "type": "tool",
    "chat_history": [{"role": "user", "message": "Hi.", "time_in_call_secs": 0}],
    "success_condition": "",
    "success_examples": [{"response": "Hello.", "type": "success"}],
    "failure_examples": [],
    "tool_call_parameters": {
        "referenced_tool": {"id": "end_call", "type": "system"},
        "parameters": [{"path": "reason", "eval": {"type": "regex", "pattern": "^a"}}],
    },
    "dynamic_variables": {"name": "Bo"},
}
BROUGHT: JSON = {"conversation_initiation_client_data": {"dynamic_variables": {"name": "Bo"}}}
CALL: JSON = {"agent_id": "{agent_id}", "agent_phone_number_id": "{twilio_id}", "to_number": "+15557654321", **BROUGHT}
ALIAS: JSON = {"type": "alias", "string_to_replace": "UN", "alias": "United Nations"}
USAGE: JSON = {"prompt_length": 4000, "number_of_pages": 3, "rag_enabled": True}
FILE = ("hours.txt", b"Open from ten.", "text/plain")
PLS = b"<lexicon><lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"
