"""Streamed responses of JSON values: one value per line, or server-sent events with one value each."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..net.http import Response, TooLarge


async def values(response: Response, limit: int) -> AsyncGenerator[bytes]:
    """The JSON text of each value as it arrives. Raises TooLarge beyond `limit` bytes, TransportError if it breaks off.

    Only the data of an event is used, and each value is on one line of it.
    """
    rest, size = b"", 0
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The answer is larger than {limit:,} bytes.")
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if value := _value(line):
                    yield value
    if value := _value(rest):
        yield value


def _value(line: bytes) -> bytes:
    text = line.strip().removeprefix(b"data:").strip()
    return b"" if text == b"[DONE]" or text.startswith((b":", b"event:", b"id:", b"retry:")) else text
