"""A platform in this process that can die at any point and be opened again from what its disk held at that instant.

On SQLite each life is a file in memory-backed storage; a crash copies database and write-ahead log as they are, and the
next life begins with the copy. On PostgreSQL each seed is a copy of a template database, and a crash is a connection
that goes away. Identifiers and time come from the seed, so that a history is the same every time.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import orjson
from cryptography.fernet import Fernet
from offcampus_rules import RuleSet, load_ruleset
from offcampus_server.kernel import ids, keyring, unit_of_work
from offcampus_server.kernel.clock import SHANGHAI, Clock
from offcampus_server.kernel.contract import Answer, Bound
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.unit_of_work import Storage
from offcampus_server.kernel.vault import Vault
from offcampus_server.migrations import upgrade
from offcampus_server.parties.tokens import Claims
from offcampus_server.pipeline import Caught, Platform, Received
from offcampus_server.registry import bound_operations
from offcampus_server.settings import Settings
from offcampus_spec.security import roles
from sqlalchemy import event, make_url
from sqlalchemy.exc import OperationalError

from simulation.points import Crash, Points
from simulation.schools import with_invented_cities
from simulation.servers import memory_backed

START = datetime(2026, 9, 7, 8, tzinfo=SHANGHAI)
EVERY_SCOPE = frozenset(scope for granted in roles().values() for scope in granted)
_SEALING_KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class VirtualClock(Clock):
    """A business clock that moves when it is told to."""

    hands: list[datetime] = field(default_factory=lambda: [START])

    def now(self) -> datetime:
        return self.hands[0]

    def turn(self, delta: timedelta) -> None:
        """Move on, or back."""
        self.hands[0] += delta


class _Numbers:
    """Identifiers that count up with the virtual clock instead of being drawn."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.count = clock, 0

    def uuid7(self) -> SimpleNamespace:
        self.count += 1
        millis = int(self.clock.now().timestamp() * 1000)
        return SimpleNamespace(int=(millis << 80) | (7 << 76) | (2 << 62) | self.count)


class SimulatedPlatform(Platform):
    """The platform behind its door: who calls is believed, everything else goes its usual way."""

    def _identify(self, bound: Bound, received: Received) -> Caught | None:
        return Caught(Claims(received.headers["x-party"], EVERY_SCOPE, ""))


