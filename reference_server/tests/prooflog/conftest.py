"""The tests of the provable log share a logged life of two orders (`logged`) and an attacker's tools (`tampering`)."""

from __future__ import annotations

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
    import shutil

    from life import Logged, make_world

    folder = tmp_path_factory.mktemp("logged")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "platform.db")
        url = f"sqlite:///{folder / 'platform.db'}"
    else:
        template = request.getfixturevalue("migrated_postgresql").rpartition("/")[2].partition("?")[0]
        url = request.getfixturevalue("fresh_database")(request.getfixturevalue("postgres"), template)
    made = Logged.live(make_world(folder / "world", url), folder)
    yield made
    made.world.platform.storage.engine.dispose()
