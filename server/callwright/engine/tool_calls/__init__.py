"""The tool calls of live conversations: webhook requests, client tools, and calls to MCP servers."""
