"""Frames of one step leave together, in their order, and none is lost at the end."""

import asyncio
from collections.abc import Callable

import pytest

from callwright.http_server.corked import MOST_HELD, CorkedTransport

pytestmark = pytest.mark.anyio


class Recorded(asyncio.Transport):
    """What reaches the socket."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.seen.append(bytes(data))

    def close(self) -> None:
        self.seen.append("closed")

    def abort(self) -> None:
        self.seen.append("aborted")

    def is_closing(self) -> bool:
        return bool({"closed", "aborted"} & {each for each in self.seen if isinstance(each, str)})


def corked() -> tuple[CorkedTransport, list[bytes | str]]:
    inner = Recorded()
    return CorkedTransport(inner, asyncio.get_running_loop()), inner.seen


async def test_what_one_step_writes_is_one_write_and_the_next_step_another() -> None:
    transport, seen = corked()
    transport.write(b"one, ")
    transport.write(bytearray(b"two"))
    assert seen == []
    await asyncio.sleep(0)
    assert seen == [b"one, two"]
    transport.write(b"three")
    await asyncio.sleep(0)
    assert seen == [b"one, two", b"three"]


async def test_much_is_not_held() -> None:
    transport, seen = corked()
    transport.write(b"x" * MOST_HELD)
    assert seen == []
    transport.write(b"x")
    assert seen == [b"x" * (MOST_HELD + 1)]


@pytest.mark.parametrize(
    ("end", "left"), [(CorkedTransport.close, [b"bye", "closed"]), (CorkedTransport.abort, ["aborted"])]
)
async def test_at_the_end_the_last_words_leave_unless_it_is_broken_off(
    end: Callable[[CorkedTransport], None], left: list[bytes | str]
) -> None:
    transport, seen = corked()
    transport.write(b"bye")
    end(transport)
    transport.write(b"too late")
    await asyncio.sleep(0)
    assert seen == left
