"""What stands between the network and the MCP server: who gets in, how much, and what the operator may look at."""
