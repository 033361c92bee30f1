"""The platform's own Python SDK, two versions of it: whoever points it at the embedded platform does not notice."""

from inline_snapshot import snapshot

from callwright.contract import all_operations
from tests.samples import SAMPLES

from .conftest import Sweep
from .operations import OWN, named, operation_of

NO_RECORDING = {"GET /v1/convai/conversations/{conversation_id}/audio": "here conversations are text: always refused"}
NO_PROGRAM_ASKS = {"GET /v1/convai/avatars/{agent_id}": "ours: a page shows the picture, the SDK has no method"}
YOUNGER = {named(row.op): row.without_sdk for row in SAMPLES if row.without_sdk}
UNREACHED = {"2.23.0": YOUNGER | NO_RECORDING | NO_PROGRAM_ASKS, "2.78.0": NO_RECORDING | NO_PROGRAM_ASKS}
"""Operations that never succeed in the sweep, and why."""

OURS = {
    "agents": "of an auth connection: those whose own tools use it",
    "approval": "of a tool of an MCP server: what was decided about it",
    "approval_outdated": "whether the tool has changed since",
    "tool_hash": "what the decision is about",
    "chunk_count": "of an index: no operation lists its passages",
    "chunk_ids": "the ids that reading a passage takes",
    "conversation_id": "of a rehearsal, which is kept",
    "ended_because": "why a rehearsal was over",
    "simulated": "tells a rehearsal from a call",
    "failure_reason": "why a batch failed",
    "provider_request": "what would have been sent to the telephone provider",
}
"""Fields of answers that no version knows, and what they are for."""

# what the newest clients do not read an answer without, what only they send, and two that came before both
NOT_KNOWN_IN_2_23 = {
    "background_voice_detection", "branch_id", "branch_name", "cancelled_count", "cost_fiat", "custom_sip_headers",
    "entry_behavior", "environment", "filename", "has_auxiliary_audio", "has_more", "input_overrides",
    "interruption_mode", "mcp_servers", "mode", "next_cursor", "outcome", "pre_tool_speech", "preserve_client_tts_overrides",
    "preserve_voice_settings", "prevent_subagent_loops", "price_per_message", "reroutes", "response_mocks",
    "response_timeout_secs", "retry_count", "rules", "sip_refer_play_dialtone", "target_concurrency_limit",
    "telephony_call_config", "timezone", "total_calls_finished", "type", "updated_at_unix_secs", "voice_id",
    "whatsapp_params",
}  # fmt: skip
# the same two, a file's name in a list, and of a test what belongs to another kind
NOT_KNOWN_IN_2_78 = {
    "background_voice_detection", "mode", "filename", "failure_examples", "success_condition", "success_examples",
    "tool_call_parameters",
}  # fmt: skip
NOT_KNOWN = {"2.23.0": NOT_KNOWN_IN_2_23, "2.78.0": NOT_KNOWN_IN_2_78}


def test_every_answer_is_what_the_models_of_the_sdk_demand(sweep: Sweep) -> None:
    verdicts = {line["call"]: line["strict"] for line in sweep.calls if line["strict"] != "ok"}
    verdicts.pop("workspace.auth_connections.delete", None)  # answers anything; younger than the older version
    assert {call for call, verdict in verdicts.items() if verdict == "nothing to check"} == snapshot(
        {
            "agents.delete",
            "agents.simulate_conversation_stream",
            "conversations.delete",
            "conversations.feedback.create",
            "knowledge_base.documents.delete",
            "knowledge_base.documents.get_content",
            "mcp_servers.delete",
            "phone_numbers.delete",
            "pronunciation_dictionaries.download",
            "secrets.delete",
            "tests.delete",
            "tests.invocations.resubmit",
            "tools.delete",
        }
    )
    assert {call: verdict for call, verdict in verdicts.items() if verdict != "nothing to check"} == {}


def test_every_operation_succeeds_once(sweep: Sweep) -> None:
    reached = {operation_of(line["method"], line["path"]) for line in sweep.calls}
    missed = {named(op) for op in all_operations() if not op.path.startswith(OWN)} - reached
    assert missed == {name for name in UNREACHED[sweep.version] if OWN not in name}


def test_nothing_is_sent_a_second_time(sweep: Sweep) -> None:
    assert {line["requests"] for line in (*sweep.calls, *sweep.refusals)} == {1}


def test_no_field_has_a_name_that_the_sdk_does_not_know(sweep: Sweep) -> None:
    """An optional field that is misspelt would pass as absent."""
    unknown = {name for line in sweep.calls for name in line.get("unknown", ())}
    assert unknown - OURS.keys() == NOT_KNOWN[sweep.version]


def test_secrets_go_in_and_never_come_out(sweep: Sweep) -> None:
    assert [value for value in ("s3cr3t", "0ther-s3cr3t", "t0ken") if value in sweep.text] == []


