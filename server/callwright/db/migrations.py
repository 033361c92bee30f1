"""Numbered steps, each applied once, in order. A released step is never edited; the next one is added."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

Steps = Sequence[str]


def pending(db: Connection, components: Mapping[str, Steps]) -> bool:
    """Whether `migrate` has anything to do, or to refuse; reads only."""
    known = db.dialect.has_table(db, "schema_step")
    return not known or any(_done(db, name) != len(steps) for name, steps in components.items())


def migrate(db: Connection, components: Mapping[str, Steps]) -> None:
    """Bring each component (`engine`, `ledger`) to its last step, in the transaction of `db`."""
    db.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS schema_step (component TEXT NOT NULL, step INTEGER NOT NULL,"
        " PRIMARY KEY (component, step))"
    )
    for name, steps in components.items():
        done = _done(db, name)
        if done > len(steps):
            raise NewerDatabase(name, done, len(steps))
        for number, step in enumerate(steps[done:], done + 1):
            for statement in filter(str.strip, step.split(";")):
                db.exec_driver_sql(statement)
            db.execute(text("INSERT INTO schema_step VALUES (:name, :step)"), {"name": name, "step": number})


class NewerDatabase(RuntimeError):
    """The database was written by a newer version of this program."""

    def __init__(self, component: str, found: int, known: int) -> None:
        super().__init__(
            f"The database is of a newer version of callwright ({component} step {found}; this one knows {known})."
            " Update callwright, or point CALLWRIGHT_HOME at another folder."
        )


def _done(db: Connection, component: str) -> int:
    found = db.execute(
        text("SELECT COALESCE(MAX(step), 0) FROM schema_step WHERE component = :name"), {"name": component}
    )
    return int(found.scalar_one())
