"""Consistency of the two webhook settings for recordings: `send_audio` (older clients), the event `audio` (newer)."""

from ...contract.merge import Json

AUDIO = "audio"


def in_step(webhooks: Json, given: Json | None) -> Json:
    """`webhooks` after the change `given`, with both settings made equal. `events` decides if `given` names both."""
    if given is None or not given.keys() & {"events", "send_audio"}:
        return webhooks
    events: list[str] = webhooks.get("events") or []
    wanted = AUDIO in events if given.get("events") is not None else bool(given.get("send_audio"))
    if wanted is not (AUDIO in events):
        events = [*events, AUDIO] if wanted else [event for event in events if event != AUDIO]
    said = {} if wanted is bool(webhooks.get("send_audio")) else {"send_audio": wanted}
    return webhooks | {"events": events} | said
