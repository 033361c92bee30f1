"""A caching client for one tool call: each GET is sent once, until a change may have altered its response."""

import json
from collections.abc import AsyncGenerator
from typing import Any, TypeVar, cast

from ..contract.operation import Operation, Stream
from .client import ApiClient

R = TypeVar("R")
T = TypeVar("T")
Request = tuple[type[Operation[Any]], str, str]


class SharedReads(ApiClient):
    """The connection of `client`, with a cache of GET responses until `forget`.

    A question, the record of a change's previous value and the tool itself read the same objects. They share the
    responses within one phase of a call: until a change is sent, and until a person was waited for.
    """

    def __init__(self, client: ApiClient) -> None:
        vars(self).update(vars(client))  # the same key, limits and connection, which the client closes
        self._answers: dict[Request, Any] = {}

    def forget(self) -> None:
        """Clear the cache."""
        self._answers.clear()

    async def send(self, op: Operation[R], *, deadline: float | None = None, again: bool = False) -> R:
        """Like the client's `send`. `again`: send the request even if its response is cached."""
        if op.effect != "read":
            self.forget()
            try:
                return await super().send(op, deadline=deadline)
            finally:
                self.forget()
        if op.method != "GET":
            return await super().send(op, deadline=deadline)
        asked = request_of(op)
        if again or asked not in self._answers:
            self._answers[asked] = await super().send(op, deadline=deadline)
        return cast(R, self._answers[asked])

    async def stream(self, op: Operation[Stream[T]], *, deadline: float | None = None) -> AsyncGenerator[T]:
        self.forget()
        try:
            async for value in super().stream(op, deadline=deadline):
                yield value
        finally:
            self.forget()


def request_of(op: Operation[Any]) -> Request:
    """The cache key of a GET."""
    return type(op), op.url(), json.dumps(op.query(), sort_keys=True)
