"""The tests of the provable log share a logged life of two orders (`logged`) and an attacker's tools (`tampering`)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
for folder in (HERE / "shared", HERE.parent / "ledger" / "shared"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A logged life with several heads and a checkpoint in the middle, on each engine; tests roll back what they do."""
    folder = tmp_path_factory.mktemp("logged")
    if request.param == "sqlite":
        url = _copied(request.getfixturevalue("migrated_sqlite"), folder)
    else:
        template = request.getfixturevalue("migrated_postgresql").rpartition("/")[2].partition("?")[0]
        url = request.getfixturevalue("fresh_database")(request.getfixturevalue("postgres"), template)
    yield from _lived(folder, url)


@pytest.fixture(scope="module")
def logged_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same on SQLite alone, for what the engine has no part in."""
    folder = tmp_path_factory.mktemp("logged")
    yield from _lived(folder, _copied(migrated_sqlite, folder))


def _copied(migrated: Path, folder: Path) -> str:
    shutil.copy(migrated, folder / "platform.db")
    return f"sqlite:///{folder / 'platform.db'}"


def _lived(folder: Path, url: str) -> Iterator[Any]:
    from life import Logged, make_world

    made = Logged.live(make_world(folder / "world", url), folder)
    yield made
    made.world.platform.storage.engine.dispose()
