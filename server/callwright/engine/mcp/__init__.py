"""The MCP servers of agents: a client for them, and the approval of their tools."""
