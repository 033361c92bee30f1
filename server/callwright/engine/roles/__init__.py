"""The roles of agents in conversations, read from the database: configuration, language model and overrides."""
