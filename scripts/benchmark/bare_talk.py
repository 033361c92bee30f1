"""The baseline of a conversation: a WebSocket handler that hands what is said to a model, and on what it answers.

It keeps the conversation in memory, and nothing else: no agent, no tools, no record.

usage: bare_talk.py MODEL_URL. Prints its port when it listens.
"""

import json
import socket
import sys
from typing import Any

import httpx2 as httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
client = httpx.AsyncClient(base_url=sys.argv[1], limits=limits, timeout=60)


async def talk(caller: WebSocket) -> None:
    await caller.accept("convai")
    told: list[dict[str, str]] = [{"role": "system", "content": "Help the caller."}]
    try:
        await caller.receive_json()
        await caller.send_json({"type": "conversation_initiation_metadata"})
        while True:
            said = await caller.receive_json()
            told.append({"role": "user", "content": said["text"]})
            answer = await reply(caller, told)
            told.append({"role": "assistant", "content": answer})
            await caller.send_json({"type": "agent_response", "agent_response_event": {"agent_response": answer}})
    except WebSocketDisconnect:
        return


async def reply(caller: WebSocket, told: list[dict[str, str]]) -> str:
    asked: dict[str, Any] = {"model": "bench", "messages": told, "stream": True}
    answer = ""
    async with client.stream("POST", "/chat/completions", json=asked) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            for choice in json.loads(line.removeprefix("data: "))["choices"]:
                if text := choice["delta"].get("content"):
                    answer += text
                    part = {"text": text, "type": "delta"}
                    await caller.send_json({"type": "agent_chat_response_part", "text_response_part": part})
    return answer


config = uvicorn.Config(
    Starlette(routes=[WebSocketRoute("/v1/convai/conversation", talk)]),
    ws="wsproto",
    ws_ping_interval=None,  # a machine that is busy for long is measured, and loses nobody by it
    log_level="warning",
)
# Whoever makes the socket without naming TCP gets no TCP_NODELAY from asyncio, and waits 40 ms for acknowledgements.
listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listening.bind(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(config).run([listening])
