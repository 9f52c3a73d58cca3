"""A life whose every fact is logged: receipts, releases executed and failed, a refund; heads signed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from money import agreed, execute, fail, instructions
from offcampus_server.kernel.clock import security_instant
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.prooflog import checkpoints, heads, sequencer
from offcampus_server.prooflog.checkpoints import Checkpoint
from offcampus_server.prooflog.verification import Report, verify
from sqlalchemy import Connection
from world import World, make_world

__all__ = ["Logged", "log_all", "make_world", "sign"]


def log_all(world: World, at_a_time: int = 1000) -> int:
    """Let the sequencer run."""
    return sequencer.run(world.platform.storage, security_instant(), at_a_time=at_a_time)


def sign(world: World) -> int:
    """Sign a head."""
    return heads.run(world.platform.storage, world.platform.keyring, security_instant())


@dataclass
class Logged:
    """A world with a log, and what somebody kept outside: a checkpoint over most of it, with and without its list."""

    world: World
    checkpoint: Checkpoint
    bare: Checkpoint

    @classmethod
    def live(cls, world: World, folder: Path) -> Logged:
        world.ready()
        log_all(world, at_a_time=7)
        sign(world)
        for number in (1, 2, 3):
            world.confirm(world.report(number)[0])
        first, second, *_ = instructions(world)
        world.ok(execute(world, first["id"]))
        world.ok(fail(world, second["id"]))
        log_all(world)
        sign(world)
        agreed(world)
        log_all(world, at_a_time=3)
        sign(world)
        checkpoint, bare = cls._keep(world, folder)
        for item in instructions(world, state="issued"):
            world.ok(execute(world, item["id"]))
        log_all(world)
        sign(world)
        return cls(world, checkpoint, bare)

    @staticmethod
    def _keep(world: World, folder: Path) -> tuple[Checkpoint, Checkpoint]:
        file, leaves = folder / "checkpoint.json", folder / "leaves.txt"
        with world.platform.storage.reading() as work:
            head = heads.newest(work.connection)
            assert head is not None
            document = heads.checkpoint(head, world.platform.keyring, security_instant())
            checkpoints.write(work.connection, file, document, leaves)
        origin = world.platform.storage.source
        return checkpoints.load(file, origin, leaves), checkpoints.load(file, origin)

    @property
    def keyring(self) -> Keyring:
        return self.world.platform.keyring

    @contextmanager
    def attacked(self) -> Iterator[Connection]:
        """A connection of somebody who owns the database: triggers are gone; all of it is undone afterwards."""
        connection = self.world.platform.storage.engine.connect()
        transaction = connection.begin()
        try:
            drop_triggers(connection)
            yield connection
        finally:
            transaction.rollback()
            connection.close()

    def judged(self, connection: Connection, checkpoint: Checkpoint | None, **how: Any) -> Report:
        return verify(connection, self.keyring, checkpoint, **how)


def drop_triggers(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for name in names:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    query = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    for name, table in connection.exec_driver_sql(query).all():
        connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")
