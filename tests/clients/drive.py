# pyright: basic, reportAttributeAccessIssue=false, reportOptionalSubscript=false
"""Runs in an environment with an old `mcp`: `python drive.py stdio COMMAND ARGUMENT ...`, or `python drive.py http URL`.

Standard input has the environment of the server's process, or the headers of every request, as JSON. Prints one JSON
object: what the client saw.
"""

import asyncio
import json
import re
import sys

import mcp.types as types
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.exceptions import McpError

GIVEN = json.load(sys.stdin)


def text(result):
    return "\n".join(block.text for block in result.content)


async def called(session, tool, **arguments):
    """The text of a result and whether it is an error."""
    result = await session.call_tool(tool, arguments)
    return text(result), bool(result.isError)


async def refused(call):
    try:
        await call
    except McpError as exc:
        return exc.error.code
    return None


async def look(session):
    """Everything that only looks."""
    hello = await session.initialize()
    tools = (await session.list_tools()).tools
    deleting = next(tool for tool in tools if tool.name == "delete_agent")
    await session.send_ping()
    return {
        "version": hello.protocolVersion,
        "server": hello.serverInfo.name,
        "instructed": "Callwright" in (hello.instructions or ""),
        "tools": len(tools),
        "destructive": deleting.annotations.destructiveHint,
        "typed": bool(getattr(deleting, "outputSchema", None)),
        "prompts": len((await session.list_prompts()).prompts),
        "resources": len((await session.list_resources()).resources),
        "templates": len((await session.list_resource_templates()).resourceTemplates),
        "unknown tool": await refused(session.call_tool("nothing", {})),
        "unknown resource": await refused(session.read_resource("callwright://nothing")),
    }


async def work(session, name):
    """Make, read, change and try to delete an agent; give its id and what came of it."""
    made = await session.call_tool("create_agent", {"name": name, "prompt": "Be brief."})
    known = await session.call_tool("list_agents", {"search": name})
    agent_id = re.search(r"agent_[0-9a-f]{28}", text(known))[0]
    return agent_id, {
        "made": not made.isError,
        "structured": bool(getattr(made, "structuredContent", None)),
        "found": name in text(known),
        "changed": await called(session, "update_agent", agent_id=agent_id, name=f"{name} 2"),
        "read": f"{name} 2" in (await called(session, "get_agent", agent_id=agent_id))[0],
        "deleted": await called(session, "delete_agent", agent_id=agent_id),
        "gone": (await called(session, "get_agent", agent_id=agent_id))[1],
    }


async def unattended(read, write):
    async with ClientSession(read, write) as session:
        seen = await look(session)
        agent_id, done = await work(session, "Ada")
        token = re.search(r"approval_token='([^']+)'", done["deleted"][0])
        arguments = {"agent_id": agent_id, "approval_token": token[1]}
        again = [
            await called(session, "delete_agent", **arguments),
            await called(session, "get_agent", agent_id=agent_id),
        ]
        return {**seen, **done, "with the token": again}


async def attended(read, write):
    """The same with a person who says yes; only clients that know elicitation can ask one."""
    asked = []

    async def on_ask(context, params):
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"approve": True})

    async with ClientSession(read, write, elicitation_callback=on_ask) as session:
        await session.initialize()
        _, done = await work(session, "Bea")
        return {"asked": asked, "deleted": done["deleted"], "gone": done["gone"]}


def connection():
    if sys.argv[1] == "http":
        return streamablehttp_client(sys.argv[2], headers=GIVEN)
    return stdio_client(StdioServerParameters(command=sys.argv[2], args=sys.argv[3:], env=GIVEN))


async def main():
    async with connection() as (read, write, *_):
        seen = {"unattended": await unattended(read, write)}
    if hasattr(types, "ElicitResult"):
        async with connection() as (read, write, *_):
            seen["attended"] = await attended(read, write)
    print(json.dumps(seen))  # noqa: T201


asyncio.run(main())
