"""Migrations: named steps, each applied once. A released step is never edited or renamed; new steps are added.

The table `schema_step` records the applied steps of a database by name, so that a step can be added to any part of a
component. The column `step` counts the steps of a component in the order in which this database applied them. Databases
of version 0.1.0 and before have that number alone, and `Component.numbered` lists which steps those were. A program
of that time compares the number with the steps that it knows: it opens a database without newer steps, and refuses
one that has any, with an error text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from .. import __version__
from ..contract.errors import ApiError


class Sql(NamedTuple):
    """The statements of a step that differ between the two databases."""

    sqlite: str
    postgresql: str


@dataclass(frozen=True)
class Component:
    """A part of the schema with its own steps: `engine` or `ledger`."""

    steps: Mapping[str, str | Sql]
    """SQL by name, in the order for an empty database. Statements end with `;`, which no text in them may contain."""
    numbered: Sequence[str] = ()
    """Step names of databases without names, in the order of their numbers. This list is never changed."""


class NewerDatabase(ApiError):
    """The database was written by a newer version of this program."""

    code = "newer_database"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is of a newer version of callwright: it has {found}, and this is version {__version__}."
            " Nothing was changed. Update callwright, or point CALLWRIGHT_HOME (or CALLWRIGHT_DATABASE_URL, where that"
            " is set) somewhere else."
        )


@dataclass(frozen=True)
class MigrationPlan:
    """The pending migration of a database."""

    empty: bool
    """No step was ever applied to it."""
    unnamed: bool
    """Its steps are numbered, and will be recorded by name."""
    applied: Mapping[str, int]
    """The number of applied steps of each component."""
    steps: Sequence[tuple[str, str]]
    """Component and name of each pending step, in order."""

    def __bool__(self) -> bool:
        return self.empty or self.unnamed or bool(self.steps)


def plan(db: Connection, components: Mapping[str, Component]) -> MigrationPlan:
    """Only reads. Raises NewerDatabase if the database has a step that `components` do not contain."""
    known = db.dialect.has_table(db, "schema_step")
    found = db.execute(text("SELECT * FROM schema_step ORDER BY component, step")) if known else None
    unnamed = found is not None and "name" not in found.keys()  # noqa: SIM118  # not a dict: its rows have the keys
    has: dict[str, list[str]] = {name: [] for name in components}
    for row in found.mappings() if found is not None else ():
        component, number = row["component"], row["step"]
        steps = components.get(component, Component({}))
        name = _numbered(component, number, steps) if unnamed else row["name"]
        if name not in steps.steps:
            raise NewerDatabase(f"the step {component}/{name}, which this one does not know")
        has[component].append(name)
    lacking = [(c, step) for c, each in components.items() for step in each.steps if step not in has[c]]
    return MigrationPlan(not known, unnamed, {name: len(steps) for name, steps in has.items()}, lacking)


def migrate(db: Connection, components: Mapping[str, Component], what: MigrationPlan) -> None:
    """Apply a result of `plan` in the same transaction, or under the lock that every migrating process takes."""
    if what.empty:
        db.exec_driver_sql(
            "CREATE TABLE schema_step (component TEXT NOT NULL, step INTEGER NOT NULL, name TEXT,"
            " PRIMARY KEY (component, step))"
        )
    if what.unnamed:
        db.exec_driver_sql("ALTER TABLE schema_step ADD COLUMN name TEXT")
        for component, count in what.applied.items():
            _record(db, "UPDATE schema_step SET name = :name WHERE component = :component AND step = :step",
                    [(component, number, _numbered(component, number, components[component]))
                     for number in range(1, count + 1)])  # fmt: skip
    numbers = dict(what.applied)
    rows: list[tuple[str, int, str]] = []
    for component, name in what.steps:
        for statement in statements(components[component].steps[name], db.dialect.name):
            db.exec_driver_sql(statement)
        numbers[component] += 1
        rows.append((component, numbers[component], name))
    _record(db, "INSERT INTO schema_step (component, step, name) VALUES (:component, :step, :name)", rows)


def statements(step: str | Sql, dialect: str) -> list[str]:
    """The statements of a step for `sqlite` or `postgresql`, one by one: neither driver takes several at once."""
    sql = step if isinstance(step, str) else step.sqlite if dialect == "sqlite" else step.postgresql
    return [statement.strip() for statement in sql.split(";") if statement.strip()]


def _record(db: Connection, sql: str, rows: Sequence[tuple[str, int, str]]) -> None:
    if rows:
        db.execute(text(sql), [{"component": each, "step": number, "name": name} for each, number, name in rows])


def _numbered(component: str, number: int, steps: Component) -> str:
    if number > len(steps.numbered):
        raise NewerDatabase(f"step {number} of {component}, which this one does not know")
    return steps.numbered[number - 1]
