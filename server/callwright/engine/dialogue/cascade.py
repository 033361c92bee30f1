"""Asks one model after another until one of them answers: the preferred one, then its backups."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

import anyio

from .llm import LLM, ModelFailed, Piece, Request

Link = Callable[[], LLM]
"""Creates a model at the first call, and returns the same one at each later call."""
Sleep = Callable[[float], Awaitable[None]]

ATTEMPTS = 3
"""The platform's minimum, counted over all models together."""


class Cascade:
    """`links`: the preferred model first, then its backups in order; a single model is only retried.

    There is no retry once a piece was passed on: the user has already received it, or the tool call will be run.
    """

    def __init__(
        self,
        links: Sequence[Link],
        *,
        attempts: int = ATTEMPTS,
        backoff_seconds: float = 0.5,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        """`attempts` in total. `backoff_seconds`: wait before a model's first retry, doubled for each further one."""
        self._links, self._attempts, self._backoff, self._sleep = links, attempts, backoff_seconds, sleep

    async def stream(self, request: Request) -> AsyncGenerator[Piece]:
        """The pieces of the first answer that arrives. Raises ModelFailed with the last error of every model."""
        course = _Course(len(self._links))
        for _ in range(self._attempts):
            if (place := course.next()) is None:
                break
            if troubles := course.troubles[place]:
                await self._sleep(max(troubles[-1].wait, self._pause(len(troubles))))
            again = replace(request, resends=len(troubles))
            handed_on = False
            try:
                async with aclosing(self._links[place]().stream(again)) as pieces:
                    async for piece in pieces:
                        handed_on = True
                        yield piece
            except ModelFailed as failed:
                if handed_on:
                    raise
                course.troubles[place].append(failed)
            else:
                return
        raise course.failure()

    def _pause(self, asked: int) -> float:
        return self._backoff * 2 ** (asked - 1) * random.uniform(1, 1.5)  # noqa: S311 (no secret)


class _Course:
    """Chooses the next model to ask from the errors so far."""

    def __init__(self, links: int) -> None:
        self.troubles: list[list[ModelFailed]] = [[] for _ in range(links)]

    def next(self) -> int | None:
        """A model not asked yet, else the backup with the fewest attempts, else the preferred model.

        Models whose error rules out a retry are skipped. Returns None if no other model is left.
        """
        usable = [place for place, troubles in enumerate(self.troubles) if not troubles or troubles[-1].again]
        fresh = [place for place in usable if not self.troubles[place]]
        backups = [place for place in usable if place > 0]
        return next(iter(fresh or sorted(backups, key=lambda place: len(self.troubles[place])) or usable), None)

    def failure(self) -> ModelFailed:
        """One error for all models, with the status of the preferred one, and its kind if it was the only one asked."""
        asked = [troubles for troubles in self.troubles if troubles]
        attempts = sum(map(len, asked))
        said = " ".join(str(troubles[-1]) for troubles in asked)
        last = asked[0][-1]
        return ModelFailed(
            f"{said} Attempts: {attempts}." if attempts > 1 else said,
            http_status=last.http_status,
            trouble=last.trouble if len(asked) == 1 else "cascade_brain_error",
        )
