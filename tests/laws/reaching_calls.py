"""Calls of tools that between them set every declared field of every request, and the fields that none can set."""

from typing import Any

from pydantic import SecretStr

Json = dict[str, Any]

PROBE = {"probe": 1}
"""A name that no document has. Where it arrives, the tool hands the whole document on, and so every field of it."""
A, D, M, N, R, T = "agent_1", "doc_1", "mcpsrv_1", "phnum_1", "tinv_1", "test_1"
PAGE: Json = {"page_size": 5, "cursor": "c"}
AGENT: Json = {"conversation_config": PROBE, "platform_settings": PROBE, "workflow": PROBE}
VARIABLES: Json = {"name": "Zoe"}
CALLING: Json = {"agent_id": A, "to_number": "+15551234567", "config": PROBE}
CRITERION: Json = PROBE | {"id": "polite", "name": "Polite", "conversation_goal_prompt": "is polite"}
REHEARSING: Json = {
    "agent_id": A,
    "caller": "Hello",
    "max_turns": 5,
    "config": {"simulation_specification": PROBE, "extra_evaluation_criteria": [CRITERION]},
}
FROM: Json = PROBE | {"conversation_id": "conv_1", "agent_id": A}
TURNS: Json = {"chat_history": [PROBE | {"role": "user", "time_in_call_secs": 0}]}
EXAMPLES: Json = {
    "success_examples": [PROBE | {"response": "Hello!", "type": "success"}],
    "failure_examples": [PROBE | {"response": "What?", "type": "failure"}],
}
TESTING: Json = {
    "name": "Polite",
    "condition": "is polite",
    "variables": VARIABLES,
    "config": {"from_conversation_metadata": FROM} | TURNS | EXAMPLES,
}
REGION: Json = PROBE | {"region_id": "ie1", "token": "hush", "edge_location": "dublin"}
SIP: Json = {"sip_outbound": PROBE | {"address": "sip.example.com"}, "sip_inbound": PROBE}
MOST_OF_A_SERVER: Json = {
    "mcp_server_id": M,
    "token_secret_id": "secret_1",
    "headers": {"a": "b"},
}
PLS = (
    "<lexicon><lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme>"
    "<lexeme><grapheme>Apple</grapheme><phoneme>æpl</phoneme></lexeme></lexicon>"
)
CONFIGURING: Json = {"mcp_server_id": M, "tool_name": "find"}

