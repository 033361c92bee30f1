"""Default values of a new agent, the only table of them. The answer to a create shows them.

Values that the platform's guide names (language, English-only speech model, 730 days, nothing open to overrides) are
taken from it. The others are choices of this project, because the API's description gives no defaults.
"""

from typing import Any

from ...contract.common import AccessInfo

NAME = "New agent"
FIRST_MESSAGE = "Hello! How can I help you today?"

CONVERSATION_CONFIG: dict[str, Any] = {
    "asr": {"quality": "high", "provider": "elevenlabs", "user_input_audio_format": "pcm_16000", "keywords": []},
    "turn": {"turn_timeout": 7.0, "silence_end_call_timeout": -1.0, "mode": "turn"},
    "tts": {
        "model_id": "eleven_flash_v2",
        "voice_id": "cjVigY5qzO86Huf0OWal",
        "supported_voices": [],
        "agent_output_audio_format": "pcm_16000",
        "optimize_streaming_latency": 3,
        "stability": 0.5,
        "speed": 1.0,
        "similarity_boost": 0.8,
        "pronunciation_dictionary_locators": [],
    },
    "conversation": {
        "text_only": False,
        "max_duration_seconds": 600,
        "client_events": ["audio", "interruption", "user_transcript", "agent_response", "agent_response_correction"],
    },
    "language_presets": {},
    "vad": {"background_voice_detection": False},
    "agent": {
        "first_message": FIRST_MESSAGE,
        "language": "en",
        "dynamic_variables": {"dynamic_variable_placeholders": {}},
        "disable_first_message_interruptions": False,
        "prompt": {
            "prompt": "",
            "llm": "gemini-2.0-flash",
            "temperature": 0.0,
            "max_tokens": -1,
            "tool_ids": [],
            "built_in_tools": {},
            "mcp_server_ids": [],
            "native_mcp_server_ids": [],
            "knowledge_base": [],
            "ignore_default_personality": False,
            "rag": {
                "enabled": False,
                "embedding_model": "e5_mistral_7b_instruct",
                "max_vector_distance": 0.6,
                "max_documents_length": 50_000,
                "max_retrieved_rag_chunks_count": 20,
            },
            "tools": [],
        },
    },
}

PLATFORM_SETTINGS: dict[str, Any] = {
    "auth": {"enable_auth": False, "allowlist": []},
    "evaluation": {"criteria": []},
    "widget": {
        "variant": "full",
        "placement": "bottom-right",
        "expandable": "never",
        "avatar": {"type": "orb", "color_1": "#6DB035", "color_2": "#F5CABB"},
        "feedback_mode": "none",
        "bg_color": "#ffffff",
        "text_color": "#000000",
        "btn_color": "#000000",
        "btn_text_color": "#ffffff",
        "border_color": "#e1e1e1",
        "focus_color": "#000000",
        "shareable_page_show_terms": True,
        "show_avatar_when_collapsed": False,
        "disable_banner": False,
        "mic_muting_enabled": False,
        "transcript_enabled": False,
        "text_input_enabled": True,
        "default_expanded": False,
        "always_expanded": False,
        "language_selector": False,
        "supports_text_only": True,
        "text_contents": {},
        "styles": {},
        "language_presets": {},
    },
    "data_collection": {},
    "overrides": {
        "conversation_config_override": {
            "tts": {"voice_id": False, "stability": False, "speed": False, "similarity_boost": False},
            "conversation": {"text_only": False},
            "agent": {
                "first_message": False,
                "language": False,
                "prompt": {"prompt": False, "native_mcp_server_ids": False},
            },
        },
        "custom_llm_extra_body": False,
        "enable_conversation_initiation_client_data_from_webhook": False,
    },
    "call_limits": {"agent_concurrency_limit": -1, "daily_limit": 100_000, "bursting_enabled": True},
    "privacy": {
        "record_voice": True,
        "retention_days": 730,
        "delete_transcript_and_pii": False,
        "delete_audio": False,
        "apply_to_existing_conversations": False,
        "zero_retention_mode": False,
    },
    "workspace_overrides": {"webhooks": {"events": []}},
    "testing": {"attached_tests": []},
    "archived": False,
    "safety": {"is_blocked_ivc": False, "is_blocked_non_ivc": False, "ignore_safety_evaluation": False},
}

WORKFLOW: dict[str, Any] = {"nodes": {}, "edges": {}, "prevent_subagent_loops": False}
"""Defaults of a workflow, for agents that have one. The newest clients cannot read a workflow, node or edge without
these fields, EDGE and NODE included."""

EDGE: dict[str, Any] = {"reroutes": []}

NODE: dict[str, Any] = {"position": {"x": 0.0, "y": 0.0}, "edge_order": []}
"""Defaults of a node of every kind. The further defaults of each kind are in `workflow/node_kinds.py`."""

_TOOL: dict[str, Any] = {
    "response_timeout_secs": 20,
    "disable_interruptions": False,
    "force_pre_tool_speech": False,
    "assignments": [],
    "tool_call_sound": None,
    "tool_call_sound_behavior": "auto",
}
_OUTER_TOOL: dict[str, Any] = _TOOL | {
    "dynamic_variables": {"dynamic_variable_placeholders": {}},
    "execution_mode": "immediate",
}
TOOLS: dict[str, dict[str, Any]] = {
    "webhook": _OUTER_TOOL
    | {
        "api_schema": {
            "method": "GET",
            "path_params_schema": {},
            "query_params_schema": None,
            "request_body_schema": None,
            "request_headers": {},
            "auth_connection": None,
        }
    },
    "client": _OUTER_TOOL | {"parameters": None, "expects_response": False},
    "system": _TOOL | {"description": ""},
}
"""Further defaults of a stored tool, by its type."""

AGENT: dict[str, Any] = {
    "conversation_config": CONVERSATION_CONFIG,
    "platform_settings": PLATFORM_SETTINGS,
    "tags": [],
}

WORKSPACE: dict[str, Any] = {
    "conversation_initiation_client_data_webhook": None,
    "webhooks": {"post_call_webhook_id": None, "events": [], "send_audio": False},
    "can_use_mcp_servers": True,
    "rag_retention_period_days": 10,
    "default_livekit_stack": "standard",
}

DASHBOARD: dict[str, Any] = {"charts": [{"type": "call_success", "name": "Successful calls"}]}


OWNER = AccessInfo(is_creator=True, creator_name="You", creator_email="", role="admin")
