"""Fixtures of the server's tests: a world on each engine.

Every world starts from a copy of one migrated database: that migrating works is `test_migrations`' business.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from offcampus_server.kernel.db import make_engine
from offcampus_server.migrations import upgrade
from world import make_world


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite file."""
    path = tmp_path_factory.mktemp("migrated") / "platform.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgres: str, fresh_database: Any) -> str:
    """The address of an empty, migrated PostgreSQL database that nobody connects to any more."""
    url: str = fresh_database(postgres)
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of the test's own, on each engine."""
    if request.param == "sqlite":
        return _copied(request.getfixturevalue("migrated_sqlite"), tmp_path)
    template = request.getfixturevalue("migrated_postgresql").rpartition("/")[2].partition("?")[0]
    copy: str = request.getfixturevalue("fresh_database")(request.getfixturevalue("postgres"), template)
    return copy


def _copied(migrated: Path, folder: Path) -> str:
    shutil.copy(migrated, folder / "platform.db")
    return f"sqlite:///{folder / 'platform.db'}"


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[Any]:
    """A platform with every party signed in; the test runs once on each engine."""
    made = make_world(tmp_path / "world", migrated_url)
    yield made
    made.platform.storage.engine.dispose()


@pytest.fixture
def sqlite_world(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Any]:
    """The same on SQLite alone, for what the engine has no part in."""
    made = make_world(tmp_path / "world", _copied(migrated_sqlite, tmp_path))
    yield made
    made.platform.storage.engine.dispose()


@pytest.fixture(scope="module")
def shared_world(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One platform on SQLite for a whole module of tests, none of which may change anything."""
    folder = tmp_path_factory.mktemp("shared")
    made = make_world(folder / "world", _copied(migrated_sqlite, folder))
    yield made
    made.platform.storage.engine.dispose()
