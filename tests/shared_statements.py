"""A statement is compiled once in a process, not once for each database.

SQLAlchemy keeps what it compiled for one engine, and one dialect. Each test has a database of its own, and so two
engines, while all of them speak the same dialect and run the same few hundred statements.
"""

from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

STATEMENTS = 2_000


def compile_statements_once() -> None:
    """Let all engines share one cache, in which dialects of one class are the same."""
    compiled = LRUCache[Any, Any](STATEMENTS)
    cast(Any, Engine)._compiled_cache = property(lambda _: compiled, lambda _, own: None)

    def same(self: Any, other: Any) -> bool:
        return type(self) is type(other)

    def mark(self: Any) -> int:
        return hash(cast(type[object], type(self)))

    dialect = cast(Any, DefaultDialect)
    dialect.__eq__, dialect.__hash__ = same, mark
