"""The main job through a real MCP client and a real server process; every step says what was asked and what came back.

With a terminal you are asked before the delete. Without one, the demo answers: first no, then yes.
"""

import json
import os
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ElicitResult

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
COMMAND = shutil.which("callwright") or str(Path(sys.executable).with_name("callwright"))
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Demo:
    """One run: a client, the policy of each tool, and what the person said when nobody is there."""

    def __init__(self) -> None:
        self.policies: dict[str, str] = {}
        self.answers = iter([False, True])
        self.step = 0

    async def ask(self, context: Any, params: Any) -> ElicitResult:
        """The server asks the person: here, at this terminal."""
        print(f"   {BOLD}asked     {params.message}{PLAIN}")
        if sys.stdin.isatty():
            print("             Go ahead? [y/N] ", end="", flush=True)
            yes = (await anyio.to_thread.run_sync(sys.stdin.readline)).strip().lower() in ("y", "yes")
        else:
            yes = next(self.answers)
            print(f"   answered  {'yes' if yes else 'no'} (no terminal here, so the demo answers)")
        return ElicitResult(action="accept", content={"approve": yes})

    def say(self, wish: str) -> None:
        self.step += 1
        print(f"\n{BOLD}{self.step}. “{wish}”{PLAIN}")

    async def call(self, client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        shown = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
        print(f"   tool      {tool}({shown})")
        print(f"   approval  {self.policies[tool].replace('_', ' ')}")
        result = await client.call_tool(tool, arguments)
        text = "\n".join(block.text for block in result.content if block.type == "text")
        print(textwrap.indent(_wrapped(text), f"   {DIM}│{PLAIN} ", lambda _: True))
        return result


async def main(home: Path) -> None:
    demo = Demo()
    server = StdioServerParameters(
        command=COMMAND, args=["serve", "--platform", "embedded", "--toolsets", "all"], env=_environment(home)
    )
    async with Client(server, elicitation_callback=demo.ask) as client:
        tools = (await client.list_tools()).tools
        demo.policies = {tool.name: str((tool.meta or {}).get("callwright/approval")) for tool in tools}
        print(f"{BOLD}Callwright: from a document to a rehearsed agent{PLAIN}")
        print(f"{len(tools)} tools over MCP {client.protocol_version}; data in {home}")

        demo.say("Where do I work, and what is missing?")
        await demo.call(client, "get_status", {})

        demo.say("Learn our handbook.")
        handbook = (EXAMPLES / "harbour-cycles-handbook.md").read_text(encoding="utf-8")
        arguments = {"name": "Harbour Cycles handbook", "text": handbook}
        document = _facts(await demo.call(client, "create_text_document", arguments))

        demo.say("Make me a phone assistant from it.")
        arguments = {
            "name": "Robin",
            "prompt": (EXAMPLES / "prompt.txt").read_text(encoding="utf-8"),
            "first_message": "Harbour Cycles, this is Robin, an automated assistant; this call is recorded.",
            "document_ids": [document["document_id"]],
            "tags": ["demo"],
        }
        agent = _facts(await demo.call(client, "create_agent", arguments))

        demo.say("Rehearse a worried customer, and judge how it went.")
        arguments = {
            "agent_id": agent["agent_id"],
            "caller": (EXAMPLES / "customers" / "stolen-bike.txt").read_text(encoding="utf-8").strip(),
            "criteria": ["Tells the caller to report the theft to the police", "Promises nothing about the insurance"],
        }
        rehearsed = _facts(await demo.call(client, "simulate_conversation", arguments))

        if _has_model():
            await _with_a_model(demo, client, agent["agent_id"])

        demo.say("Let me talk to it myself.")
        talk = _facts(await demo.call(client, "start_conversation", {"agent_id": agent["agent_id"]}))
        held = {"conversation_id": talk["conversation_id"]}
        asked = "My bike was stolen! Booking HC-2041." if _has_model() else "How much is the deposit for a city bike?"
        answer = _facts(await demo.call(client, "send_message", {**held, "text": asked}))
        for waiting in answer["tools_waiting"]:
            results = {waiting["tool_call_id"]: {"bike": "city bike", "cover": True}}
            await demo.call(client, "send_message", {**held, "tool_results": results})
        await demo.call(client, "end_conversation", held)

        demo.say("Show me that conversation's record.")
        await demo.call(client, "list_conversations", {"agent_id": agent["agent_id"], "include_simulated": True})

        demo.say("Be warmer when a bike was stolen.")
        warmer = "Harbour Cycles, Robin here, an automated assistant on a recorded line. How can I help?"
        await demo.call(client, "update_agent", {"agent_id": agent["agent_id"], "first_message": warmer})

        demo.say("Delete the rehearsal.")
        await demo.call(client, "delete_conversation", {"conversation_id": rehearsed["conversation_id"]})
        if not sys.stdin.isatty():
            demo.say("Delete it after all.")
            await demo.call(client, "delete_conversation", {"conversation_id": rehearsed["conversation_id"]})

        demo.say("What did you change?")
        await demo.call(client, "list_changes", {})
    _print_hosts()


async def _with_a_model(demo: Demo, client: Client, agent_id: str) -> None:
    """What takes a model: tools that the agent chooses to call, a workflow that it moves along, judges that judge."""
    demo.say("Let it look bookings up, and take thefts down step by step.")
    desk = json.loads((EXAMPLES / "theft-desk.json").read_text(encoding="utf-8"))
    _facts(await demo.call(client, "update_agent", {"agent_id": agent_id, "config": desk}))

    demo.say("Rehearse the theft again: does it look the booking up, and change to the theft desk?")
    arguments = {
        "agent_id": agent_id,
        "caller": "Somebody whose rented bike, booking HC-2041, was stolen, and who wants to know what to do.",
        "criteria": ["Tells the caller to report the theft to the police", "Promises nothing about the insurance"],
        "tool_mocks": {"find_booking": {"bike": "city bike", "cover": True}},
        "max_turns": 12,
    }
    await demo.call(client, "simulate_conversation", arguments)


def _has_model() -> bool:
    return any(os.environ.get(name) for name in ("CALLWRIGHT_LLM_BASE_URL", "CALLWRIGHT_LLM_ROUTES"))


def _environment(home: Path) -> dict[str, str]:
    """What chooses a model, and nothing that would change what the demo shows; never a hosted account's key."""
    kept = ("CALLWRIGHT_LLM_", "CALLWRIGHT_PROXY_URL", "CALLWRIGHT_LOG_LEVEL")
    chosen = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    return {**chosen, "CALLWRIGHT_HOME": str(home)}


def _print_hosts() -> None:
    entry = {"command": COMMAND, "args": ["serve"]}
    claude = json.dumps({"mcpServers": {"callwright": entry}})
    code = json.dumps({"servers": {"callwright": {"type": "stdio", **entry}}})
    print(f"\n{BOLD}Use it from your assistant{PLAIN}")
    print(f"   Claude Code     claude mcp add callwright -- {COMMAND} serve")
    print(f"   Claude Desktop  {claude}")
    print(f"   Cursor          {claude}")
    print(f"   VS Code         {code}")
    print(
        "   Where these lines go: README.md, Add it to your assistant. They use your own data folder, not the demo's;"
    )
    print("   to see the demo's agent there, add its folder as CALLWRIGHT_HOME to the host's env.")


def _facts(result: CallToolResult) -> dict[str, Any]:
    if result.is_error or not isinstance(result.structured_content, dict):
        sys.exit("The demo stops here: the call above failed.")
    return result.structured_content


def _short(value: object) -> str:
    if not isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 120 else f"{text[:117]}…"
    text = " ".join(value.split())
    return repr(text if len(text) <= 48 else f"{text[:45]}… ({len(text):,} characters)")


def _wrapped(text: str) -> str:
    width = min(shutil.get_terminal_size((110, 24)).columns, 130) - 8
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, width, subsequent_indent="    ", max_lines=4, placeholder=" …") or [""]
    return "\n".join(lines)


if __name__ == "__main__":
    chosen = os.environ.get("CALLWRIGHT_HOME")
    folder = Path(chosen) if chosen else Path(tempfile.mkdtemp(prefix="callwright-demo-"))
    anyio.run(main, folder)
