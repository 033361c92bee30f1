"""The MCP server: tool visibility, resources, prompts, skills, completions, subscriptions and client logs."""
