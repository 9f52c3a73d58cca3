"""Fixtures of the server's tests: a world on each engine."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("world", Path(__file__).with_name("world.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules["world"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["world"])


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[Any]:
    """A platform with every party signed in; the test runs once on each engine."""
    made = sys.modules["world"].make_world(tmp_path / "world", database_url)
    yield made
    made.platform.storage.engine.dispose()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[Any]:
    """The same on SQLite alone, for what the engine has no part in."""
    made = sys.modules["world"].make_world(tmp_path / "world", None)
    yield made
    made.platform.storage.engine.dispose()
