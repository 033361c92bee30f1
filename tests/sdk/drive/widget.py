# pyright: basic
"""The widget and its picture, with the key and without."""

import struct
import zlib

from .sdk import Sdk


def png() -> bytes:
    """One white pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"\x00\xff")) + part(b"IEND", b"")


def sweep(sdk: Sdk) -> None:
    stranger = sdk.stranger()
    ada = sdk.call("agents.create", name="Ada", conversation_config={"agent": {"first_message": "Hello."}}).agent_id
    url = sdk.call("agents.widget.avatar.create", ada, avatar_file=("face.png", png(), "image/png")).avatar_url
    shown = stranger.call("agents.widget.get", ada).widget_config
    sdk.saw("a stranger's widget", [shown.first_message, shown.avatar.type, shown.avatar.url == url])
    sdk.refused("agents.widget.avatar.create", ada, avatar_file=("face.png", b"<svg/>", "image/png"))
    sdk.refused("agents.widget.avatar.create", ada, avatar_file=("big.png", png().ljust(2**21 + 1, b"\0"), "image/png"))

    sdk.call("agents.update", ada, platform_settings={"auth": {"enable_auth": True}})
    stranger.refused("agents.widget.get", ada)
    stranger.refused("agents.widget.get", ada, conversation_signature="made-up")
    signed = sdk.call("conversations.get_signed_url", agent_id=ada).signed_url
    stranger.call("agents.widget.get", ada, conversation_signature=signed.rpartition("=")[2])
    sdk.call("agents.update", ada, platform_settings={"auth": {"allowlist": [{"hostname": "shop.example.com"}]}})
    stranger.refused("agents.widget.get", ada)
    sdk.call("agents.delete", ada)
