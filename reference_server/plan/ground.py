"""Databases to test on: copies of the simulation's town, opened by engines as they are in production.

The simulation's own house lets nobody wait, since all its parties live in one thread; here processes and threads meet,
so connections wait for each other as a server's do. Business time stands still unless a test turns the clock.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from offcampus_server.kernel.contract import Answer
from offcampus_server.kernel.db import make_engine, metadata
from offcampus_server.kernel.unit_of_work import Storage
from offcampus_server.pipeline import Received
from simulation.house import START, House, PostgresDisk, SimulatedPlatform, SqliteDisk, VirtualClock
from sqlalchemy import Engine, select

from plan.town import Town, build

LIVED = timedelta(days=30)
"""So many days of the town have passed: thirty lessons are taught, and deadlines of this month have not run out."""


@dataclass
class Site:
    """One platform on a database of its own, from which any number of processes may open theirs."""

    url: str
    town: Town
    platform: SimulatedPlatform
    clock: VirtualClock
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def engine(self) -> Engine:
        return self.platform.storage.engine

    def opened(self) -> Site:
        """The same platform over connections of its own: what a thread or a forked process uses."""
        storage = self.platform.storage
        mine = Storage(
            make_engine(self.url), self.clock, storage.rules, storage.vault, storage.source, storage.cursor_secret
        )
        return replace(self, platform=replace(self.platform, storage=mine))

    def opened_later(self, delta: timedelta) -> Site:
        """The same platform, over the same connections, at a later business time."""
        clock = VirtualClock(hands=[self.clock.now() + delta])
        storage = replace(self.platform.storage, clock=clock)
        return replace(self, clock=clock, platform=replace(self.platform, storage=storage))

    def serve(
        self, party: str, operation_id: str, path: Mapping[str, str] | None = None, body: Any = None,
        key: str | None = "", if_match: int | None = None, raw: bytes | None = None,
    ) -> Answer:  # fmt: skip
        """A request of a party, from its bytes to its answer; `key=""` draws a fresh one. Raises Problem."""
        headers = {"x-party": self.town.parties.get(party, party), "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key or f"key-{next(self._numbers):012}"
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        operation = self.platform.operations[operation_id].operation
        content = raw if raw is not None else b"" if body is None else orjson.dumps(body)
        address = operation.path.format(**(path or {}))
        received = Received(operation.method, address, "", headers, content, "req-plan")
        return self.platform.serve(operation_id, path or {}, received)

    def fresh(self, kind: str) -> str:
        """An own reference that nobody has used here."""
        return f"{kind}-{next(self._numbers)}"

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Raw rows, as they are committed; `?` stands for a value."""
        if not self.url.startswith("sqlite"):
            statement = statement.replace("%", "%%").replace("?", "%s")
        with self.engine.connect().execution_options(reading=True) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, values)]

    def state(self) -> dict[str, list[str]]:
        """Every row that an operation may leave, but for keys and the trail of refusals: what has an effect is here."""
        found: dict[str, list[str]] = {}
        with self.engine.connect().execution_options(reading=True) as connection:
            for table in metadata.sorted_tables:
                if table.name in ("idempotency_keys", "alembic_version"):
                    continue
                query = select(table)
                if table.name == "audit":
                    query = query.where(table.c.outcome != "refused")
                found[table.name] = sorted(repr(tuple(row)) for row in connection.execute(query))
        return found

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()


class Ground:
    """A town on one engine, and fresh copies of it. `house` is the template's; nothing is served from it."""

    def __init__(self, server: str | None = None) -> None:
        self.house = House("postgresql" if server else "sqlite", server)
        with self.house.simulated():
            self.town = build(self.house)
        self.copies = itertools.count(1)

    def fresh(self, lived: timedelta = LIVED) -> Site:
        """A copy of the town, `lived` after its beginning."""
        return self.site(self.copy(), lived)

    def copy(self) -> str:
        """The address of a new database like the template."""
        disk, number = self.house.disk, next(self.copies)
        if isinstance(disk, SqliteDisk):
            path = disk.folder / f"site-{number}.db"
            shutil.copy(disk.folder / "template", path)
            return f"sqlite:///{path}"
        assert isinstance(disk, PostgresDisk)
        name = f"{disk.template}_site_{number}"
        disk._run(f'CREATE DATABASE "{name}" TEMPLATE "{disk.template}" STRATEGY FILE_COPY')
        return disk.address(name).replace("postgresql://", "postgresql+psycopg://", 1)

    def site(self, url: str, lived: timedelta = LIVED) -> Site:
        """A platform on a database that stands already."""
        clock = VirtualClock(hands=[START + lived])
        known = self.house.platform
        storage = Storage(
            make_engine(url), clock, known.storage.rules, known.storage.vault, known.storage.source,
            known.storage.cursor_secret,
        )  # fmt: skip
        platform = SimulatedPlatform(known.settings, storage, known.keyring, known.rules, known.operations)
        return Site(url, self.town, platform, clock, itertools.count(10**6 * next(self.copies)))

    def drop(self, site: Site) -> None:
        """Remove a copy."""
        site.close()
        if site.url.startswith("sqlite"):
            path = Path(site.url.removeprefix("sqlite:///"))
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        else:
            disk = self.house.disk
            assert isinstance(disk, PostgresDisk)
            disk._run(f'DROP DATABASE IF EXISTS "{site.url.rpartition("/")[2].partition("?")[0]}" WITH (FORCE)')

    def close(self) -> None:
        """Remove everything."""
        self.house.close()


@contextmanager
def ground(server: str | None) -> Iterator[Ground]:
    """A ground that is gone afterwards."""
    made = Ground(server)
    try:
        yield made
    finally:
        made.close()
