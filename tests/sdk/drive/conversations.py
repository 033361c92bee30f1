# pyright: basic
"""Rehearsals, the conversations that they leave, and access to new ones."""

import json

from .sdk import Sdk

AGENT = {
    "first_message": "Hello {{name}}.",
    "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo"}},
}
END_CALL = {"type": "system", "name": "end_call", "description": ""}
GOALS = {"evaluation": {"criteria": [{"id": "calm", "name": "Calm", "conversation_goal_prompt": "Stays calm."}]}}
USER = {"prompt": {"prompt": "When are bicycles repaired?", "llm": "gpt-4o"}, "first_message": "Hi", "language": "en"}
REHEARSAL = {"simulation_specification": {"simulated_user_config": USER}, "new_turns_limit": 4}
SIMULATED = {"request_options": {"additional_query_parameters": {"include_simulated": "true"}}}
"""Rehearsals are listed on request only; no version of the SDK knows the parameter."""


def sweep(sdk: Sdk) -> None:
    hours = "Bicycles are repaired on Mondays."
    document = sdk.call("knowledge_base.documents.create_from_text", text=hours, name="Hours").id
    known = [{"type": "text", "name": "Hours", "id": document, "usage_mode": "auto"}]
    prompt = {"prompt": "Help.", "tools": [END_CALL], "knowledge_base": known}
    config = {"agent": {**AGENT, "prompt": prompt}}
    ada = sdk.call("agents.create", name="Ada", conversation_config=config, platform_settings=GOALS).agent_id
    rehearsals(sdk, ada)
    kept(sdk)
    access(sdk, ada)
    sdk.call("agents.delete", ada)
    sdk.call("knowledge_base.documents.delete", document)


def rehearsals(sdk: Sdk, ada: str) -> None:
    extra = [{"id": "brief", "name": "Brief", "conversation_goal_prompt": "Is brief."}]
    done = sdk.call("agents.simulate_conversation", ada, **REHEARSAL, extra_evaluation_criteria=extra)
    sdk.saw("what was said", [[turn.role, turn.message] for turn in done.simulated_conversation])
    sdk.saw("goals judged", sorted(done.analysis.evaluation_criteria_results))
    sdk.call("agents.simulate_conversation_stream", ada, **REHEARSAL)
    parts = [json.loads(line) for line in sdk.text().splitlines()]
    said = [[turn["role"], turn["message"]] for part in parts for turn in part["simulated_conversation"]]
    sdk.saw("what was said, part by part", said)
    sdk.saw("parts with an analysis", [("analysis" in part) for part in parts])

    lost = {**REHEARSAL, "simulation_specification": {"simulated_user_config": {"prompt": {"temperature": "hot"}}}}
    for name in ("agents.simulate_conversation", "agents.simulate_conversation_stream"):
        sdk.refused(name, ada, **lost)
        sdk.refused(name, ada, **{**REHEARSAL, "new_turns_limit": 0})


def kept(sdk: Sdk) -> None:
    sdk.saw("conversations without rehearsals", sdk.call("conversations.list").conversations)
    first, second = sdk.call("conversations.list", **SIMULATED).conversations
    got = sdk.call("conversations.get", first.conversation_id)
    sdk.saw("a kept conversation", [got.status, len(got.transcript), got.has_audio])
    sdk.call("conversations.feedback.create", first.conversation_id, feedback="like")
    sdk.saw("its feedback", sdk.call("conversations.get", first.conversation_id).metadata.feedback.likes)
    sdk.call("conversations.list", call_successful="unknown", page_size=1, summary_mode="include", **SIMULATED)

    sdk.refused("conversations.audio.get", first.conversation_id)
    sdk.refused("conversations.feedback.create", first.conversation_id, feedback="lovely")
    sdk.refused("conversations.list", call_successful="perhaps")
    sdk.refused("conversations.list", cursor="of-another-list")
    for each in (first, second):
        sdk.call("conversations.delete", each.conversation_id)
    sdk.saw("conversations once deleted", sdk.call("conversations.list", **SIMULATED).conversations)


def access(sdk: Sdk, ada: str) -> None:
    signed = sdk.call("conversations.get_signed_url", agent_id=ada, include_conversation_id=True).signed_url
    sdk.saw("a signed URL", sorted(part.partition("=")[0] for part in signed.partition("?")[2].split("&")))
    sdk.saw("a token", len(sdk.call("conversations.get_webrtc_token", agent_id=ada, participant_name="Bo").token) > 30)
    sdk.refused("conversations.get_signed_url", agent_id="agent_no")
    sdk.refused("conversations.get_webrtc_token", agent_id="agent_no")
