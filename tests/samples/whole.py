"""Requests with everything that the platform's SDK can say, for comparing what it sends with what we send."""

from typing import Any

from callwright.contract.operation import Blob

JSON = dict[str, Any]

A, D, N, T, M = "agent_01", "doc-1", "phnum_1", "tool_1", "mcp_1"
FILE = Blob("text/plain", "Öffnet um neun und täglich.".encode(), "Zeiten ä.txt")
PICTURE = Blob("image/png", b"\x89PNG\r\n\x1a\n\x00\xff", "face.png")
HEADERS: JSON = {"x-team": "Büro", "authorization": {"secret_id": "sec_1"}, "x-caller": {"variable_name": "caller"}}
WEBHOOK: JSON = {
    "type": "webhook",
    "name": "look_up",
    "description": "Finds a booking, «quickly».",
    "response_timeout_secs": 20,
    "disable_interruptions": True,
    "force_pre_tool_speech": False,
    "assignments": [{"source": "response", "dynamic_variable": "day", "value_path": "order.day"}],
    "tool_call_sound": "typing",
    "tool_call_sound_behavior": "auto",
    "execution_mode": "immediate",
    "dynamic_variables": {"dynamic_variable_placeholders": {"shop": "Zürich", "floor": 2, "open": False}},
    "api_schema": {
        "url": "https://crm.example.com/{id}",
        "method": "POST",
        "path_params_schema": {"id": {"type": "string", "description": "Booking."}},
        "query_params_schema": {"properties": {"day": {"type": "integer", "constant_value": 3}}, "required": ["day"]},
        "request_body_schema": {
            "type": "object",
            "required": ["guests"],
            "description": "Who comes.",
            "properties": {
                "guests": {"type": "array", "items": {"type": "string", "description": "Name."}, "description": "All."},
                "table": {
                    "type": "object",
                    "properties": {"seats": {"type": "number", "dynamic_variable": "seats"}},
                    "required": [],
                    "description": "Where.",
                },
            },
        },
        "request_headers": HEADERS,
    },
}
TRANSFER: JSON = {
    "type": "system",
    "name": "transfer_to_agent",
    "description": "",
    "params": {
        "system_tool_type": "transfer_to_agent",
        "transfers": [{"agent_id": "agent_2", "condition": "asked", "delay_ms": 0, "transfer_message": None}],
    },
}
CONFIG: JSON = {
    "asr": {"quality": "high", "keywords": ["Zürich", "naïve"]},
    "turn": {"turn_timeout": 7.5, "mode": "turn", "silence_end_call_timeout": -1},
    "tts": {
        "voice_id": "v1",
        "model_id": "eleven_turbo_v2_5",
        "speed": 1.1,
        "stability": 0.5,
        "similarity_boost": 0.8,
        "supported_voices": [{"label": "Joe", "voice_id": "v2", "language": "de"}],
        "pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": "p1", "version_id": None}],
    },
    "conversation": {"text_only": False, "max_duration_seconds": 600, "client_events": ["audio", "user_transcript"]},
    "language_presets": {"nl": {"overrides": {"agent": {"first_message": "Hallo, 你好 🚲"}}}},
    "agent": {
        "first_message": 'Grüezi "{{name}}" \\ {{n}}',
        "language": "de",
        "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo", "n": 7, "x": 0.5, "vip": True}},
        "prompt": {
            "prompt": "Help.\n\tNever\u2028shout.",
            "llm": "gpt-4o",
            "temperature": 0.0,
            "max_tokens": -1,
            "tool_ids": ["tool_1", "tool_2"],
            "mcp_server_ids": [],
            "knowledge_base": [{"type": "text", "name": "Hours", "id": D, "usage_mode": "auto"}],
            "custom_llm": {"url": "https://llm.example.com/v1", "model_id": "m", "api_key": {"secret_id": "s"}},
            "ignore_default_personality": True,
            "rag": {"enabled": True, "embedding_model": "e5_mistral_7b_instruct", "max_vector_distance": 0.6},
            "built_in_tools": {"transfer_to_agent": TRANSFER},
        },
    },
}
SETTINGS: JSON = {
    "evaluation": {
        "criteria": [{"id": "calm", "name": "Calm", "type": "prompt", "conversation_goal_prompt": "Stays calm."}]
    },
    "data_collection": {"day": {"type": "string", "description": "The day.", "enum": ["Mo", "Tu"]}},
    "auth": {"enable_auth": True, "allowlist": [{"hostname": "example.com"}]},
    "overrides": {"conversation_config_override": {"agent": {"first_message": True, "prompt": {"prompt": False}}}},
    "call_limits": {"agent_concurrency_limit": -1, "daily_limit": 100, "bursting_enabled": False},
    "privacy": {"record_voice": False, "retention_days": -1, "zero_retention_mode": True},
    "widget": {"variant": "compact", "bg_color": "#ffffff", "avatar": {"type": "orb", "color_1": "#6DB035"}},
}
WORKFLOW: JSON = {
    "nodes": {
        "start": {"type": "start", "position": {"x": 0.0, "y": -1.5}, "edge_order": ["e1"]},
        "sub": {"type": "override_agent", "label": "Buchung", "position": {"x": 1.0, "y": 0.0}, "edge_order": []},
        "end": {"type": "end", "position": {"x": 0.0, "y": 9.0}, "edge_order": []},
    },
    "edges": {
        "e1": {"source": "start", "target": "sub", "forward_condition": {"type": "unconditional", "label": None}},
        "e2": {
            "source": "sub",
            "target": "end",
            "forward_condition": {"type": "llm", "label": "done", "condition": "It is done."},
        },
    },
}
AGENT: JSON = {
    "conversation_config": CONFIG,
    "platform_settings": SETTINGS,
    "workflow": WORKFLOW,
    "name": "Ada ☎ «1»",
    "tags": ["front desk", "zwei"],
}
TURN: JSON = {"role": "user", "message": "Hi, ça va?", "time_in_call_secs": 0}
REHEARSAL: JSON = {
    "agent_id": A,
    "simulation_specification": {
        "simulated_user_config": {
            "first_message": "Grüezi",
            "language": "de",
            "prompt": {"prompt": "Ask for ö.", "llm": "gpt-4o", "temperature": 0.5},
        },
        "tool_mock_config": {"look_up": {"default_return_value": "{}", "default_is_error": False}},
        "partial_conversation_history": [TURN],
        "dynamic_variables": {"name": "Bo", "n": 1, "vip": True},
    },
    "extra_evaluation_criteria": [
        {
            "id": "bye",
            "name": "Bye",
            "type": "prompt",
            "conversation_goal_prompt": "Says goodbye.",
            "use_knowledge_base": True,
        }
    ],
    "new_turns_limit": 12,
}
TEST: JSON = {
    "name": "Übt",
    "type": "tool",
    "chat_history": [TURN],
    "success_condition": "greets",
    "success_examples": [{"response": "Hello.", "type": "success"}],
    "failure_examples": [{"response": "Go.", "type": "failure"}],
    "tool_call_parameters": {
        "referenced_tool": {"id": "end_call", "type": "system"},
        "verify_absence": False,
        "parameters": [{"path": "a.b[0]", "eval": {"type": "regex", "pattern": "^ä\\d"}}],
    },
    "dynamic_variables": {"name": "Bo", "n": 1.5, "vip": True},
    "from_conversation_metadata": {"conversation_id": "c", "agent_id": A, "workflow_node_id": "n"},
}
OVERRIDE: JSON = {"conversation_config": CONFIG, "platform_settings": SETTINGS, "workflow": WORKFLOW}
CLIENT_DATA: JSON = {
    "conversation_config_override": {"agent": {"first_message": "Hoi", "language": "nl"}, "tts": {"voice_id": "v"}},
    "custom_llm_extra_body": {"a": [1, {"b": None}]},
    "dynamic_variables": {"name": "Bø", "age": 7, "rate": 0.25, "vip": False},
    "user_id": "u-1",
}
DIAL: JSON = {
    "agent_id": A,
    "agent_phone_number_id": N,
    "to_number": "+41441234567",
    "conversation_initiation_client_data": CLIENT_DATA,
}
INBOUND: JSON = {
    "allowed_addresses": ["192.0.2.0/24"],
    "allowed_numbers": ["+15551234567"],
    "media_encryption": "required",
    "credentials": {"username": "in", "password": "pässword"},
}
OUTBOUND: JSON = {
    "address": "sip.example.com",
    "transport": "tls",
    "media_encryption": "allowed",
    "headers": {"X-A": "b"},
    "credentials": {"username": "out", "password": "p"},
}
TWILIO: JSON = {
    "provider": "twilio",
    "phone_number": "+15551234567",
    "label": "Réception",
    "supports_inbound": True,
    "supports_outbound": False,
    "sid": "AC1",
    "token": "t",
    "region_config": {"region_id": "ie1", "token": "r", "edge_location": "dublin"},
}
SIP: JSON = {
    "provider": "sip_trunk",
    "phone_number": "+442071838750",
    "label": "London",
    "supports_inbound": True,
    "supports_outbound": True,
    "inbound_trunk_config": INBOUND,
    "outbound_trunk_config": OUTBOUND,
}
USAGE: JSON = {"prompt_length": 4000, "number_of_pages": 3, "rag_enabled": True}
MCP_TOOL: JSON = {
    "force_pre_tool_speech": True,
    "disable_interruptions": False,
    "tool_call_sound": "elevator1",
    "tool_call_sound_behavior": "always",
    "execution_mode": "async",
    "assignments": [{"source": "response", "dynamic_variable": "day", "value_path": "a.b"}],
}
LEXICON = Blob(
    "text/xml",
    "<lexicon><lexeme><grapheme>Zoë</grapheme><alias>Zo Ii</alias></lexeme></lexicon>".encode(),
    "Namen ä.pls",
)
RULES: list[JSON] = [
    {"type": "alias", "string_to_replace": "Zoë", "alias": "Zo Ii"},
    {"type": "phoneme", "string_to_replace": "Apple", "phoneme": "T AH", "alphabet": "cmu-arpabet"},
]
P, PD, PD_1 = "conversational_ai", "pronunciation_dictionaries", "pdict_1"
