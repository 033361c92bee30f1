"""Which function implements which operation, and how far. The engine's twin of `tools/toolset.py`."""

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
    """A handler, and how real it is: `missing` is empty where nothing is, and `proof` names the test that shows it."""

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

        It gets a `Tx` (or, if it is async, a `Unit`) and the operation; one whose answer is a stream gets an `Emit`
        as well, and answers nothing. `proof`: name of a test that reads the effect back by another route. `missing`:
        what it does not do yet. `public`: asked without a key too, about one agent; it must look at the origin itself.
        """

        def bind(fn: F) -> F:
            self.by_operation[op] = Implementation(fn, proof, missing, public)
            return fn

        return bind
