"""What a conversation is begun with: the agent's role, read from its rows."""
