"""What the embedded platform refuses, as the platform's own Python SDK sees it: status, shape and words."""

from collections import defaultdict
from typing import Any

from inline_snapshot import snapshot

from callwright.contract import all_operations

from .conftest import Line, Sweep
from .operations import OWN, named, operation_of


def said(line: Line) -> str:
    """`404 not_found: words`, or `422 place: words (type)` for each problem. Nothing else is in the body."""
    body: dict[str, Any] = line["body"]
    assert body.keys() == {"detail"}, line
    detail: Any = body["detail"]
    if line["status"] != 422:
        assert detail.keys() == {"status", "message"}, line
        return f"{line['status']} {detail['status']}: {detail['message']}"
    for problem in detail:
        assert problem.keys() == {"loc", "msg", "type"}, line
    problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']} ({each['type']})" for each in detail]
    return f"422 {' | '.join(problems)}"


def test_what_is_refused_says_why_in_the_shape_that_the_platform_has(sweep: Sweep) -> None:
    calls_by_words: dict[str, list[str]] = defaultdict(list)
    for line in sweep.refusals:
        calls_by_words[said(line)].append(line["call"])
    assert {words: ", ".join(calls) for words, calls in calls_by_words.items()} == snapshot(
        {
            "422 body.conversation_initiation_client_data_webhook.url: 169.254.169.254 leads to a cloud's metadata service, which is never called. (url_not_allowed)": "settings.update",
            "422 body.rag_retention_period_days: Input should be a valid integer, unable to parse string as an integer (int_parsing)": "settings.update",
            "422 body.charts.0.criteria_id: Field required (missing)": "dashboard.settings.update",
            "400 secret_in_use: Secret 'CRM 2' is used by workspace 'settings' (settings). Take it out there first.": "secrets.delete",
            "400 bad_request: A secret named 'CRM 2' exists (secret_…). Update it, or choose another name.": "secrets.create",
            "422 body.value: Input should be a valid string (string_type)": "secrets.create",
            "422 body.prompt_length: Input should be greater than or equal to 0 (greater_than_equal)": "llm_usage.calculate, agents.llm_usage.calculate",
            "400 bad_request: This next_page_token belongs to another list. Leave it out to begin with the first page.": "voices.search",
            "401 unauthorized: The header xi-api-key is missing or wrong.": "agents.list",
            "404 not_found: Document 'doc_…' has no passage 'chunk_no'. Passages come with an index.": "knowledge_base.documents.chunk.get",
            "404 not_found: Document 'doc_…' has no index 'ragindex_no'.": "delete_document_rag_index",
            "422 body.model: Input should be a valid string (string_type)": "knowledge_base.document.compute_rag_index",
            "400 bad_request: 169.254.169.254 leads to a cloud's metadata service, which is never called.": "knowledge_base.documents.create_from_url",
            "400 bad_request: 10.0.0.1 leads into a private network or to this machine. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE.": "knowledge_base.documents.create_from_url",
            "400 bad_request: An address must be https, except on hosts that CALLWRIGHT_ALLOW_PRIVATE names.": "knowledge_base.documents.create_from_url",
            "400 bad_request: An address starts with https:// and a host.": "knowledge_base.documents.create_from_url",
            "400 bad_request: The page answers 404.": "knowledge_base.documents.create_from_url",
            "400 bad_request: The page sends its readers on to https://elsewhere.example.com/. Give that address, if it is the one you mean.": "knowledge_base.documents.create_from_url",
            "400 bad_request: wiki.internal is a name of this machine or of a private network. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE.": "add_to_knowledge_base",
            "422 body: Value error, give either a url or a file (value_error)": "add_to_knowledge_base",
            "400 bad_request: This kind of file (PDF) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first.": "knowledge_base.documents.create_from_file",
            "400 bad_request: There is no text in it. (Pages that a script fills show none either.)": "knowledge_base.documents.create_from_file",
            "422 body.text: Input should be a valid string (string_type)": "knowledge_base.documents.create_from_text",
            "422 query.page_size: Input should be less than or equal to 100 (less_than_equal)": "knowledge_base.list",
            "400 bad_request: This cursor belongs to another list. Leave it out to begin with the first page.": "knowledge_base.list, agents.list, pronunciation_dictionaries.list, conversations.list, tests.list, batch_calls.list",
            "422 body.name: Input should be a valid string (string_type)": "knowledge_base.documents.update",
            "400 document_in_use: Document 'Hours' is used by 'Ada' (agent_…). Take it out there first, or delete it with force=true.": "knowledge_base.documents.delete",
            "400 secret_in_use: Secret 'CRM' is used by tool 'look_up' (tool_…). Take it out there first.": "secrets.delete",
            "400 tool_in_use: Tool 'look_up' is used by 'Ada' (agent_…). Take it out there first.": "tools.delete",
            "422 body.tool_config.api_schema.url: 169.254.169.254 leads to a cloud's metadata service, which is never called. (url_not_allowed)": "tools.create",
            "422 body.tool_config.api_schema.url: An address must be https, except on hosts that CALLWRIGHT_ALLOW_PRIVATE names. (url_not_allowed)": "tools.create",
            "422 body.tool_config.name: A tool's name has 1 to 64 letters, digits, _ and -, as models demand (string_pattern_mismatch)": "tools.create",
            "422 body.tool_config.api_schema.request_headers.A.secret_id: There is no secret 'secret_no'. (unknown_reference)": "tools.create",
            "422 body.tool_config.params.transfers: Input should be a valid list (list_type)": "tools.create",
            "422 body.tool_config.name: Field required (missing) | body.tool_config.description: Field required (missing) | body.tool_config.api_schema: Field required (missing)": "tools.create",
            "422 body.conversation_config.turn.turn_timeout: Input should be less than or equal to 30 (less_than_equal) | body.conversation_config.tts.speed: Input should be less than or equal to 1.2 (less_than_equal)": "agents.update",
            "422 body.conversation_config.tts.supported_voices: Value error, at most 9 voices besides the agent's own (value_error)": "agents.update",
            "422 body.conversation_config.agent.prompt.llm: Input should be a valid string (string_type)": "agents.update",
            "422 body.conversation_config.agent.prompt.knowledge_base.0: There is no document 'doc_no'. (unknown_reference)": "agents.update",
            "422 body.conversation_config.agent.prompt.tool_ids.0: There is no tool 'tool_no'. (unknown_reference)": "agents.update",
            "422 body.platform_settings.auth.allowlist: Value error, at most 10 host names (value_error)": "agents.update",
            "400 bad_request: Zero retention allows only models that keep nothing, and 'gpt-4o' is none of them.": "agents.update",
            "422 body.workflow.edges.e.target: There is no node 'nowhere'. (unknown_node)": "agents.update",
            "422 body.conversation_config: Input should be a valid dictionary or instance of ConversationConfig (model_type)": "agents.create",
            "422 query.page_size: Input should be greater than or equal to 1 (greater_than_equal)": "agents.list",
            "400 agent_in_use: Agent 'Bills' is handed callers by 'Bea' (agent_…). Take that transfer out first.": "agents.delete",
            "400 test_in_use: Test 'Hours' is attached to 'Bea' (agent_…). Detach it there first.": "tests.delete",
            "422 body.conversation_config.tts.pronunciation_dictionary_locators.0.version_id: Pronunciation dictionary 'pdict_…' has no version 'pver_no'. (unknown_reference)": "agents.create",
            "400 bad_request: A dictionary must not declare a document type or entities. Take the DOCTYPE out.": "pronunciation_dictionaries.create_from_file",
            "400 bad_request: This is no XML: no element found: line 1, column 9.": "pronunciation_dictionaries.create_from_file",
            "400 bad_request: The outermost element is <speak>; a dictionary's is <lexicon>.": "pronunciation_dictionaries.create_from_file",
            "400 bad_request: The dictionary has 1,000,001 bytes; at most 1,000,000 are read.": "pronunciation_dictionaries.create_from_file",
            "422 body.rules.0.alphabet: Must be one of ipa, cmu, cmu-arpabet, x-cmu. (literal_error)": "pronunciation_dictionaries.create_from_rules",
            "422 body.rule_strings.0: No rule replaces this. (unknown_rule)": "pronunciation_dictionaries.rules.remove",
            "422 body.avatar_file: The picture must be a PNG, JPEG, WebP or GIF. (image_type)": "agents.widget.avatar.create",
            "422 body.avatar_file: The picture has 2,097,153 bytes; at most 2,097,152 are taken. (too_long)": "agents.widget.avatar.create",
            "401 unauthorized: This agent demands authentication: give the conversation_signature of a signed URL.": "agents.widget.get",
            "403 forbidden: This token does not open this agent. Ask for a new signed URL, token or link.": "agents.widget.get",
            "403 forbidden: This agent is open to certain pages only, and this one is not among them.": "agents.widget.get",
            "422 body.simulation_specification.simulated_user_config.prompt.temperature: Input should be a valid number, unable to parse string as a number (float_parsing)": "agents.simulate_conversation, agents.simulate_conversation_stream",
            "422 body.new_turns_limit: Input should be greater than or equal to 1 (greater_than_equal)": "agents.simulate_conversation, agents.simulate_conversation_stream",
            "404 not_found: Conversation 'conv_…' has no recording: it was a rehearsal, which is held in text. Read its transcript.": "conversations.audio.get",
            "422 body.feedback: Input should be 'like' or 'dislike' (literal_error)": "conversations.feedback.create",
            "422 query.call_successful: Input should be 'success', 'failure' or 'unknown' (literal_error)": "conversations.list",
            "404 not_found: No agent 'agent_no'. GET /v1/convai/agents lists them.": "conversations.get_signed_url, conversations.get_webrtc_token, sip_trunk.outbound_call, twilio.outbound_call, agents.get, agents.update, agents.delete, agents.duplicate, agents.link.get, agents.knowledge_base.size, agents.llm_usage.calculate, agents.simulate_conversation, agents.simulate_conversation_stream, agents.run_tests, agents.widget.get, agents.widget.avatar.create",
            "422 body.tests: 1 to 100 tests are run together, not 0. (value_error)": "agents.run_tests",
            "422 body.tests.0.test_id: There is no test 'test_no'. (value_error) | body.tests.1.workflow_node_id: The workflow has no node 'n'. (value_error)": "agents.run_tests",
            "422 body.test_run_ids: This invocation has no run 'trun_no'. (value_error)": "tests.invocations.resubmit",
            "400 bad_request: Invocation 'tinv_…' is of the agent 'agent_…', not of 'agent_…'.": "tests.invocations.resubmit",
            "422 body.chat_history: Input should be a valid list (list_type) | body.success_condition: Input should be a valid string (string_type)": "tests.create",
            "422 body.tool_call_parameters: A test of the type tool says which tool must be called. (value_error)": "tests.create",
            "422 body.test_ids: Input should be a valid list (list_type)": "tests.summaries",
            "400 bad_request: +15551234567 is imported already, as phnum_…. Update that one, or delete it first.": "phone_numbers.create",
            "422 body.phone_number: Value error, must be a phone number with its country code, as in +15551234567 (value_error) | body.token: Leave the field out instead of sending null (null_not_allowed)": "phone_numbers.create",
            "422 body.outbound_trunk_config.address: Value error, must be a host name or an IP address, without sip: or a user before it (value_error) | body.outbound_trunk_config.transport: Value error, UDP is not available for trunks; use tcp or tls (value_error)": "phone_numbers.create",
            "400 bad_request: outbound_trunk_config is for SIP trunk numbers; +15551234567 is a Twilio number.": "phone_numbers.update",
            "400 bad_request: No agent 'agent_no' to answer this number. GET /v1/convai/agents lists them.": "phone_numbers.update",
            "400 bad_request: +15551234567 is a twilio number: call with POST /v1/convai/twilio/outbound-call instead.": "sip_trunk.outbound_call",
            "422 body.to_number: Value error, must be a phone number with its country code, as in +15551234567 (value_error)": "sip_trunk.outbound_call, twilio.outbound_call",
            "404 not_found: No phone number 'phnum_no'. GET /v1/convai/phone-numbers lists them.": "sip_trunk.outbound_call, twilio.outbound_call, phone_numbers.get, phone_numbers.update, phone_numbers.delete",
            "422 body.conversation_initiation_client_data.dynamic_variables.name: The agent's texts use it, and it has no value. (missing)": "sip_trunk.outbound_call, twilio.outbound_call",
            "422 body.conversation_initiation_client_data.conversation_config_override.agent.first_message: This agent does not let whoever starts a call set first_message; open it in platform_settings.overrides. (override_not_allowed)": "sip_trunk.outbound_call, twilio.outbound_call",
            "400 bad_request: +442071838750 is a sip_trunk number: call with POST /v1/convai/sip-trunk/outbound-call instead.": "twilio.outbound_call",
            "400 bad_request: Nobody to call again: everybody in batch 'Reminders' was reached, or still will be.": "batch_calls.retry",
            "400 bad_request: +442071838751 has no outbound trunk: set outbound_trunk_config on it first.": "sip_trunk.outbound_call",
            "422 body.recipients: Value error, must name at least one recipient (value_error)": "batch_calls.create",
            "422 body.recipients.1.phone_number: Value error, must be a phone number with its country code, as in +15551234567 (value_error)": "batch_calls.create",
            "422 body.recipients.0.conversation_initiation_client_data.dynamic_variables.name: Row 1: The agent's texts use it, and it has no value. (missing)": "batch_calls.create",
            "400 bad_request: Give agent_phone_number_id: this platform calls by telephone only, not by WhatsApp.": "batch_calls.create",
            "422 body.scheduled_time_unix: More than a year ahead; the time is in seconds since 1970, not in milliseconds. (too_late)": "batch_calls.create",
            "400 bad_request: Agent 'Ada' is archived and calls nobody. Set archived to false first.": "batch_calls.create, twilio.outbound_call",
            "404 not_found: Nothing was decided about a tool 'free_slots' of this server.": "mcp_servers.tool_approvals.delete",
            "400 bad_request: The tool 'book' is configured already. PATCH its configuration, or delete it.": "mcp_servers.tool_configs.create",
            "400 bad_request: This platform has one environment, production; there is no 'staging'.": "mcp_servers.tool_configs.update",
            "422 body.execution_mode: Input should be a valid string (string_type)": "mcp_servers.tool_configs.update",
            "404 not_found: The tool 'book' has no configuration of its own; it is called as the server's settings say.": "mcp_servers.tool_configs.get",
            "422 body.config.url: 169.254.169.254 leads to a cloud's metadata service, which is never called. (url_not_allowed)": "mcp_servers.create",
            "422 body.config.url: mcp.internal is a name of this machine or of a private network. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE. (url_not_allowed)": "mcp_servers.create",
            "422 body.config.secret_token.secret_id: There is no secret 'secret_no'. (value_error)": "mcp_servers.create",
            "422 body.config.url: Field required (missing)": "mcp_servers.create",
            '422 body.request_headers.X-Team: Must be a text, {"secret_id": "..."}, {"variable_name": "..."} or {"env_var_label": "..."} (union)': "mcp_servers.update",
            "422 body.approval_policy: Input should be a valid string (string_type)": "mcp_servers.approval_policy.update",
            "400 mcp_server_in_use: MCP server 'Calendar' is used by 'Ada' (agent_…). Take it out there first.": "mcp_servers.delete",
            "400 bad_request: Zero retention allows no MCP servers: what they are sent, they may keep.": "agents.create",
            "404 not_found: No document 'doc_no'. GET /v1/convai/knowledge-base lists them.": "knowledge_base.documents.get, knowledge_base.documents.get_content, knowledge_base.documents.get_agents, knowledge_base.documents.update, knowledge_base.documents.delete, knowledge_base.document.compute_rag_index, get_document_rag_indexes, knowledge_base.documents.chunk.get, delete_document_rag_index",
            "404 not_found: No MCP server 'mcpsrv_no'. GET /v1/convai/mcp-servers lists them.": "mcp_servers.get, mcp_servers.update, mcp_servers.delete, mcp_servers.approval_policy.update, mcp_servers.tool_approvals.create, mcp_servers.tool_configs.create, mcp_servers.tools.list, mcp_servers.tool_approvals.delete, mcp_servers.tool_configs.get, mcp_servers.tool_configs.update, mcp_servers.tool_configs.delete",
            "404 not_found: No conversation 'conv_no'. GET /v1/convai/conversations lists them.": "conversations.get, conversations.delete, conversations.audio.get, conversations.feedback.create",
            "404 not_found: No tool 'tool_no'. GET /v1/convai/tools lists them.": "tools.get, tools.update, tools.delete, tools.get_dependent_agents",
            "404 not_found: No test 'test_no'. GET /v1/convai/agent-testing lists them.": "tests.get, tests.update, tests.delete",
            "404 not_found: No test invocation 'tinv_no'. GET /v1/convai/test-invocations lists an agent's.": "tests.invocations.get, tests.invocations.resubmit",
            "404 not_found: No batch 'btcal_no'. GET /v1/convai/batch-calling/workspace lists them.": "batch_calls.get, batch_calls.cancel, batch_calls.retry",
            "404 not_found: No secret 'secret_no'. GET /v1/convai/secrets lists them.": "secrets.update, secrets.delete",
            "404 not_found: No pronunciation dictionary 'pdict_no'. GET /v1/pronunciation-dictionaries?include_archived=true lists them.": "pronunciation_dictionaries.get, pronunciation_dictionaries.update, pronunciation_dictionaries.rules.add, pronunciation_dictionaries.rules.remove, pronunciation_dictionaries.download",
        }
    )


def test_whatever_a_path_names_and_nobody_has_is_not_found(sweep: Sweep) -> None:
    missed = {operation_of(line["method"], line["path"]) for line in sweep.refusals if line["status"] == 404}
    with_ids = {named(op) for op in all_operations() if "{" in op.path and not op.path.startswith(OWN)}
    assert with_ids - missed == {
        "GET /v1/convai/avatars/{agent_id}",  # no method of the SDK asks for it
        # only the newer version has these
        "POST /v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/set-rules",
        "PATCH /v1/workspace/auth-connections/{auth_connection_id}",
        "DELETE /v1/workspace/auth-connections/{auth_connection_id}",
    }
