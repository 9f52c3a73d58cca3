"""Fixtures of the server's tests: a world on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from world import make_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[Any]:
    """A platform with every party signed in; the test runs once on each engine."""
    made = make_world(tmp_path / "world", database_url)
    yield made
    made.platform.storage.engine.dispose()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[Any]:
    """The same on SQLite alone, for what the engine has no part in."""
    made = make_world(tmp_path / "world", None)
    yield made
    made.platform.storage.engine.dispose()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One platform on SQLite for a whole module of tests, none of which may change anything."""
    made = make_world(tmp_path_factory.mktemp("shared") / "world", None)
    yield made
    made.platform.storage.engine.dispose()
