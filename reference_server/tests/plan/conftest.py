"""A ground for the tests of the plan: one town on each engine for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from offcampus_server.kernel.observe import configure_logs
from plan.ground import Ground


@pytest.fixture(scope="session")
def sqlite_ground() -> Iterator[Ground]:
    """A town on SQLite."""
    configure_logs("error")
    made = Ground()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str | None:
    """The address of a PostgreSQL server, or None for SQLite."""
    configure_logs("error")
    return None if request.param == "sqlite" else request.getfixturevalue("postgres")
