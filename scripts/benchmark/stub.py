"""A stand-in for the hosted platform's REST API on the loopback: always the same ten agents.

It speaks just enough HTTP/1.1 by hand: with a real server here, most of a call's time would be the stub's, and servers
that differ would look alike.

usage: stub.py DELAY_MS. Prints its port when it listens.
"""

import asyncio
import json
import sys
from typing import Any

DELAY = float(sys.argv[1]) / 1000
AGENTS: dict[str, Any] = {
    "agents": [
        {
            "agent_id": f"agent_{i:028d}",
            "name": f"Support agent {i}",
            "tags": ["prod", "en"],
            "created_at_unix_secs": 1_760_000_000 + i,
            "access_info": {
                "is_creator": True,
                "creator_name": "Ann",
                "creator_email": "ann@example.com",
                "role": "admin",
            },
            "last_call_time_unix_secs": None,
        }
        for i in range(10)
    ],
    "next_cursor": None,
    "has_more": False,
}
BODY = json.dumps(AGENTS).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Stub(asyncio.Protocol):
    """One keep-alive connection. The requests of the benchmark are GETs: their end is the empty line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        *requests, self._read = (self._read + data).split(b"\r\n\r\n")
        for _ in requests:
            if DELAY:
                asyncio.get_running_loop().call_later(DELAY, self._transport.write, ANSWER)
            else:
                self._transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
