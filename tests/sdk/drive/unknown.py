# pyright: basic
"""Whatever a path names and nobody has."""

from .agent_tests import HOURS
from .agent_tools import CLIENT
from .conversations import REHEARSAL
from .sdk import Sdk
from .widget import png

AGENT = {
    "agents.get": {},
    "agents.update": {"name": "Ada"},
    "agents.delete": {},
    "agents.duplicate": {"name": "Ada"},
    "agents.link.get": {},
    "agents.knowledge_base.size": {},
    "agents.llm_usage.calculate": {},
    "agents.simulate_conversation": REHEARSAL,
    "agents.simulate_conversation_stream": REHEARSAL,
    "agents.run_tests": {"tests": [{"test_id": "test_no"}]},
    "agents.widget.get": {},
    "agents.widget.avatar.create": {"avatar_file": ("face.png", png(), "image/png")},
}
DOCUMENT = {
    "knowledge_base.documents.get": {},
    "knowledge_base.documents.get_content": {},
    "knowledge_base.documents.get_agents": {},
    "knowledge_base.documents.update": {"name": "Hours"},
    "knowledge_base.documents.delete": {},
    "knowledge_base.document.compute_rag_index": {"model": "e5_mistral_7b_instruct"},
    "get_document_rag_indexes": {},
}
SERVER = {
    "mcp_servers.get": {},
    "mcp_servers.update": {"force_pre_tool_speech": True},
    "mcp_servers.delete": {},
    "mcp_servers.approval_policy.update": {"approval_policy": "auto_approve_all"},
    "mcp_servers.tool_approvals.create": {"tool_name": "book", "tool_description": "Books."},
    "mcp_servers.tool_configs.create": {"tool_name": "book"},
    "mcp_servers.tools.list": {},
}
OTHERS = {
    "conversations.get": ("conv_no", {}),
    "conversations.delete": ("conv_no", {}),
    "conversations.audio.get": ("conv_no", {}),
    "conversations.feedback.create": ("conv_no", {"feedback": "like"}),
    "tools.get": ("tool_no", {}),
    "tools.update": ("tool_no", {"request": {"tool_config": CLIENT}}),
    "tools.delete": ("tool_no", {}),
    "tools.get_dependent_agents": ("tool_no", {}),
    "tests.get": ("test_no", {}),
    "tests.update": ("test_no", HOURS),
    "tests.delete": ("test_no", {}),
    "tests.invocations.get": ("tinv_no", {}),
    "tests.invocations.resubmit": ("tinv_no", {"test_run_ids": ["trun_no"], "agent_id": "agent_no"}),
    "phone_numbers.get": ("phnum_no", {}),
    "phone_numbers.update": ("phnum_no", {"livekit_stack": "static"}),
    "phone_numbers.delete": ("phnum_no", {}),
    "batch_calls.get": ("btcal_no", {}),
    "batch_calls.cancel": ("btcal_no", {}),
    "batch_calls.retry": ("btcal_no", {}),
    "secrets.update": ("secret_no", {"name": "CRM", "value": "v"}),
    "secrets.delete": ("secret_no", {}),
    "pronunciation_dictionaries.get": ("pdict_no", {}),
    "pronunciation_dictionaries.update": ("pdict_no", {"name": "Names"}),
    "pronunciation_dictionaries.rules.add": ("pdict_no", {"rules": []}),
    "pronunciation_dictionaries.rules.remove": ("pdict_no", {"rule_strings": []}),
}
TWO = {
    "knowledge_base.documents.chunk.get": ("doc_no", "chunk_no"),
    "delete_document_rag_index": ("doc_no", "ragindex_no"),
    "mcp_servers.tool_approvals.delete": ("mcpsrv_no", "book"),
    "mcp_servers.tool_configs.get": ("mcpsrv_no", "book"),
    "mcp_servers.tool_configs.update": ("mcpsrv_no", "book"),
    "mcp_servers.tool_configs.delete": ("mcpsrv_no", "book"),
    "pronunciation_dictionaries.download": ("pdict_no", "pver_no"),
}


def sweep(sdk: Sdk) -> None:
    for id, table in (("agent_no", AGENT), ("doc_no", DOCUMENT), ("mcpsrv_no", SERVER)):
        for name, kwargs in table.items():
            sdk.refused(name, id, **kwargs)
    for name, (id, kwargs) in OTHERS.items():
        sdk.refused(name, id, **kwargs)
    for name, ids in TWO.items():
        sdk.refused(name, *ids)
