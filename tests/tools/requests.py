"""What people ask for in their own words, and the tool that should come first."""

from tests.samples import SAMPLES

REQUESTS = {
    **{phrase: row.tool for row in SAMPLES for phrase in row.phrases},
    "is this workflow all right before I save it": "validate_workflow",
    "say something to the agent in the conversation": "send_message",
    "hang up the conversation": "end_conversation",
    "what was changed lately and who approved it": "list_changes",
    "undo the last change": "undo_change",
    "is everything set up, which platform is this": "get_status",
    "which fields does the tts configuration have": "describe_config",
}
