"""Turn functions into MCP tools: published list, checked arguments, approval, results and errors."""
