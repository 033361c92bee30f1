"""Arguments of tools that between them set every declared field of every request."""

from typing import Any

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
ACCESS = {"is_creator": True, "creator_name": "n", "creator_email": "e", "role": "admin"}
WHATSAPP = "no operation connects a WhatsApp account, so there is none to write from"
KEYS = "of kinds that this platform does not have: whoever has the other one makes them on its pages"
MATCHING = "dictionary files cannot say it: a new word is matched as a whole, in its very case"