def test_what_was_done_can_be_read_back(sweep: Sweep) -> None:
    saw = dict(sweep.saw)
    assert saw.pop("models", True) is True  # younger than the older version
    logins = {"Basic": [], "Bearer": [], "CRM": ["crm"], "Key": []}
    assert saw.pop("who uses a connection", logins) == logins  # the same
    assert saw == snapshot(
        {
            "settings": [7, "https://hooks.example.com/before"],
            "charts": ["call_success", "criteria", "data_collection"],
            "secrets": ["CRM 2"],
            "secrets once deleted": [],
            "models that cost more for a longer prompt": True,
            "two british voices": True,
            "a text": ["text", "Hours", "<p>Bicycles are repaired on Monda"],
            "a file": ["file", "prices.md", "<p># Prices</p><p>A tyre costs 30"],
            "a page": ["url", "Our shop", "<p>We sell bells.</p>"],
            "a file of the older way": ["file", "Older way", "<p>We also sell bells.</p>"],
            "the content of a file": """\
# Prices

A tyre costs 30 pounds.\
""",
            "a renamed document": "Our page",
            "files and pages by name": ["Older way", "Our page", "prices.md"],
            "documents once deleted": ["Hours"],
            "an index": ["succeeded", 100.0],
            "a passage": "Bicycles are repaired on Mondays.",
            "indexes": 1,
            "bytes in all indexes": 1019,
            "indexes once deleted": [],
            "agents that know it": ["Ada"],
            "agents in the list": ["Ada"],
            "pages that Ada knows": True,
            "what Ada knows then": [],
            "tools": ["look_up", "show_map", "skip_turn"],
            "a changed tool": "Finds a booking by its number.",
            "tools that use the secret": ["look_up"],
            "agents that have it": ["Ada"],
            "tools once deleted": [],
            "an agent": ["Ada", ["shop"], "Hello {{name}}.", 0.2],
            "its tools": ["look_up", "show_map"],
            "its built-in tools": [
                "end_call",
                "language_detection",
                "play_keypad_touch_tone",
                "skip_turn",
                "transfer_to_agent",
                "transfer_to_number",
                "voicemail_detection",
            ],
            "its workflow": [["agent", "call", "end", "start", "sub", "tool"], ["e1", "e2", "e3", "e4", "e5"]],
            "its goals": ["calm"],
            "whether its link has a token": True,
            "what gpt-4o would cost it": True,
            "a changed agent": ["Bea", 1.1, "21m00Tcm4TlvDq8ikWAM"],
            "agents found by name": ["Bea"],
            "a twin": "Ada's twin",
            "agents once deleted": [],
            "the latest version": [True, 1],
            "the first version": ["UN", "Apple", "United Nations"],
            "the last version": ["UN", "You Enn"],
            "dictionaries by name": ["More", "Names"],
            "dictionaries once archived": ["Names"],
            "the version that an agent names": True,
            "a stranger's widget": ["Hello.", "image", True],
            "what was said": [
                ["agent", "Hello Bo."],
                ["user", "Hi"],
                ["agent", '[offline responder] I can only quote documents, and I found nothing about that in "Hours".'],
                ["user", "When are bicycles repaired?"],
                ["agent", "[offline responder] The document “Hours” says: “Bicycles are repaired on Mondays.”"],
            ],
            "goals judged": ["brief", "calm"],
            "what was said, part by part": [
                ["agent", "Hello Bo."],
                ["user", "Hi"],
                ["agent", '[offline responder] I can only quote documents, and I found nothing about that in "Hours".'],
                ["user", "When are bicycles repaired?"],
                ["agent", "[offline responder] The document “Hours” says: “Bicycles are repaired on Mondays.”"],
            ],
            "parts with an analysis": [False, False, False, False, False, True],
            "conversations without rehearsals": [],
            "a kept conversation": ["done", 5, False],
            "its feedback": 1,
            "conversations once deleted": [],
            "a signed URL": ["agent_id", "conversation_id", "conversation_signature"],
            "a token": True,
            "a changed test": "Names all hours",
            "tests": ["Hands over", "Names all hours"],
            "tests in short": 2,
            "runs without a model": [["failed", "unknown"], ["failed", "unknown"]],
            "an invocation": ["Names all hours and 1 more", 2, 2, 0],
            "tests once deleted": [],
            "a changed number": ["Ada", "other.example.com", "standard"],
            "numbers": [["sip_trunk", "+442071838750"], ["twilio", "+15551234567"]],
            "an agent's numbers": 2,
            "numbers once deleted": [],
            "what came of sip_trunk.outbound_call": [
                False,
                "No telephone provider is connected, so nobody was called. Everything was checked; the request to the provider would be INVITE sip:+15557654321@sip.example.com;transport=tls.",
            ],
            "what came of twilio.outbound_call": [
                False,
                "No telephone provider is connected, so nobody was called. Everything was checked; the request to the provider would be POST https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json.",
            ],
            "a batch that fell due": [
                "failed",
                ["failed", "failed"],
                "No telephone provider is connected, so nobody was called.",
            ],
            "batches come newest first": True,
            "once retried": ["failed", 1],
            "a batch of later": "pending",
            "once cancelled": "cancelled",
            "tools of the server": [True, ["book", "free_slots"]],
            "decided": [["free_slots", "auto_approved"]],
            "decided once taken back": [],
            "a tool's configuration": ["async", "typing", "day"],
            "a changed server": ["require_approval_per_tool", True],
            "tools of a server that is none": [
                False,
                [],
                "The server does not speak MCP as expected (MCPError). Check the URL and the transport.",
            ],
            "agents that use it": ["Ada"],
            "MCP servers once deleted": [],
        }
    )
