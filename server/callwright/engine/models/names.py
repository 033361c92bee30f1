"""Names of models that have a meaning on the platform, independent of the endpoint that serves them."""

CUSTOM_LLM = "custom-llm"
"""The model name of agents with their own endpoint."""

BACKUPS = (
    "gemini-2.5-flash",
    "gemini-2.0-flash",
    "gemini-2.0-flash-lite",
    "claude-3-7-sonnet",
    "claude-3-5-sonnet",
    "claude-3-5-sonnet-v1",
    "gpt-4o",
    "gemini-1.5-pro",
    "gemini-1.5-flash",
)
"""Backup models for a model that fails, in the platform's order."""

_KEEP_NOTHING = (
    "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.0-flash", "gemini-2.0-flash-lite", "gemini-1.5-flash",
    "gemini-1.5-pro", "gemini-1.0-pro", "claude-3-7-sonnet", "claude-3-5-sonnet", "claude-3-haiku", "claude-3-0-haiku",
    CUSTOM_LLM,
)  # fmt: skip


def keeps_nothing(llm: str) -> bool:
    """Whether zero retention allows this model. A dated variant counts as its family."""
    return llm.startswith(_KEEP_NOTHING)