class House:
    """One platform and its database."""

    def __init__(self, engine_name: str, postgres: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="offcampus-sim-", dir=memory_backed()))
        self.disk = SqliteDisk(self.folder) if engine_name == "sqlite" else PostgresDisk(postgres or "")
        self.engine = self.disk.engine
        self.points = Points(self.engine)
        self.clock = VirtualClock()
        self.numbers = _Numbers(self.clock)
        rules = load_ruleset()
        self.keyring = Keyring((keyring.generate(),))
        storage = Storage(
            self.engine, self.clock, lambda: rules, Vault((_SEALING_KEY,), b"l" * 32), "http://sim", b"c" * 32
        )
        settings = Settings(issuer="http://sim", development=True, validate_answers=True)
        self.platform = SimulatedPlatform(
            settings, storage, self.keyring, _always(rules), bound_operations(self.keyring)
        )
        self.requests = 0
        self.disk.create()
        upgrade(self.engine)

    @property
    def storage(self) -> Storage:
        return self.platform.storage

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """Inside, identifiers, jitter and waiting are the simulation's, and so are the rules of some cities."""
        with (
            mock.patch.object(ids, "uuid_utils", self.numbers),
            mock.patch.object(RuleSet, "release_plan", with_invented_cities(RuleSet.release_plan)),
            mock.patch.object(unit_of_work, "time", SimpleNamespace(sleep=lambda _: None)),
        ):
            yield

    def fresh(self) -> None:
        """A new database, as the template was kept."""
        self.points.disarm()
        self.disk.restore()
        self.clock.hands[0] = START
        self.numbers.count, self.requests = 10**9, 0

    def serve(
        self, party: str, operation_id: str, path: Mapping[str, str], body: Any, key: str | None = None,
        if_match: int | None = None, request_id: str = "req",
    ) -> Answer:  # fmt: skip
        """A request of a party, from its bytes to its answer. Raises Problem as the pipeline does."""
        headers = {"x-party": party, "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        operation = self.platform.operations[operation_id].operation
        address = operation.path.format(**path)
        raw = b"" if body is None else orjson.dumps(body)
        answer = self.platform.serve(
            operation_id, path, Received(operation.method, address, "", headers, raw, request_id)
        )
        self.points.reach("before answer")
        return answer

    def die(self) -> None:
        """Die here: what the disk holds now is what the next life finds."""
        self.disk.image()
        raise Crash

    def fail_disk(self) -> None:
        """The disk does not take this write."""
        raise OperationalError("", None, sqlite3.OperationalError("disk I/O error"))

    def reopen(self) -> None:
        """Begin the next life after a crash."""
        self.points.disarm()
        self.disk.reopen()

    def close(self) -> None:
        """Remove everything."""
        self.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class SqliteDisk:
    """Files of SQLite, of which only the last one is in use."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "0.db"
        self.next: Path | None = None
        self.lives = 0
        self.engine = make_engine(f"sqlite:///{self.path}")
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", _never_wait)

    def create(self) -> None:
        """Nothing: SQLite makes the file."""

    def keep(self) -> None:
        """Keep the database as the template of all seeds."""
        with self.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        self.engine.dispose()
        shutil.copy(self.path, self.folder / "template")

    def restore(self) -> None:
        """Begin anew from the template."""
        self.engine.dispose()
        self._switch(self._fresh_path())
        shutil.copy(self.folder / "template", self.path)

    def image(self) -> None:
        """Copy what the files hold at this instant, open transactions and all."""
        self.next = self._fresh_path()
        for suffix in ("", "-wal"):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                shutil.copy(source, self.next.with_name(self.next.name + suffix))

    def reopen(self) -> None:
        """Open the last image; SQLite recovers it from its log."""
        self.engine.dispose()
        if self.next is not None:
            self._switch(self.next)
            self.next = None

    def close(self) -> None:
        """Let go of the files."""
        self.engine.dispose()

    def _fresh_path(self) -> Path:
        self.lives += 1
        return self.folder / f"{self.lives}.db"

    def _switch(self, path: Path) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path = path

    def _connect(self, _: Any, __: Any, arguments: list[Any], ___: Any) -> None:
        arguments[0] = str(self.path)


class PostgresDisk:
    """Databases of a server, copied from a template."""

    name = "postgresql"

    def __init__(self, server: str) -> None:
        self.server = server
        self.template = f"sim_{id(self)}_template"
        self.database = self.template
        self.lives = 0
        self.engine = make_engine(server)
        event.listen(self.engine, "do_connect", self._connect)

    def create(self) -> None:
        """An empty database, which becomes the template."""
        self._run(f'CREATE DATABASE "{self.template}"')

    def keep(self) -> None:
        """Nobody may use the template while it is copied."""
        self.engine.dispose()

    def restore(self) -> None:
        """Begin anew from the template."""
        self.engine.dispose()
        self._drop()
        self.lives += 1
        self.database = f"{self.template}_{self.lives}"
        self._run(f'CREATE DATABASE "{self.database}" TEMPLATE "{self.template}" STRATEGY FILE_COPY')

    def image(self) -> None:
        """Nothing: the server keeps what was committed."""

    def reopen(self) -> None:
        """New connections."""
        self.engine.dispose()

    def close(self) -> None:
        """Drop what was made."""
        self.engine.dispose()
        self._drop()
        self._run(f'DROP DATABASE IF EXISTS "{self.template}"')

    def _drop(self) -> None:
        if self.database != self.template:
            self._run(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def _connect(self, _: Any, __: Any, ___: Any, parameters: dict[str, Any]) -> None:
        parameters["dbname"] = self.database
        parameters["options"] = "-c lock_timeout=50"  # a second unit of work waits for the first in the same thread

    def address(self, database: str | None = None) -> str:
        """Where a driver finds a database: the current one when none is named."""
        url = make_url(self.server).set(drivername="postgresql", database=database or self.database)
        return url.render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        import psycopg

        home = make_url(self.server).database
        with psycopg.connect(self.address(home), autocommit=True) as connection:
            connection.execute(statement)


def _never_wait(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA busy_timeout=0")  # who holds the lock runs in this very thread


def _always(rules: RuleSet) -> Callable[[], RuleSet]:
    return lambda: rules
