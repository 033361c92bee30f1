# pyright: basic, reportMissingImports=false
"""Runs in an environment that has the SDK: `drive.py BASE_URL`, the key on standard input.

Does the same with every resource: create, read, list, update, delete. Prints one JSON line for each call: its name,
what came back in the SDK's own types, and what the SDK's own model says about the raw answer when it is asked to be
strict (by itself it never complains).
"""

import json
import sys
import typing

import httpx
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.jsonable_encoder import jsonable_encoder
from pydantic import TypeAdapter, ValidationError

answers = []


def keep(response):
    response.read()
    answers.append(response)


http = httpx.Client(timeout=30, event_hooks={"response": [keep]})
client = ElevenLabs(base_url=sys.argv[1], api_key=sys.stdin.readline().strip(), httpx_client=http)
platform = client.conversational_ai


def call(name, /, *args, **kwargs) -> typing.Any:
    """Call a method of the SDK by its dotted name."""
    method = platform
    for part in name.split("."):
        method = getattr(method, part)
    answers.clear()
    line = {"call": name, "strict": "ok"}
    try:
        result = method(*args, **kwargs)
    except ApiError as exc:
        result = None
        line |= {"error": exc.status_code, "body": jsonable_encoder(exc.body)}
    else:
        line["result"] = jsonable_encoder(result)
        line["strict"] = strict(typing.get_type_hints(method, include_extras=True).get("return"))
    line["requests"] = len(answers)
    sys.stdout.write(json.dumps(line) + "\n")
    return result


def strict(model):
    if model in (None, type(None), typing.Any, str):
        return "nothing to check"
    try:
        TypeAdapter(model).validate_python(answers[-1].json())
    except ValidationError as exc:
        return str(exc)
    return "ok"


SIP = {
    "provider": "sip_trunk",
    "phone_number": "+442071838750",
    "label": "London",
    "inbound_trunk_config": {"credentials": {"username": "in", "password": "p"}},
    "outbound_trunk_config": {"address": "sip.example.com", "transport": "tls", "headers": {"X-A": "b"}},
}
TWILIO = {"provider": "twilio", "phone_number": "+15551234567", "label": "Front", "sid": "AC1", "token": "t"}


def number_of(body):
    """The SDK takes its own class there, whose name differs from version to version."""
    hints = typing.get_type_hints(platform.phone_numbers.create)
    arms = typing.get_args(hints["request"])
    arm = next(arm for arm in arms if arm.__name__.lower().endswith(body["provider"].replace("_", "")))
    return arm(**body)


document = call("knowledge_base.documents.create_from_text", text="Bicycles are repaired on Mondays.", name="Hours").id
call("knowledge_base.documents.get", document)
call("knowledge_base.documents.get_content", document)
call("knowledge_base.list", types=["text", "file"])
call("knowledge_base.documents.update", document, name="Opening hours")

secret = call("secrets.create", name="CRM", value="s3cr3t").secret_id
call("secrets.list")
call("secrets.update", secret, name="CRM 2", value="other")

headers = {"authorization": {"secret_id": secret}}
tool = {
    "type": "webhook",
    "name": "look_up",
    "description": "Finds.",
    "api_schema": {"url": "https://crm.example.com/x", "request_headers": headers},
}
prompt = {
    "prompt": "Help {{name}}.",
    "llm": "gpt-4o",
    "knowledge_base": [{"type": "text", "name": "Hours", "id": document, "usage_mode": "auto"}],
    "tools": [tool, {"type": "system", "name": "end_call", "description": ""}],
}
config = {
    "agent": {
        "first_message": "Hello {{name}}.",
        "prompt": prompt,
        "dynamic_variables": {"dynamic_variable_placeholders": {"name": "Bo"}},
    }
}
workflow = {
    "nodes": {
        "start": {"type": "start", "position": {"x": 0, "y": 0}, "edge_order": ["e"]},
        "end": {"type": "end", "position": {"x": 0, "y": 9}, "edge_order": []},
        "sub": {"type": "override_agent", "label": "Bookings", "position": {"x": 0, "y": 9}, "edge_order": []},
        "tool": {"type": "tool", "position": {"x": 0, "y": 9}, "edge_order": []},
        "call": {"type": "phone_number", "transfer_destination": {"type": "phone", "phone_number": "+15551234567"}},
    },
    "edges": {"e": {"source": "start", "target": "end", "forward_condition": {"type": "unconditional"}}},
}
settings = {"evaluation": {"criteria": [{"id": "calm", "name": "Calm", "conversation_goal_prompt": "Calm."}]}}
agent = call(
    "agents.create", conversation_config=config, platform_settings=settings, workflow=workflow, name="Ada", tags=["a"]
).agent_id
call("agents.get", agent)
call("agents.list", page_size=5, search="ad")
call("agents.update", agent, name="Bea", conversation_config={"tts": {"speed": 1.1}})
call("agents.update", agent, conversation_config={"tts": {"speed": 3.0}})

number = call("phone_numbers.create", request=number_of(SIP)).phone_number_id
twilio = call("phone_numbers.create", request=number_of(TWILIO)).phone_number_id
call("phone_numbers.get", number)
call("phone_numbers.update", number, agent_id=agent)
call("phone_numbers.list")
call("agents.get", agent)

user = {"prompt": {"prompt": "When are bicycles repaired?", "llm": "gpt-4o"}, "first_message": "Hi", "language": "en"}
call("agents.simulate_conversation", agent, simulation_specification={"simulated_user_config": user}, new_turns_limit=4)
call("conversations.list")
rehearsals = {"additional_query_parameters": {"include_simulated": "true"}}
conversation = call("conversations.list", request_options=rehearsals).conversations[0].conversation_id
call("conversations.get", conversation)
call("conversations.delete", conversation)
call("conversations.get", conversation)

call("knowledge_base.documents.delete", document)
call("secrets.delete", secret)
call("knowledge_base.documents.delete", document, force=True)
call("agents.delete", agent)
call("secrets.delete", secret)
call("phone_numbers.delete", number)
call("phone_numbers.delete", twilio)
for each in ("agents.list", "knowledge_base.list", "secrets.list", "phone_numbers.list"):
    call(each)
