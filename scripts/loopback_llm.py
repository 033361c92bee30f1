"""A scripted model at the chat-completions wire format: it plays the demo's agent, its caller and its judge.

It knows one story, of a stolen bike. Everything around it is real: the stream, the tool call in pieces, the workflow
that asks it which way to go, the judges whose answers are checked.
"""

import json
import re
import sys
from contextlib import suppress
from typing import Any

import anyio
from tests.dialogue.llm_peer import Call, Reply, Say, peer
from tests.dialogue.rehearsals import role

Json = dict[str, Any]

PORT = 8399
LINES = (
    "Hello, my rented bike was stolen outside the market! My booking is HC-2041.",
    "At ten this morning. What do I do first?",
    "I will. Thank you, goodbye.",
)
ADVICE = (
    "I am sorry to hear that. Report the theft to the police first and ask for a crime reference number. Then send it"
    " to the claims desk; what the cover pays is decided there."
)


def play(request: Json) -> Reply:
    match role(request):
        case "user":
            return Say(_next_line(request))
        case "judge":
            return Say(json.dumps(_judgement(request["messages"][1]["content"])))
        case _:
            return _agent(request)


def _next_line(request: Json) -> str:
    """The caller's words are the answers of the model that plays the caller."""
    said = sum(message["role"] == "assistant" for message in request["messages"])
    return LINES[said] + (" [[CONVERSATION-OVER]]" if said == len(LINES) - 1 else "")


def _agent(request: Json) -> Say:
    last, tools = request["messages"][-1], [tool["function"]["name"] for tool in request.get("tools") or ()]
    if last["role"] == "tool":
        return Say("I have your booking: a city bike with Harbour Cover. When did you last see it?")
    heard = str(last["content"])
    if "find_booking" in tools and (booking := re.search(r"HC-\d+", heard)):
        return Say("One moment, I look at your booking.", (Call("find_booking", json.dumps({"booking": booking[0]})),))
    return Say("Goodbye, and take care." if "goodbye" in heard.lower() else ADVICE)


def _judgement(task: str) -> Json:
    if "Conditions:" in task:
        stolen = "stolen" in task.rpartition('"role": "user"')[2]
        listed = task.partition("Conditions:\n")[2].splitlines()
        theft = next((int(line.partition(":")[0]) for line in listed if "stolen" in line and line[0].isdigit()), None)
        return {"condition": theft if stolen else None, "rationale": "The caller says so." if stolen else "Not said."}
    if "sum the conversation up" in task:
        return {"summary": "A stolen bike was reported; the caller was sent to the police.", "title": "Stolen bike"}
    if "find one value" in task:
        return {"value": "HC-2041", "rationale": "Named in the first sentence."}
    said = "report the theft to the police" in task.rpartition("<transcript>")[2].lower()
    if "police" in task.rpartition("<transcript>")[0]:
        return {
            "result": "success" if said else "failure",
            "rationale": "The agent says so." if said else "Never said.",
        }
    return {"result": "success", "rationale": "Nothing in the transcript speaks against it."}


async def main(port: int) -> None:
    async with peer(play, port) as at:
        print(f"A scripted model answers at {at.base_url} until you stop it. In another terminal:")
        print(f"CALLWRIGHT_LLM_BASE_URL={at.base_url} CALLWRIGHT_LLM_MODEL=scripted scripts/demo", flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else PORT)