CALLS: list[tuple[str, Json]] = [
    ("list_agents", PAGE | {"search": "a", "sort_by": "-name"}),
    ("create_agent", {"name": "Ada", "prompt": "p", "tags": ["a"], "config": AGENT}),
    ("update_agent", {"agent_id": A, "name": "Ada", "tags": ["a"], "config": AGENT}),
    ("duplicate_agent", {"agent_id": A, "name": "Bob"}),
    ("simulate_conversation", REHEARSING),
    ("list_conversations", PAGE | {
        "agent_id": A, "result": "success", "started_after": 1, "started_before": 2, "user_id": "u", "search": "a",
        "include_simulated": True, "with_summary": True,
    }),
    ("send_feedback", {"conversation_id": "conv_1", "feedback": "like"}),
    ("get_signed_url", {"agent_id": A, "single_use": True}),
    ("get_session_token", {"agent_id": A, "participant_name": "Zoe"}),
    ("create_text_document", {"text": "x", "name": "n"}),
    ("create_url_document", {"url": "https://a.example/x", "name": "n"}),
    ("create_file_document", {"path": "a.txt", "name": "n"}),
    ("upload_avatar", {"agent_id": A, "path": "a.txt"}),
    ("list_documents", PAGE | {"search": "a", "type": "url", "own_only": True, "sort_by": "-size"}),
    ("update_document", {"document_id": D, "name": "n"}),
    ("delete_document", {"document_id": D, "force": True}),
    ("list_document_agents", PAGE | {"document_id": D}),
    ("create_rag_index", {"document_id": D, "model": "e5_mistral_7b_instruct"}),
    ("create_tool", {"name": "crm", "kind": "client", "description": "d", "config": PROBE}),
    ("update_tool", {"tool_id": "tool_1", "config": PROBE}),
    ("list_tool_agents", PAGE | {"tool_id": "tool_1"}),
    ("create_agent_test", TESTING),
    ("create_agent_test", {"name": "n", "config": TURNS | {"type": "tool", "tool_call_parameters": PROBE}}),
    ("update_agent_test", TESTING | {"test_id": T}),
    ("update_agent_test", {"test_id": T, "config": {"type": "tool", "tool_call_parameters": PROBE}}),
    ("list_agent_tests", PAGE | {"search": "a"}),
    ("get_agent_test_summaries", {"test_ids": [T]}),
    ("run_agent_tests", {"agent_id": A, "override": AGENT | PROBE}),
    ("list_test_invocations", PAGE | {"agent_id": A}),
    ("resubmit_test_invocation", {"invocation_id": R, "run_ids": ["trun_1"], "override": AGENT | PROBE}),
    ("import_phone_number", {
        "phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1", "twilio_token": SecretStr("hush"),
        "config": {"supports_inbound": True, "supports_outbound": True, "region_config": REGION},
    }),
    ("import_phone_number", {"phone_number": "+15551234567", "label": "Desk", **SIP}),
    ("update_phone_number", {"phone_number_id": N, "agent_id": A, "livekit_stack": "static", **SIP}),
    ("place_call", CALLING | {"phone_number_id": "phnum_twilio"}),
    ("place_call", CALLING | {"phone_number_id": "phnum_sip_trunk"}),
    ("submit_batch_call", {
        "name": "n", "agent_id": A, "phone_number_id": N, "scheduled_unix_secs": 1,
        "recipients": [{
            "id": "r1", "phone_number": "+15551234567", "conversation_initiation_client_data": PROBE,
        }],
    }),
    ("list_batch_calls", PAGE),
    ("create_secret", {"name": "n", "value": SecretStr("hush")}),
    ("update_secret", {"secret_id": "secret_1", "name": "n", "value": SecretStr("hush")}),
    ("create_auth_connection", {"name": "n", "login": {
        "auth_type": "oauth2_client_credentials", "provider": "p", "client_id": "c", "token_url": "https://a.example",
        "scopes": ["s"], "extra_params": {"a": "b"}, "basic_auth_in_header": True, "custom_headers": {"x-a": "b"},
    }}),
    ("create_auth_connection", {"name": "n", "login": {"auth_type": "basic_auth", "username": "u"}}),
    ("create_auth_connection", {"name": "n", "login": {"auth_type": "custom_header_auth", "header_name": "x-key"}}),
    ("update_workspace_settings", {"config": {
        "conversation_initiation_client_data_webhook": PROBE | {"url": "https://a.example", "request_headers": {}}, "webhooks": PROBE, "can_use_mcp_servers": True,
        "rag_retention_period_days": 5, "default_livekit_stack": "static",
    }}),
    ("update_dashboard_settings", {"charts": [PROBE | {"type": "call_success", "name": "n"}]}),
    ("create_mcp_server", {"name": "n", "config": {"url": {"secret_id": "secret_1"}}}),
    ("create_mcp_server", {"name": "n", "url": "https://mcp.example.com", "config": PROBE}),
    ("create_mcp_tool_approval", CONFIGURING | {"policy": "auto_approved"}),
    ("update_mcp_approval_policy", {"mcp_server_id": M, "approval_policy": "auto_approve_all"}),
    ("calculate_llm_usage", {"prompt_length": 1, "number_of_pages": 1, "rag_enabled": True}),
    ("calculate_llm_usage", {"agent_id": A, "prompt_length": 1, "number_of_pages": 1, "rag_enabled": True}),
    ("list_voices", PAGE | {"search": "warm"}),
    ("add_pronunciation_dictionary", {"name": "Names", "pls": PLS}),
    ("add_pronunciation_dictionary", {"dictionary_id": "pdict_1", "pls": PLS}),
    ("list_pronunciation_dictionaries", PAGE),
]  # fmt: skip
"""What a document `config` alone carries (an MCP server's settings, a tool's) follows from the request's own fields."""

