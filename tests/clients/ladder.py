"""A client on fastmcp, or an agent of pydantic-ai, that connects anew as often as it is told; driven as ladder.mjs is.

Runs in an environment with pydantic-ai and its fastmcp: `python ladder.py fastmcp`, or `python ladder.py pydantic-ai`.
The agent's model is a function: it calls the tool that it is told to, and repeats what it is then shown.
"""
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult


async def heard():
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


def say(seen):
    print(json.dumps(seen), flush=True)  # noqa: T201


async def asked(message, response_type, params, context):
    say({"question": message, "url": getattr(params, "url", None)})
    return ElicitResult(**(await heard() or {}))


class Plain:
    """fastmcp's own client."""

    def __init__(self, url, handler):
        self._client = Client(url, elicitation_handler=handler)

    async def __aenter__(self):
        await self._client.__aenter__()
        await self._client.list_tools()
        return self

    async def __aexit__(self, *exc):
        await self._client.__aexit__(*exc)

    async def call(self, tool, arguments):
        result = await self._client.call_tool(tool, arguments, raise_on_error=False)
        return {"text": "\n".join(block.text for block in result.content), "isError": result.is_error}


class Agent:
    """An agent of pydantic-ai, and what its model is shown."""

    def __init__(self, url, handler):
        from pydantic_ai.mcp import MCPToolset

        self._toolset = MCPToolset(url, elicitation_handler=handler)

    async def __aenter__(self):
        await self._toolset.__aenter__()
        return self

    async def __aexit__(self, *exc):
        await self._toolset.__aexit__(*exc)

    async def call(self, tool, arguments):
        import pydantic_ai
        from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
        from pydantic_ai.models.function import FunctionModel

        shown = []

        async def model(messages, info):
            for part in messages[-1].parts:
                if isinstance(part, ToolReturnPart):
                    failed, text = part.outcome != "success", part.model_response_str()
                    # A model gets an error as JSON with this one field.
                    shown.append({"text": json.loads(text)["error"] if failed else text, "isError": failed})
            return ModelResponse(parts=[TextPart("done") if shown else ToolCallPart(tool, arguments)])

        await pydantic_ai.Agent(FunctionModel(model), toolsets=[self._toolset]).run("Go on.")
        return shown[0]


async def main():
    kind = {"fastmcp": Plain, "pydantic-ai": Agent}[sys.argv[1]]
    line = await heard()
    while line:
        async with kind(line["connect"], asked if line["elicits"] else None) as client:
            say({"connected": True})
            while (line := await heard()) and "connect" not in line:
                say(await client.call(line["tool"], line["arguments"]))


asyncio.run(main())
