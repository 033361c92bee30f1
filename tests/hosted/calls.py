"""One row a request: our operation, the SDK's method, and the arguments that both get."""

import base64
from dataclasses import dataclass, field, replace
from typing import Any

from callwright.contract import all_operations
from callwright.contract.operation import Blob, Operation

JSON = dict[str, Any]
OPERATIONS = {op.__name__: op for op in all_operations()}


@dataclass(frozen=True)
class Call:
    """`ours` are arguments that the SDK fills in by itself. `wrapped`: the SDK takes the body as one `request`."""

    name: str
    method: str
    arguments: JSON = field(default_factory=dict[str, Any])
    ours: JSON = field(default_factory=dict[str, Any])
    wrapped: bool = False
    label: str = ""

    @property
    def operation(self) -> type[Operation[Any]]:
        return OPERATIONS[self.name]

    def lean(self) -> "Call":
        """The same call with what it must have, and nothing else."""
        wire = {field.alias or name: field for name, field in self.operation.model_fields.items()}
        needed = {name: value for name, value in self.arguments.items() if wire[name].is_required()}
        return replace(self, arguments=needed, label=f"{self.name}, lean")

    def to_sdk(self) -> JSON:
        """The line that has the SDK make this call."""
        given = {name: _plain(value) for name, value in self.arguments.items()}
        if self.wrapped:
            places = self.operation.places()
            body = {name: value for name, value in given.items() if places[name] != "path"}
            given = {name: value for name, value in given.items() if name not in body} | {"request": body}
        return {"method": self.method, "arguments": given}


