"""The MCP servers of agents: asked as a client, with the approval of their tools."""
