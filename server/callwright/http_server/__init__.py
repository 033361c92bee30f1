"""The HTTP servers: authentication, request limits, discovery, health checks and metrics in front of MCP."""
