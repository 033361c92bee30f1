# pyright: basic
"""Agents with everything that they can have."""

from .agent_tools import CLIENT, WEBHOOK
from .sdk import Sdk

PHONE = {"type": "phone", "phone_number": "+15551234567"}
SIP = {"type": "sip_uri", "sip_uri": "sip:desk@example.com"}
VIP = {
    "type": "and_operator",
    "children": [
        {
            "type": "eq_operator",
            "left": {"type": "dynamic_variable", "name": "tier"},
            "right": {"type": "string_literal", "value": "vip"},
        },
        {
            "type": "gte_operator",
            "left": {"type": "dynamic_variable", "name": "amount"},
            "right": {"type": "number_literal", "value": 500},
        },
    ],
}


def config(colleague: str, document: str) -> dict:
    builtin = {
        name: {"type": "system", "name": name, "description": "", "params": {"system_tool_type": name, **params}}
        for name, params in {
            "end_call": {},
            "language_detection": {},
            "skip_turn": {},
            "play_keypad_touch_tone": {},
            "voicemail_detection": {"voicemail_message": "Call us back."},
            "transfer_to_agent": {"transfers": [{"agent_id": colleague, "condition": "Asks about bills."}]},
            "transfer_to_number": {
                "transfers": [
                    {"transfer_destination": PHONE, "condition": "Asks for a person.", "transfer_type": "conference"},
                    {"transfer_destination": SIP, "condition": "Complains.", "transfer_type": "sip_refer"},
                ]
            },
        }.items()
    }
    prompt = {
        "prompt": "Help {{name}}.",
        "llm": "gpt-4o",
        "temperature": 0.2,
        "max_tokens": 200,
        "knowledge_base": [{"type": "text", "name": "Hours", "id": document, "usage_mode": "prompt"}],
        "rag": {"enabled": True, "embedding_model": "e5_mistral_7b_instruct", "max_documents_length": 9000},
        "tools": [WEBHOOK, CLIENT],
        "built_in_tools": builtin,
        "timezone": "Europe/London",
    }
    return {
        "asr": {"quality": "high", "user_input_audio_format": "pcm_16000", "keywords": ["Brompton"]},
        "turn": {"turn_timeout": 9, "silence_end_call_timeout": 60, "mode": "turn"},
        "tts": {
            "voice_id": "21m00Tcm4TlvDq8ikWAM",
            "model_id": "eleven_flash_v2",
            "optimize_streaming_latency": 3,
            "supported_voices": [{"label": "Joe", "voice_id": "pNInz6obpgDQGcFmaJgB", "speed": 0.9}],
            "pronunciation_dictionary_locators": [],
        },
        "conversation": {"max_duration_seconds": 900, "client_events": ["audio", "agent_response"]},
        "language_presets": {"nl": {"overrides": {"agent": {"first_message": "Hallo {{name}}."}}}},
        "vad": {"background_voice_detection": True},
        "agent": {
            "first_message": "Hello {{name}}.",
            "language": "en",
            "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo", "tier": "vip", "amount": 7}},
            "prompt": prompt,
        },
    }


def platform(test: str) -> dict:
    return {
        "auth": {"enable_auth": True, "allowlist": [{"hostname": "shop.example.com"}]},
        "evaluation": {"criteria": [{"id": "calm", "name": "Calm", "conversation_goal_prompt": "Stays calm."}]},
        "data_collection": {"topic": {"type": "string", "description": "What it was about."}},
        "overrides": {"conversation_config_override": {"agent": {"language": True, "prompt": {"prompt": True}}}},
        "call_limits": {"agent_concurrency_limit": -1, "daily_limit": 1000, "bursting_enabled": True},
        "privacy": {"record_voice": False, "retention_days": 30},
        "widget": {
            "variant": "expandable",
            "avatar": {"type": "orb", "color_1": "#000000", "color_2": "#ffffff"},
            "language_selector": True,
            "text_contents": {"main_label": "Talk to us"},
        },
        "testing": {"attached_tests": [{"test_id": test}]},
    }


def workflow(colleague: str) -> dict:
    at = {"x": 0, "y": 0}
    return {
        "nodes": {
            "start": {"type": "start", "position": at, "edge_order": ["e1"]},
            "sub": {
                "type": "override_agent",
                "label": "Bookings",
                "additional_prompt": "Take bookings.",
                "position": at,
            },
            "tool": {"type": "tool", "tools": [], "position": at},
            "agent": {"type": "standalone_agent", "agent_id": colleague, "position": at},
            "call": {"type": "phone_number", "transfer_destination": PHONE, "transfer_type": "conference"},
            "end": {"type": "end", "position": at},
        },
        "edges": {
            "e1": {"source": "start", "target": "sub", "forward_condition": {"type": "unconditional"}},
            "e2": {
                "source": "sub",
                "target": "tool",
                "forward_condition": {"type": "llm", "condition": "Gave a number."},
                "backward_condition": {"type": "result", "successful": False},
            },
            "e3": {"source": "tool", "target": "end", "forward_condition": {"type": "result", "successful": True}},
            "e4": {"source": "sub", "target": "call", "forward_condition": {"type": "expression", "expression": VIP}},
            "e5": {"source": "sub", "target": "agent", "forward_condition": {"type": "llm", "condition": "Asks."}},
        },
    }


