"""The tool calls of live conversations: requests to webhooks, questions to the client, calls of MCP servers."""
