"""Fixtures that ask the client: pushed requests on the older wires, multi-round-trip results on the newest."""

import json
from typing import Any, cast

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

JSON = dict[str, Any]


def _form(**properties: JSON) -> JSON:
    return {"type": "object", "properties": properties, "required": list(properties)}


def elicit(message: str, **properties: JSON) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=_form(**properties)))


def _sample(prompt: str, max_tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens))


NAME = elicit("What is your name?", name={"type": "string"})
_CONFIRM = elicit("Please confirm", ok={"type": "boolean"})


async def sampling(prompt: str, ctx: Context[Any]) -> str:
    request = _sample(prompt, 100)
    here = ServerMessageMetadata(related_request_id=ctx.request_id)  # else it waits for a stream that may never open
    answer = await ctx.session.send_request(request, CreateMessageResult, metadata=here)
    return f"LLM response: {_said(answer)}"


def _said(answer: CreateMessageResult) -> str:
    return answer.content.text if isinstance(answer.content, TextContent) else "no text"


async def _pushed(ctx: Context[Any], message: str, form: JSON, begin: str) -> str:
    answer = await ctx.session.elicit_form(message, form, related_request_id=ctx.request_id)
    return f"{begin}: action={answer.action}, content={json.dumps(answer.content)}"


async def elicitation(message: str, ctx: Context[Any]) -> str:
    form = _form(username={"type": "string", "description": "User's response"}, email={"type": "string"})
    return await _pushed(ctx, message, form, "User response")


async def elicitation_defaults(ctx: Context[Any]) -> str:
    form = _form(
        name={"type": "string", "default": "John Doe"},
        age={"type": "integer", "default": 30},
        score={"type": "number", "default": 95.5},
        status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        verified={"type": "boolean", "default": True},
    )
    return await _pushed(ctx, "Please review", form, "Elicitation completed")


async def elicitation_enums(ctx: Context[Any]) -> str:
    plain = ["option1", "option2", "option3"]
    titled = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]
    form = _form(
        untitledSingle={"type": "string", "enum": plain},
        titledSingle={"type": "string", "oneOf": titled},
        legacyEnum={"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
        untitledMulti={"type": "array", "items": {"type": "string", "enum": plain}},
        titledMulti={"type": "array", "items": {"anyOf": titled}},
    )
    return await _pushed(ctx, "Please choose", form, "Elicitation completed")


def _answer(ctx: Context[Any], key: str) -> Any:
    return (ctx.input_responses or {}).get(key)


async def input_elicitation(ctx: Context[Any]) -> str | InputRequiredResult:
    answer = _answer(ctx, "user_name")
    if not isinstance(answer, ElicitResult):
        return InputRequiredResult(input_requests={"user_name": NAME})
    return f"Hello, {(answer.content or {}).get('name')}!"


async def input_sampling(ctx: Context[Any]) -> str | InputRequiredResult:
    answer = _answer(ctx, "capital_question")
    if not isinstance(answer, CreateMessageResult):
        return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?", 100)})
    return _said(answer)


async def input_list_roots(ctx: Context[Any]) -> str | InputRequiredResult:
    answer = _answer(ctx, "client_roots")
    if not isinstance(answer, ListRootsResult):
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
    return f"Roots: {', '.join(str(root.uri) for root in answer.roots)}"


async def input_with_state(ctx: Context[Any]) -> str | InputRequiredResult:
    if ctx.request_state != "asked" or _answer(ctx, "confirm") is None:
        return InputRequiredResult(input_requests={"confirm": _CONFIRM}, request_state="asked")
    return "state-ok"


async def input_multiple(ctx: Context[Any]) -> str | InputRequiredResult:
    keys = ("user_name", "greeting", "client_roots")
    if ctx.request_state != "asked" or any(_answer(ctx, key) is None for key in keys):
        requests = dict(zip(keys, (NAME, _sample("Generate a greeting", 50), ListRootsRequest()), strict=True))
        return InputRequiredResult(input_requests=cast(Any, requests), request_state="asked")
    return "All answered"


async def input_multi_round(ctx: Context[Any]) -> str | InputRequiredResult:
    if ctx.request_state == "first" and _answer(ctx, "step1") is not None:
        color = elicit("Step 2: What is your favorite color?", color={"type": "string"})
        return InputRequiredResult(input_requests={"step2": color}, request_state="second")
    if ctx.request_state == "second" and _answer(ctx, "step2") is not None:
        return "Both rounds done"
    name = elicit("Step 1: What is your name?", name={"type": "string"})
    return InputRequiredResult(input_requests={"step1": name}, request_state="first")


async def input_by_capability(ctx: Context[Any]) -> str | InputRequiredResult:
    declared = ctx.client_capabilities
    requests: dict[str, Any] = {}
    if declared and declared.sampling is not None:
        requests["greeting"] = _sample("Generate a greeting", 50)
    if declared and declared.elicitation is not None:
        requests["user_name"] = NAME
    return InputRequiredResult(input_requests=requests) if requests else "Nothing that you could answer"


async def missing_capability(ctx: Context[Any]) -> str:
    if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
        data: JSON = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs a client that can sample", data)
    return "The client can sample"


async def input_prompt(ctx: Context[Any]) -> UserMessage | InputRequiredResult:
    answer = _answer(ctx, "user_context")
    if not isinstance(answer, ElicitResult):
        wanted = elicit("What context should the prompt use?", context={"type": "string"})
        return InputRequiredResult(input_requests={"user_context": wanted})
    return UserMessage(f"Context: {(answer.content or {}).get('context')}")


TOOLS: dict[str, Any] = {
    "test_sampling": sampling,
    "test_elicitation": elicitation,
    "test_elicitation_sep1034_defaults": elicitation_defaults,
    "test_elicitation_sep1330_enums": elicitation_enums,
    "test_streaming_elicitation": input_elicitation,
    "test_missing_capability": missing_capability,
    "test_input_required_result_elicitation": input_elicitation,
    "test_input_required_result_sampling": input_sampling,
    "test_input_required_result_list_roots": input_list_roots,
    "test_input_required_result_request_state": input_with_state,
    "test_input_required_result_tampered_state": input_with_state,
    "test_input_required_result_multiple_inputs": input_multiple,
    "test_input_required_result_multi_round": input_multi_round,
    "test_input_required_result_capabilities": input_by_capability,
}


def add(server: MCPServer[Any]) -> None:
    server.prompt("test_input_required_result_prompt", description="A prompt that asks first")(input_prompt)