def _plain(value: Any) -> Any:
    if isinstance(value, Blob):
        return {"$file": [value.filename, base64.b64encode(value.data).decode(), value.media_type]}
    return value


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
CALLS = [
    Call("CreateAgent", f"{P}.agents.create", AGENT),
    Call("ListAgents", f"{P}.agents.list", {"page_size": 5, "archived": False, "search": "a & b=ü?", "sort_direction": "asc", "sort_by": "name", "cursor": "c+/="}),
    Call("GetAgent", f"{P}.agents.get", {"agent_id": A}),
    Call("UpdateAgent", f"{P}.agents.update", {"agent_id": A, **AGENT}),
    Call("UpdateAgent", f"{P}.agents.update", {"agent_id": A, "platform_settings": {"evaluation": {"criteria": [{"id": "calm", "name": "Calm", "conversation_goal_prompt": "Calm."}]}}}, label="UpdateAgent, criterion without type"),
    Call("DeleteAgent", f"{P}.agents.delete", {"agent_id": A}),
    Call("DuplicateAgent", f"{P}.agents.duplicate", {"agent_id": A, "name": "Bea é"}),
    Call("GetAgentLink", f"{P}.agents.link.get", {"agent_id": A}),
    Call("GetAgentKnowledgeSize", f"{P}.agents.knowledge_base.size", {"agent_id": A}),
    Call("SimulateConversation", f"{P}.agents.simulate_conversation", REHEARSAL),
    Call("StreamSimulation", f"{P}.agents.simulate_conversation_stream", REHEARSAL),
    Call("GetWidget", f"{P}.agents.widget.get", {"agent_id": A, "conversation_signature": "s/i+g"}),
    Call("UploadAvatar", f"{P}.agents.widget.avatar.create", {"agent_id": A, "avatar_file": PICTURE}),
    Call("ListConversations", f"{P}.conversations.list", {"cursor": "c", "agent_id": A, "call_successful": "failure", "call_start_before_unix": 1_800_000_000, "call_start_after_unix": 0, "user_id": "u 1", "page_size": 100, "summary_mode": "include", "search": "günstig"}),
    Call("GetConversation", f"{P}.conversations.get", {"conversation_id": "conv_1"}),
    Call("DeleteConversation", f"{P}.conversations.delete", {"conversation_id": "conv_1"}),
    Call("GetConversationAudio", f"{P}.conversations.audio.get", {"conversation_id": "conv_1"}),
    Call("SendFeedback", f"{P}.conversations.feedback.create", {"conversation_id": "conv_1", "feedback": "dislike"}),
    Call("GetSignedUrl", f"{P}.conversations.get_signed_url", {"agent_id": A, "include_conversation_id": True}),
    Call("GetSessionToken", f"{P}.conversations.get_webrtc_token", {"agent_id": A, "participant_name": "Zoë & Co"}),
    Call("CreateTool", f"{P}.tools.create", {"tool_config": WEBHOOK}, wrapped=True),
    Call("ListTools", f"{P}.tools.list"),
    Call("GetTool", f"{P}.tools.get", {"tool_id": T}),
    Call("UpdateTool", f"{P}.tools.update", {"tool_id": T, "tool_config": WEBHOOK}, wrapped=True),
    Call("DeleteTool", f"{P}.tools.delete", {"tool_id": T}),
    Call("ListToolDependents", f"{P}.tools.get_dependent_agents", {"tool_id": T, "cursor": "c", "page_size": 1}),
    Call("CreateTextDocument", f"{P}.knowledge_base.documents.create_from_text", {"text": "Ö\n\u2028\U0001f6b2", "name": "é"}),
    Call("CreateUrlDocument", f"{P}.knowledge_base.documents.create_from_url", {"url": "https://example.com/?a=1&b=ü#c", "name": "é"}),
    Call("CreateFileDocument", f"{P}.knowledge_base.documents.create_from_file", {"file": FILE, "name": "Zeiten é"}),
    Call("CreateDocument", f"{P}.add_to_knowledge_base", {"agent_id": A, "name": "Zeiten é", "url": "https://example.com/ü"}),
    Call("CreateDocument", f"{P}.add_to_knowledge_base", {"agent_id": A, "name": "Zeiten é", "file": FILE}),
    Call("ListDocuments", f"{P}.knowledge_base.list", {"page_size": 7, "search": "ä b", "show_only_owned_documents": True, "types": ["url", "text"], "sort_direction": "desc", "sort_by": "updated_at", "use_typesense": False, "cursor": "c"}),
    Call("GetDocument", f"{P}.knowledge_base.documents.get", {"documentation_id": D, "agent_id": A}),
    Call("UpdateDocument", f"{P}.knowledge_base.documents.update", {"documentation_id": D, "name": "Öffnung"}),
    Call("DeleteDocument", f"{P}.knowledge_base.documents.delete", {"documentation_id": D, "force": True}),
    Call("GetDocumentContent", f"{P}.knowledge_base.documents.get_content", {"documentation_id": D}),
    Call("GetChunk", f"{P}.knowledge_base.documents.chunk.get", {"documentation_id": D, "chunk_id": "chunk_1"}),
    Call("ListDocumentDependents", f"{P}.knowledge_base.documents.get_agents", {"documentation_id": D, "cursor": "c", "page_size": 2}),
    Call("ComputeRagIndex", f"{P}.knowledge_base.document.compute_rag_index", {"documentation_id": D, "model": "multilingual_e5_large_instruct"}),
    Call("GetRagIndexes", f"{P}.get_document_rag_indexes", {"documentation_id": D}),
    Call("DeleteRagIndex", f"{P}.delete_document_rag_index", {"documentation_id": D, "rag_index_id": "rag_1"}),
    Call("GetRagOverview", f"{P}.rag_index_overview"),
    Call("CreateAgentTest", f"{P}.tests.create", TEST),
    Call("ListAgentTests", f"{P}.tests.list", {"cursor": "c", "page_size": 3, "search": "ü"}),
    Call("GetAgentTest", f"{P}.tests.get", {"test_id": "t1"}),
    Call("UpdateAgentTest", f"{P}.tests.update", {"test_id": "t1", **TEST}),
    Call("DeleteAgentTest", f"{P}.tests.delete", {"test_id": "t1"}),
    Call("SummariseAgentTests", f"{P}.tests.summaries", {"test_ids": ["t1", "t2"]}),
    Call("RunAgentTests", f"{P}.agents.run_tests", {"agent_id": A, "tests": [{"test_id": "t1", "workflow_node_id": "n"}, {"test_id": "t2"}], "agent_config_override": OVERRIDE}),
    Call("ListInvocations", f"{P}.tests.invocations.list", {"agent_id": A, "page_size": 4, "cursor": "c"}),
    Call("GetInvocation", f"{P}.tests.invocations.get", {"test_invocation_id": "i1"}),
    Call("ResubmitInvocation", f"{P}.tests.invocations.resubmit", {"test_invocation_id": "i1", "test_run_ids": ["r1"], "agent_id": A, "agent_config_override": OVERRIDE}),
    Call("CreatePhoneNumber", f"{P}.phone_numbers.create", TWILIO, wrapped=True),
    Call("CreatePhoneNumber", f"{P}.phone_numbers.create", SIP, wrapped=True),
    Call("ListPhoneNumbers", f"{P}.phone_numbers.list"),
    Call("GetPhoneNumber", f"{P}.phone_numbers.get", {"phone_number_id": N}),
    Call("UpdatePhoneNumber", f"{P}.phone_numbers.update", {"phone_number_id": N, "agent_id": A, "inbound_trunk_config": INBOUND, "outbound_trunk_config": OUTBOUND, "livekit_stack": "static"}),
    Call("UpdatePhoneNumber", f"{P}.phone_numbers.update", {"phone_number_id": N, "agent_id": None, "outbound_trunk_config": {"address": "sip.example.com", "credentials": None}}, label="UpdatePhoneNumber, nobody answers"),
    Call("DeletePhoneNumber", f"{P}.phone_numbers.delete", {"phone_number_id": N}),
    Call("CallBySip", f"{P}.sip_trunk.outbound_call", DIAL),
    Call("CallByTwilio", f"{P}.twilio.outbound_call", DIAL),
    Call("SubmitBatchCall", f"{P}.batch_calls.create", {"call_name": "Rückruf", "agent_id": A, "recipients": [{"id": "r1", "phone_number": "+15550000001", "conversation_initiation_client_data": CLIENT_DATA}, {"phone_number": "+15550000002"}, {"whatsapp_user_id": "w"}], "scheduled_time_unix": 1_800_000_000, "agent_phone_number_id": N, "agent_whatsapp_business_account_id": "wa"}),
    Call("ListBatchCalls", f"{P}.batch_calls.list", {"limit": 10, "last_doc": "d+/="}),
    Call("GetBatchCall", f"{P}.batch_calls.get", {"batch_id": "b1"}),
    Call("CancelBatchCall", f"{P}.batch_calls.cancel", {"batch_id": "b1"}),
    Call("RetryBatchCall", f"{P}.batch_calls.retry", {"batch_id": "b1"}),
    Call("GetWorkspaceSettings", f"{P}.settings.get"),
    Call("UpdateWorkspaceSettings", f"{P}.settings.update", {"conversation_initiation_client_data_webhook": {"url": "https://crm.example.com/who", "request_headers": {"a": "ü", "b": {"secret_id": "s"}}}, "webhooks": {"post_call_webhook_id": "w1", "events": ["transcript", "audio"], "send_audio": False}, "can_use_mcp_servers": True, "rag_retention_period_days": 5, "default_livekit_stack": "standard"}),
    Call("GetDashboardSettings", f"{P}.dashboard.settings.get"),
    Call("UpdateDashboardSettings", f"{P}.dashboard.settings.update", {"charts": [{"name": "Erfolg", "type": "call_success"}, {"name": "Ruhe", "type": "criteria", "criteria_id": "calm"}, {"name": "Tag", "type": "data_collection", "data_collection_id": "day"}]}),
    Call("ListSecrets", f"{P}.secrets.list"),
    Call("CreateSecret", f"{P}.secrets.create", {"name": "CRM é", "value": "s3cr3t ü"}, ours={"type": "new"}),
    Call("UpdateSecret", f"{P}.secrets.update", {"secret_id": "sec_1", "name": "CRM é", "value": "s3cr3t ü"}, ours={"type": "update"}),
    Call("DeleteSecret", f"{P}.secrets.delete", {"secret_id": "sec_1"}),
    Call("CreateMcpServer", f"{P}.mcp_servers.create", {"config": {"name": "Kalender ü", "url": {"secret_id": "s"}, "transport": "STREAMABLE_HTTP", "approval_policy": "require_approval_per_tool", "tool_approval_hashes": [{"tool_name": "t", "tool_hash": "h", "approval_policy": "auto_approved"}], "secret_token": {"secret_id": "s"}, "request_headers": {"a": "b", "c": {"secret_id": "s"}}, "description": "d", "force_pre_tool_speech": True, "disable_interruptions": False}}),
    Call("ListMcpServers", f"{P}.mcp_servers.list"),
    Call("GetMcpServer", f"{P}.mcp_servers.get", {"mcp_server_id": M}),
    Call("UpdateMcpServer", f"{P}.mcp_servers.update", {"mcp_server_id": M, "approval_policy": "auto_approve_all", "request_headers": HEADERS, **{k: v for k, v in MCP_TOOL.items() if k != "assignments"}}),
    Call("DeleteMcpServer", f"{P}.mcp_servers.delete", {"mcp_server_id": M}),
    Call("UpdateMcpApprovalPolicy", f"{P}.mcp_servers.approval_policy.update", {"mcp_server_id": M, "approval_policy": "require_approval_all"}),
    Call("CreateMcpToolApproval", f"{P}.mcp_servers.tool_approvals.create", {"mcp_server_id": M, "tool_name": "a/b", "tool_description": "Bücht", "input_schema": {"type": "object", "properties": {"x": {"type": ["string", "null"]}}}, "approval_policy": "requires_approval"}),
    Call("DeleteMcpToolApproval", f"{P}.mcp_servers.tool_approvals.delete", {"mcp_server_id": M, "tool_name": "files.read-1"}),
    Call("ListMcpTools", f"{P}.mcp_servers.tools.list", {"mcp_server_id": M}),
    Call("CreateMcpToolConfig", f"{P}.mcp_servers.tool_configs.create", {"mcp_server_id": M, "tool_name": "files.read", **MCP_TOOL}),
    Call("GetMcpToolConfig", f"{P}.mcp_servers.tool_configs.get", {"mcp_server_id": M, "tool_name": "files.read"}),
    Call("UpdateMcpToolConfig", f"{P}.mcp_servers.tool_configs.update", {"mcp_server_id": M, "tool_name": "files.read", **MCP_TOOL}),
    Call("DeleteMcpToolConfig", f"{P}.mcp_servers.tool_configs.delete", {"mcp_server_id": M, "tool_name": "files.read"}),
    Call("CalculateLlmUsage", f"{P}.llm_usage.calculate", USAGE),
    Call("CalculateAgentLlmUsage", f"{P}.agents.llm_usage.calculate", {"agent_id": A, **USAGE}),
    Call("CreateDictionaryFromFile", f"{PD}.create_from_file", {"name": "Namen é", "file": LEXICON, "description": "für alle", "workspace_access": "viewer"}),
    Call("CreateDictionaryFromRules", f"{PD}.create_from_rules", {"name": "Namen é", "rules": RULES, "description": "für alle", "workspace_access": "editor"}),
    Call("ListDictionaries", f"{PD}.list", {"cursor": "c+/=", "page_size": 9, "sort": "name", "sort_direction": "ascending"}),
    Call("GetDictionary", f"{PD}.get", {"pronunciation_dictionary_id": PD_1}),
    Call("UpdateDictionary", f"{PD}.update", {"pronunciation_dictionary_id": PD_1, "archived": True, "name": "Leute ü"}),
    Call("AddDictionaryRules", f"{PD}.rules.add", {"pronunciation_dictionary_id": PD_1, "rules": RULES}),
    Call("RemoveDictionaryRules", f"{PD}.rules.remove", {"pronunciation_dictionary_id": PD_1, "rule_strings": ["Zoë", "UN"]}),
    Call("DownloadDictionary", f"{PD}.download", {"dictionary_id": PD_1, "version_id": "pver_1"}),
    Call("ListVoices", "voices.search", {"next_page_token": "n+/=", "page_size": 9, "search": "wärm & tief"}),
]  # fmt: skip
WITHOUT = {
    "GetAvatar": "the SDK reads pictures from the address in the widget's settings",
    "ListLlms": "newer than SDK 2.23.0",
    "SetDictionaryRules": "newer than SDK 2.23.0",
    "ListAuthConnections": "newer than SDK 2.23.0",
    "CreateAuthConnection": "newer than SDK 2.23.0",
    "UpdateAuthConnection": "newer than SDK 2.23.0",
    "DeleteAuthConnection": "newer than SDK 2.23.0",
}
"""Operations that SDK 2.23.0 has no method for."""
