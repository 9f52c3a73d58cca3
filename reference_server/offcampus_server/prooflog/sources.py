"""Which tables tell facts, and up to where no writer can still come in between.

A row's number is given before its transaction commits, so a later number may be visible before an earlier one. On
PostgreSQL every writer holds a ROW EXCLUSIVE lock on the table from before its number is given until it has
committed. So: look which is the newest visible number, then who holds that lock; when all of those are gone, nothing
below the number is missing any more, and the hot path has done nothing for it. SQLite has one writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, text

from offcampus_server.kernel import audit
from offcampus_server.kernel.facts import Fact
from offcampus_server.ledger import facts as transfers

POLL_S = 0.01


@dataclass(frozen=True)
class Source:
    """A table that tells facts. `new` are the facts that appear with a row, `ends` those that come later."""

    name: str
    table: str
    first: str
    newest: Callable[[Connection], int]
    new: Callable[[Connection, int, int, int], list[Fact]]
    told: Callable[[Connection, Sequence[int]], dict[tuple[int, str], Fact]]
    numbers: Callable[[Connection, int, int, int], list[int]]
    ends: Callable[[Connection, Sequence[int]], list[Fact]] | None = None


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "transfer", transfers.TABLE, "created", transfers.newest, transfers.created, transfers.told,
            transfers.numbers, transfers.resolved,
        ),
        Source("audit", audit.TABLE, "written", audit.newest, audit.written, audit.told, audit.numbers),
    )
}  # fmt: skip

_WRITERS = text(
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name)"
).bindparams(bindparam("tables"))


def settled(engine: Engine, patience_s: float) -> dict[str, int] | None:
    """Per source the number up to which every row is committed or never will be; None while a writer takes longer."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(reading=True) as connection, connection.begin():
            return {source.name: source.newest(connection) for source in SOURCES.values()}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        newest = {source.name: source.newest(connection) for source in SOURCES.values()}
        writing, until = _writers(connection), time.monotonic() + patience_s
        while writing & _writers(connection):
            if time.monotonic() >= until:
                return None
            time.sleep(POLL_S)
    return newest


def _writers(connection: Connection) -> frozenset[str]:
    tables = [source.table for source in SOURCES.values()]
    return frozenset(connection.execute(_WRITERS, {"tables": tables}).scalars())
