from collections.abc import Generator

import pytest

from tests.environments import MAY_SKIP

from .postgresql import programs, server


@pytest.fixture(scope="session")
def running() -> Generator[str]:
    """A PostgreSQL server; each process of tests has one."""
    if (found := programs()) is None:
        assert MAY_SKIP, "PostgreSQL's programs are wanted here"
        pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")
    with server(found) as conninfo:
        yield conninfo
