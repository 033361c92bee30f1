"""Registries of route handlers: each binds a function to an operation, as `toolkit/toolset.py` does for tools."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..contract.merge import Json
from ..contract.operation import Operation

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Op = TypeVar("Op", bound=Operation[Any])
Emit = Callable[[Json], Awaitable[None]]
"""Sends the next value of a streamed answer."""


@dataclass(frozen=True)
class Implementation:
    """A handler and its coverage.

    `proof` names the test that shows its effect. `missing` says what is not implemented; empty for a whole operation.
    `public`: the operation is answered without an API key too.
    """

    fn: Callable[..., Any]
    proof: str
    missing: str
    public: bool = False

    @property
    def waits(self) -> bool:
        return inspect.iscoroutinefunction(self.fn)


@dataclass(frozen=True)
class Handlers:
    by_operation: dict[type[Operation[Any]], Implementation] = field(
        default_factory=dict[type[Operation[Any]], Implementation]
    )

    def implements(self, op: type[Op], *, proof: str, missing: str = "", public: bool = False) -> Callable[[F], F]:
        """Bind a function to an operation.

        The function gets a `Tx` (or, if it is async, a `Unit`) and the operation. A function with a streamed answer
        gets an `Emit` as well, and returns nothing. `proof`: name of a test that reads the effect back by another
        route. `missing`: the part that is not implemented yet. `public`: the operation concerns one agent and is
        answered without an API key too; its function must check the request origin itself.
        """

        def bind(fn: F) -> F:
            self.by_operation[op] = Implementation(fn, proof, missing, public)
            return fn

        return bind
