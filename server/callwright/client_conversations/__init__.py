"""Text conversations of the assistant that stay open between its tool calls."""
