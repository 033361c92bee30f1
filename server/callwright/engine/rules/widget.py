"""The handlers of widgets: a widget's public settings, derived from its agent's configuration, and its avatar."""

import hashlib
from typing import Any

from sqlalchemy import delete, insert, select, update

from ...contract.agent.widget import WidgetLook
from ...contract.errors import InvalidRequest, NotFound
from ...contract.merge import Json, merged
from ...contract.operation import Blob
from ...contract.widget import GetAvatar, GetWidget, UploadAvatar, UploadedAvatar
from ..checks.access import check_origin
from ..handlers import Handlers
from ..schema.tables import agent
from ..schema.widget import avatar
from ..store.transaction import Tx

widget = Handlers()

AVATAR_BYTES = 2 * 1024 * 1024
"""Bytes of an avatar at most, enough for a few hundred pixels. This project's limit: the platform names none."""

_SIGNATURES = (
    ("image/png", b"\x89PNG\r\n\x1a\n", 0),
    ("image/jpeg", b"\xff\xd8\xff", 0),
    ("image/gif", b"GIF87a", 0),
    ("image/gif", b"GIF89a", 0),
    ("image/webp", b"WEBP", 8),
)
"""Media types of avatars, each with its signature bytes and their offset. SVG is left out: it can hold scripts."""


@widget.implements(GetWidget, proof="test_the_widget_shows_what_the_agent_is_configured_to", public=True)
def get_widget(tx: Tx, op: GetWidget) -> Json:
    """The widget's settings. Without the API key, the agent's allowed pages and its authentication are enforced."""
    document: Json = tx.one(agent, op.agent_id)["document"]
    check_origin(tx, document | {"agent_id": op.agent_id}, op.conversation_signature)
    return {"agent_id": op.agent_id, "widget_config": _config(tx, document)}


@widget.implements(UploadAvatar, proof="test_an_uploaded_picture_is_served_where_the_widget_names_it")
def upload_avatar(tx: Tx, op: UploadAvatar) -> UploadedAvatar:
    document: Json = tx.one(agent, op.agent_id)["document"]
    data = op.avatar_file.data
    row = {"workspace": tx.workspace, "agent_id": op.agent_id, "media_type": _image_type(data), "data": data}
    tx.db.execute(delete(avatar).where(tx.own(avatar, agent_id=op.agent_id)))
    tx.db.execute(insert(avatar).values(**row))
    # The version makes browsers fetch a new picture. The URL has no host, because only the request origin knows it.
    url = f"/v1/convai/avatars/{op.agent_id}?v={hashlib.sha256(data).hexdigest()[:12]}"
    changed = merged(document, {"platform_settings": {"widget": {"avatar": None}}})
    changed["platform_settings"]["widget"]["avatar"] = {"type": "image", "url": url}
    tx.db.execute(update(agent).where(tx.own(agent, id=op.agent_id)).values(document=changed, updated_ms=tx.now_ms))
    return UploadedAvatar(agent_id=op.agent_id, avatar_url=tx.origin.base + url)


@widget.implements(GetAvatar, proof="test_an_uploaded_picture_is_served_where_the_widget_names_it", public=True)
def get_avatar(tx: Tx, op: GetAvatar) -> Blob:
    """The avatar, for any request origin: a page shows it in an `img`, which sends no key."""
    found = select(avatar).where(tx.own(avatar, agent_id=op.agent_id))
    if (row := tx.db.execute(found).mappings().one_or_none()) is None:
        raise NotFound(f"Agent {op.agent_id!r} has no uploaded picture.")
    return Blob(row["media_type"], row["data"])


def _config(tx: Tx, document: Json) -> Json:
    kept: Json = document["platform_settings"]["widget"]
    config: Json = document["conversation_config"]
    shown: Json = {name: kept[name] for name in WidgetLook.model_fields if name in kept}
    return shown | {
        "avatar": _avatar(tx, kept.get("avatar") or {}),
        "language": config["agent"]["language"],
        "supported_language_overrides": _languages(document),
        "language_presets": _presets(document),
        "text_only": config["conversation"]["text_only"],
        "first_message": config["agent"].get("first_message"),
        "end_feedback": {"type": "rating"} if kept.get("feedback_mode") == "end" else None,
        "use_rtc": False,
    }


def _avatar(tx: Tx, kept: Json) -> Json:
    url = str(kept.get("url") or "")
    return kept | {"url": tx.origin.base + url} if url.startswith("/") else kept


def _languages(document: Json) -> list[str] | None:
    """The languages to choose from, if the widget offers the choice or the agent permits a language override."""
    overrides: Json = document["platform_settings"]["overrides"]["conversation_config_override"]
    offered = document["platform_settings"]["widget"].get("language_selector") or overrides["agent"].get("language")
    if not offered:
        return None
    config: Json = document["conversation_config"]
    return sorted({config["agent"]["language"], *config["language_presets"]})


def _presets(document: Json) -> Json:
    labels: dict[str, Json] = document["platform_settings"]["widget"].get("language_presets") or {}
    spoken: dict[str, Json] = document["conversation_config"]["language_presets"]
    return {
        language: {
            "first_message": _greeting(spoken.get(language, {})),
            "text_contents": labels.get(language, {}).get("text_contents"),
        }
        for language in sorted({*labels, *spoken})
    }


def _greeting(preset: Json) -> str | None:
    """The first message of a language preset: the written one, else the translation."""
    overrides: Json = preset.get("overrides") or {}
    own: Json = overrides.get("agent") or {}
    translation: Json = preset.get("first_message_translation") or {}
    return own.get("first_message") or translation.get("text")


def _image_type(data: bytes) -> str:
    """The media type of an image, by its content only; its file name is ignored."""
    if len(data) > AVATAR_BYTES:
        raise _refused(f"The picture has {len(data):,} bytes; at most {AVATAR_BYTES:,} are taken.", "too_long")
    for media_type, signature, at in _SIGNATURES:
        if data[at : at + len(signature)] == signature and (at == 0 or data.startswith(b"RIFF")):
            return media_type
    raise _refused("The picture must be a PNG, JPEG, WebP or GIF.", "image_type")


def _refused(message: str, kind: str) -> InvalidRequest:
    place: list[Any] = ["body", "avatar_file"]
    return InvalidRequest([{"loc": place, "msg": message, "type": kind}])