WHOLE_CONFIG = {
    "update_mcp_server": ("UpdateMcpServer", {"mcp_server_id": M}),
    "create_mcp_tool_config": ("CreateMcpToolConfig", CONFIGURING),
    "update_mcp_tool_config": ("UpdateMcpToolConfig", CONFIGURING),
}
"""Tools whose `config` takes each field of the request by its own name, and no other: asked with one at a time."""

ACCESS = {"is_creator": True, "creator_name": "n", "creator_email": "e", "role": "admin"}
ANSWERS: dict[str, Json] = {
    "GetAgent": {
        "agent_id": A,
        "name": "Ada",
        "conversation_config": {},
        "metadata": {"created_at_unix_secs": 1, "updated_at_unix_secs": 1},
        "platform_settings": {"testing": {"attached_tests": [{"test_id": T, "workflow_node_id": "n1"}]}},
    },
    "GetTool": {
        "id": "tool_1",
        "tool_config": {"type": "client", "name": "crm", "description": "d"},
        "access_info": ACCESS,
        "usage_stats": {"avg_latency_secs": 1},
    },
    "GetDocument": {
        "type": "text",
        "id": D,
        "name": "n",
        "metadata": {"created_at_unix_secs": 1, "last_updated_at_unix_secs": 1, "size_bytes": 1},
        "supported_usages": [],
        "access_info": ACCESS,
        "extracted_inner_html": "",
    },
    "GetAgentTest": {
        "id": T,
        "name": "n",
        "chat_history": [],
        "success_condition": "",
        "success_examples": [],
        "failure_examples": [],
    },
    "GetInvocation": {
        "id": R,
        "agent_id": A,
        "test_runs": [
            {"test_run_id": "trun_1", "test_id": T, "test_invocation_id": R, "agent_id": A, "status": "failed"}
        ],
    },
    "ListMcpTools": {
        "success": True,
        "tools": [{"name": "find", "description": "d", "inputSchema": {"type": "object"}}],
    },
    "GetPhoneNumber": {
        "phone_number_id": N,
        "phone_number": "+15551234567",
        "label": "Desk",
        "supports_inbound": True,
        "supports_outbound": True,
        "livekit_stack": "standard",
    },
}
"""What the platform answers to reads on which a call depends. A number's provider stands in the id that is asked for."""

_WHATSAPP = "no operation connects a WhatsApp account, so there is none to write from"
_KEYS = "of kinds that this platform does not have: whoever has the other one makes them on its pages"
_MATCHING = "dictionary files cannot say it: a new word is matched as a whole, in its very case"
UNREACHED: dict[tuple[str, str], str] = {
    ("GetDocument", "agent_id"): "for a key that may see the agent and not the document; this server has one key",
    ("GetWidget", "conversation_signature"): "what a visitor's browser shows instead of a key; this server has the key",
    ("ListAgents", "archived"): "list_agents marks those that are archived",
    ("ListDocuments", "use_typesense"): "chooses the hosted platform's search engine, not what is found",
    ("CreateDictionaryFromRules", "description"): "only those see it who open the dictionary on the platform's pages",
    ("CreateDictionaryFromRules", "workspace_access"): "sharing is the platform's own matter",
    ("ListDictionaries", "include_archived"): "archived ones were put out of sight",
    ("ListDictionaries", "sort"): "the newest first is what is asked for",
    ("ListDictionaries", "sort_direction"): "the same",
    **{
        (name, f"rules.*<{kind}>.{field}"): _MATCHING
        for name in ("CreateDictionaryFromRules", "SetDictionaryRules")
        for kind in ("AliasRule", "PhonemeRule")
        for field in ("case_sensitive", "word_boundaries")
    },
    **{("CreateAuthConnection", field): _KEYS for field in ("secret_key", "client_key", "key_passphrase")},
    ("SubmitBatchCall", "agent_whatsapp_business_account_id"): _WHATSAPP,
    ("SubmitBatchCall", "recipients.*.whatsapp_user_id"): _WHATSAPP,
}
"""Fields that no tool sets, and why."""
