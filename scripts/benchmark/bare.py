"""The baseline of a call: `mcp` with one tool that makes one HTTP request and answers text of a given size.

usage: bare.py API_URL REPLY_CHARACTERS
"""

import sys

import httpx2 as httpx
from mcp.server import MCPServer

API_URL, SIZE = sys.argv[1], int(sys.argv[2])

# At the default level the log line of each request costs as much as the request, where `rich` is installed.
server = MCPServer("bare", version="0", log_level="WARNING")
client = httpx.AsyncClient(base_url=API_URL)


@server.tool(structured_output=False)
async def list_agents(page_size: int = 30) -> str:
    """List agents."""
    answer = await client.get("/v1/convai/agents", params={"page_size": page_size})
    # Without quotes, so that the text is as long on the wire as it is here.
    text = answer.text.replace('"', "'")
    return (text * (SIZE // len(text) + 1))[:SIZE]


server.run("stdio")
