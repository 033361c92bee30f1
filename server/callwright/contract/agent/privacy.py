"""What is kept of conversations."""

from typing import Annotated

from ..common import Limits, Maybe, Wire

RetentionDays = Annotated[int, Limits(ge=-1, source="guide: retention")]
"""Counted from the end of the call: -1 keeps for ever, 0 deletes at once; 730 unless told otherwise."""


class Privacy(Wire):
    """What is kept of a conversation, and how long."""

    record_voice: Maybe[bool] = None
    retention_days: Maybe[RetentionDays] = None
    delete_transcript_and_pii: Maybe[bool] = None
    delete_audio: Maybe[bool] = None
    apply_to_existing_conversations: Maybe[bool] = None
    """A shorter retention deletes older conversations at once."""
    zero_retention_mode: Maybe[bool] = None
    """Nothing of a conversation is stored."""
