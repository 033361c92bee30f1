"""Fixtures that answer: every kind of content, progress, log messages, errors, resources, prompts."""

import json
from base64 import b64decode
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    AudioContent,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""
_SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
"""A WAV without a sound."""
WATCHED = "test://watched-resource"
_STEP_SECONDS = 0.05


def _image() -> ImageContent:
    return ImageContent(data=_PIXEL, mime_type="image/png")


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


async def simple_text() -> str:
    return "This is a simple text response for testing."


async def image_content() -> ImageContent:
    return _image()


async def audio_content() -> AudioContent:
    return AudioContent(data=_SILENCE, mime_type="audio/wav")


async def embedded_resource() -> EmbeddedResource:
    return _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")


async def multiple_content_types() -> list[ContentBlock]:
    data = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [TextContent(text="Multiple content types test:"), _image(), data]


async def error_handling() -> str:
    raise ToolError("This tool intentionally returns an error for testing")


async def tool_with_progress(ctx: Context[Any]) -> str:
    for step in (0, 50, 100):
        await ctx.report_progress(step, 100, f"Completed step {step} of 100")
        await anyio.sleep(_STEP_SECONDS)
    return "All steps completed"


async def tool_with_logging(ctx: Context[Any]) -> str:
    for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(said)  # pyright: ignore[reportDeprecated]
        await anyio.sleep(_STEP_SECONDS)
    return "Tool with logging executed"


async def reconnection(ctx: Context[Any]) -> str:
    await ctx.close_sse_stream()
    await anyio.sleep(_STEP_SECONDS)
    return "Reconnection test completed"


TOOLS: dict[str, Any] = {
    "test_simple_text": simple_text,
    "test_image_content": image_content,
    "test_audio_content": audio_content,
    "test_embedded_resource": embedded_resource,
    "test_multiple_content_types": multiple_content_types,
    "test_error_handling": error_handling,
    "test_tool_with_progress": tool_with_progress,
    "test_tool_with_logging": tool_with_logging,
    "test_logging_tool": tool_with_logging,
    "test_reconnection": reconnection,
}


def static_text() -> str:
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    return b64decode(_PIXEL)


def template(id: str) -> str:
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def watched() -> str:
    return "Watched resource content"


def simple_prompt() -> UserMessage:
    return UserMessage("This is a simple prompt for testing.")


def prompt_with_arguments(arg1: str, arg2: str) -> UserMessage:
    return UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")


def prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
    embedded = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
    return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]


def prompt_with_image() -> list[UserMessage]:
    return [UserMessage(_image()), UserMessage("Please analyze the image above.")]


def add(server: MCPServer[Any]) -> None:
    server.resource("test://static-text", mime_type="text/plain")(static_text)
    server.resource("test://static-binary", mime_type="image/png")(static_binary)
    server.resource("test://template/{id}/data", mime_type="application/json")(template)
    server.resource(WATCHED, mime_type="text/plain")(watched)
    server.prompt("test_simple_prompt", description="A prompt without arguments")(simple_prompt)
    server.prompt("test_prompt_with_arguments", description="A prompt with two arguments")(prompt_with_arguments)
    server.prompt("test_prompt_with_embedded_resource", description="A prompt with a resource in it")(
        prompt_with_embedded_resource
    )
    server.prompt("test_prompt_with_image", description="A prompt with a picture")(prompt_with_image)
