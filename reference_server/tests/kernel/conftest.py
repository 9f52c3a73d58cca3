"""A world that many tests share, where none of them may change anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One platform on SQLite for a whole module of refusals."""
    made = sys.modules["world"].make_world(tmp_path_factory.mktemp("shared") / "world", None)
    yield made
    made.platform.storage.engine.dispose()
