"""One platform as one call of a tool sees it: each fact is read once, until something may have changed it."""

import json
from collections.abc import AsyncGenerator
from typing import Any, TypeVar, cast

from ..contract.operation import Operation, Stream
from .client import ApiClient

R = TypeVar("R")
T = TypeVar("T")
Request = tuple[type[Operation[Any]], str, str]


class SharedReads(ApiClient):
    """The connection of `client`, on which a GET that was answered is not sent again before `forget`.

    A question, the record of what a change replaces and the tool itself look at the same thing. They share its answer
    within one phase of a call: until a change is sent, and until a person was waited for.
    """

    def __init__(self, client: ApiClient) -> None:
        vars(self).update(vars(client))  # the same key, bounds and connection, which stay the client's to close
        self._answers: dict[Request, Any] = {}

    def forget(self) -> None:
        """From here on everything is read anew."""
        self._answers.clear()

    async def send(self, op: Operation[R], *, deadline: float | None = None, again: bool = False) -> R:
        """As the client's. `again`: the platform is asked although it has answered this already."""
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
    """What two equal GETs have in common."""
    return type(op), op.url(), json.dumps(op.query(), sort_keys=True)