def sweep(sdk: Sdk) -> None:
    document = sdk.call("knowledge_base.documents.create_from_text", text="Open from nine.", name="Hours").id
    asked = [{"role": "user", "message": "When?", "time_in_call_secs": 1}]
    examples = {"success_examples": [], "failure_examples": []}
    test = sdk.call(
        "tests.create", type="llm", name="Hours", chat_history=asked, success_condition="Says nine.", **examples
    ).id
    colleague = sdk.call("agents.create", name="Bills", conversation_config={}).agent_id
    ada = sdk.call(
        "agents.create",
        name="Ada",
        tags=["shop"],
        conversation_config=config(colleague, document),
        platform_settings=platform(test),
        workflow=workflow(colleague),
    ).agent_id
    reads_back(sdk, ada)
    changes(sdk, ada)
    refusals(sdk, ada, colleague, test)
    copy = sdk.call("agents.duplicate", ada, name="Ada's twin").agent_id
    sdk.saw("a twin", sdk.call("agents.get", copy).name)
    for each in (copy, ada, colleague):
        sdk.call("agents.delete", each)
    sdk.saw("agents once deleted", sdk.call("agents.list").agents)
    sdk.call("tests.delete", test)
    sdk.call("knowledge_base.documents.delete", document)


def reads_back(sdk: Sdk, ada: str) -> None:
    got = sdk.call("agents.get", ada)
    prompt = got.conversation_config.agent.prompt
    sdk.saw("an agent", [got.name, got.tags, got.conversation_config.agent.first_message, prompt.temperature])
    sdk.saw("its tools", [tool.name for tool in prompt.tools])
    sdk.saw("its built-in tools", sorted(name for name, tool in prompt.built_in_tools if tool))
    sdk.saw("its workflow", [sorted(got.workflow.nodes), sorted(got.workflow.edges)])
    sdk.saw("its goals", [goal.id for goal in got.platform_settings.evaluation.criteria])
    sdk.saw("whether its link has a token", sdk.call("agents.link.get", ada).token is not None)
    prices = sdk.call("agents.llm_usage.calculate", ada, rag_enabled=False).llm_prices
    sdk.saw("what gpt-4o would cost it", next(price.price_per_minute > 0 for price in prices if price.llm == "gpt-4o"))


def changes(sdk: Sdk, ada: str) -> None:
    sdk.call("agents.update", ada, name="Bea", conversation_config={"tts": {"speed": 1.1}})
    got = sdk.call("agents.get", ada)
    sdk.saw("a changed agent", [got.name, got.conversation_config.tts.speed, got.conversation_config.tts.voice_id])
    sdk.saw("agents found by name", [row.name for row in sdk.call("agents.list", page_size=5, search="be").agents])
    first = sdk.call("agents.list", page_size=1, sort_by="name", sort_direction="asc")
    sdk.call("agents.list", page_size=1, sort_by="name", sort_direction="asc", cursor=first.next_cursor)


def refusals(sdk: Sdk, ada: str, colleague: str, test: str) -> None:
    for conversation in (
        {"tts": {"speed": 3.0}, "turn": {"turn_timeout": 31}},
        {"tts": {"supported_voices": [{"label": f"V{n}", "voice_id": "v"} for n in range(10)]}},
        {"agent": {"prompt": {"llm": 7}}},
        {"agent": {"prompt": {"knowledge_base": [{"type": "text", "name": "?", "id": "doc_no"}]}}},
        {"agent": {"prompt": {"tool_ids": ["tool_no"]}}},
    ):
        sdk.refused("agents.update", ada, conversation_config=conversation)
    hosts = [{"hostname": f"h{n}.example.com"} for n in range(11)]
    sdk.refused("agents.update", ada, platform_settings={"auth": {"allowlist": hosts}})
    sdk.refused("agents.update", ada, platform_settings={"privacy": {"zero_retention_mode": True}})
    nowhere = {"source": "start", "target": "nowhere"}
    sdk.refused("agents.update", ada, workflow={"nodes": {"start": {"type": "start"}}, "edges": {"e": nowhere}})
    sdk.refused("agents.create", conversation_config=None)
    sdk.refused("agents.list", page_size=0)
    sdk.refused("agents.list", cursor="of-another-list")
    sdk.refused("agents.llm_usage.calculate", ada, prompt_length=-1)
    sdk.refused("agents.delete", colleague)
    sdk.refused("tests.delete", test)
