"""The spool: what is to be reported, in SQLite, from the moment it is known until the platform has answered.

It may live in a file of its own, or in the product's own SQLite database: `put(connection, record)` writes in the
product's transaction, so that a lesson and its report exist together or not at all.

Invariants:
- a record is in the spool before `add` returns, and stays until the platform accepted, knew or refused it;
- a batch keeps its Idempotency-Key and its records from its first attempt on, across crashes and restarts;
- records of one subject (an order, an account …) leave in the order in which they came;
- a refused record is set aside with the problem: never sent again as it is, never dropped;
- an operation's external_id is spooled once.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from offcampus_spec.operations import Operation, operations

from offcampus_sdk import models

SHAPE = """
CREATE TABLE IF NOT EXISTS offcampus_records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    external_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    document TEXT NOT NULL,
    batch TEXT,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
    id TEXT,
    problem TEXT,
    UNIQUE (operation, external_id)
) STRICT;
CREATE INDEX IF NOT EXISTS offcampus_waiting ON offcampus_records (seq) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS offcampus_subjects ON offcampus_records (subject, seq) WHERE state <> 'done';
CREATE TABLE IF NOT EXISTS offcampus_trouble (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    failures INTEGER NOT NULL,
    not_before REAL NOT NULL,
    reason TEXT NOT NULL
) STRICT;
"""
SUBJECTS = ("order_id", "contract_id", "class_id", "course_id", "account_id", "pupil_id", "institution_id")
"""The members by which records belong together, the narrowest first."""
BATCH_BYTES_MAX = 1_000_000

MAY_GO = """r.state = 'waiting' AND NOT (:hold AND EXISTS (
    SELECT 1 FROM offcampus_records b WHERE b.subject = r.subject AND b.seq < r.seq AND b.state = 'refused'))"""
FIRST_WAITING = f"SELECT r.operation FROM offcampus_records r WHERE {MAY_GO} ORDER BY r.seq LIMIT 1"  # noqa: S608
# Records of one kind, unless an earlier record of the same subject and another kind still waits.
WAITING = f"""SELECT r.seq, length(CAST(r.document AS BLOB)) FROM offcampus_records r
    WHERE {MAY_GO} AND r.operation = :operation AND NOT EXISTS (
        SELECT 1 FROM offcampus_records a WHERE a.subject = r.subject AND a.seq < r.seq AND a.state = 'waiting'
        AND a.operation <> r.operation)
    ORDER BY r.seq LIMIT :limit"""  # noqa: S608 - constants of this module


class SpoolBusy(Exception):
    """Another process sends from this spool now."""


@dataclass(frozen=True)
class Progress:
    """Where the spool stands, in records. `trouble` is why sending stopped last, empty when it did not."""

    waiting: int
    done: int
    refused: int
    trouble: str = ""


@dataclass(frozen=True)
class Refused:
    """A record that was set aside, and why."""

    external_id: str
    problem: models.Problem
    operation: str = "reportConsumption"


@dataclass(frozen=True)
class Batch:
    """Records that travel together under one key; for an operation without batches, one record."""

    key: str
    operation: Operation
    seqs: Sequence[int]
    documents: Sequence[bytes]


def prepare(connection: sqlite3.Connection) -> None:
    """Make the spool's tables in a database; does nothing where they are."""
    for statement in filter(str.strip, SHAPE.split(";")):
        connection.execute(statement)


def put(connection: sqlite3.Connection, record: msgspec.Struct) -> bool:
    """Spool a record in the caller's own transaction; False when one with this external_id was spooled before.

    Raises TypeError for a model that no operation reports on its own.
    """
    operation, document = operation_of(type(record)), msgspec.to_builtins(record)
    subject = next((document[name] for name in SUBJECTS if name in document), document["external_id"])
    done = connection.execute(
        "INSERT INTO offcampus_records (operation, external_id, subject, document) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (operation, external_id) DO NOTHING",
        (operation, document["external_id"], subject, msgspec.json.encode(document).decode()),
    )
    return done.rowcount == 1


@cache
def operation_of(kind: type[msgspec.Struct]) -> str:
    """The operation that reports a record of this model. Raises TypeError when there is none."""
    for operation in operations().values():
        schema = operation.item_schema or operation.request_schema
        if operation.idempotency != "key" or "{" in operation.path or schema is None:
            continue
        if model_of(schema) is kind:
            return operation.operation_id
    raise TypeError(f"no operation of the contract reports {kind.__name__} on its own")


def model_of(schema: str) -> type[msgspec.Struct] | None:
    """The model of a schema by name; None for a schema that has none."""
    found: type[msgspec.Struct] | None = getattr(models, "".join(part.capitalize() for part in schema.split("-")), None)
    return found


class Spool:
    """One spool. Many may add at a time; one at a time sends (`sending`)."""

    def __init__(self, path: Path, *, batch_size: int = 500, hold_after_refusal: bool = False) -> None:
        if not 1 <= batch_size <= 1000:
            raise ValueError("a batch has 1 to 1,000 records")
        self.path, self._batch_size = path, batch_size
        self._hold = hold_after_refusal
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # its records may be personal: for its owner only
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            self.db.execute(f"PRAGMA {pragma}")
        prepare(self.db)

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def add(self, records: Iterable[msgspec.Struct]) -> int:
        """Spool records, all of them or none; how many were new."""
        with self._transaction():
            return sum(put(self.db, record) for record in records)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Only one process at a time; the lock dies with its holder. Raises SpoolBusy."""
        lock = sqlite3.connect(self.path.with_name(self.path.name + ".sending"), isolation_level=None, timeout=0)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            lock.close()
            raise SpoolBusy(f"another process sends from {self.path.name}") from None
        try:
            yield
        finally:
            lock.close()

    def next_batch(self) -> Batch | None:
        """The batch that was begun and not answered, else a new one; None when nothing waits that may be sent."""
        with self._transaction():
            begun = self.db.execute(
                "SELECT batch FROM offcampus_records WHERE state = 'waiting' AND batch NOT NULL ORDER BY seq LIMIT 1"
            ).fetchone()
            key = begun[0] if begun else self._begin()
            if key is None:
                return None
            rows = self.db.execute(
                "SELECT seq, document, operation FROM offcampus_records"
                " WHERE batch = ? AND state = 'waiting' ORDER BY seq",
                (key,),
            ).fetchall()
        return Batch(key, operations()[rows[0][2]], [row[0] for row in rows], [row[1].encode() for row in rows])

    def settle(self, outcomes: Iterable[tuple[int, str | None, models.Problem | None]]) -> None:
        """What became of records: (seq, the platform's id, None) or (seq, None, the problem)."""
        with self._transaction():
            for seq, id, problem in outcomes:
                state = "done" if problem is None else "refused"
                text = None if problem is None else msgspec.json.encode(problem).decode()
                self.db.execute(
                    "UPDATE offcampus_records SET state = ?, id = ?, problem = ? WHERE seq = ?", (state, id, text, seq)
                )
            self.db.execute("DELETE FROM offcampus_trouble")

    def split(self, batch: Batch) -> None:
        """The platform refused the whole: two halves under keys of their own, to find the one it is about."""
        half = len(batch.seqs) // 2
        with self._transaction():
            for seqs in (batch.seqs[:half], batch.seqs[half:]):
                key = secrets.token_urlsafe(18)
                self.db.executemany(
                    "UPDATE offcampus_records SET batch = ? WHERE seq = ?", [(key, seq) for seq in seqs]
                )

    def note_trouble(self, reason: str, failures: int, not_before: float) -> None:
        """Sending stopped: why, for the how-manieth time in a row, and when it is worth trying again."""
        self.db.execute("INSERT OR REPLACE INTO offcampus_trouble VALUES (1, ?, ?, ?)", (failures, not_before, reason))

    def trouble(self) -> tuple[int, float]:
        """How often in a row sending stopped, and the moment before which not to try."""
        found = self.db.execute("SELECT failures, not_before FROM offcampus_trouble").fetchone()
        return (int(found[0]), float(found[1])) if found else (0, 0.0)

    def progress(self) -> Progress:
        """How many records wait, are done, were refused."""
        counts = dict(self.db.execute("SELECT state, count(*) FROM offcampus_records GROUP BY state").fetchall())
        reason = self.db.execute("SELECT reason FROM offcampus_trouble").fetchone()
        return Progress(
            counts.get("waiting", 0), counts.get("done", 0), counts.get("refused", 0), reason[0] if reason else ""
        )

    def refused(self) -> Iterator[Refused]:
        """The records that were set aside, oldest first, with the platform's reasons."""
        rows = self.db.execute(
            "SELECT external_id, problem, operation FROM offcampus_records WHERE state = 'refused' ORDER BY seq"
        ).fetchall()
        for external_id, text, operation in rows:
            yield Refused(external_id, msgspec.json.decode(text, type=models.Problem), operation)

    def replace(self, record: msgspec.Struct) -> None:
        """Send a refused record again, mended; it takes its old place. Raises LookupError when it is not refused."""
        self._of_refused(
            "UPDATE offcampus_records SET document = ?, state = 'waiting', batch = NULL, problem = NULL",
            record_id=(operation_of(type(record)), msgspec.to_builtins(record)["external_id"]),
            values=(msgspec.json.encode(record).decode(),),
        )

    def discard(self, operation: str, external_id: str) -> None:
        """Give a refused record up. Raises LookupError when it is not refused."""
        self._of_refused("DELETE FROM offcampus_records", record_id=(operation, external_id))

    def id_of(self, external_id: str, operation: str = "reportConsumption") -> str | None:
        """The platform's identifier of a record that it has."""
        row = self.db.execute(
            "SELECT id FROM offcampus_records WHERE operation = ? AND external_id = ?", (operation, external_id)
        ).fetchone()
        return str(row[0]) if row and row[0] else None

    def _begin(self) -> str | None:
        first = self.db.execute(FIRST_WAITING, {"hold": self._hold}).fetchone()
        if first is None:
            return None
        operation = operations()[first[0]]
        limit = self._batch_size if operation.batch else 1
        waiting = self.db.execute(
            WAITING, {"operation": operation.operation_id, "hold": self._hold, "limit": limit}
        ).fetchall()
        key, size = secrets.token_urlsafe(18), 0
        for seq, length in waiting:
            size += length
            if size > BATCH_BYTES_MAX and seq != waiting[0][0]:
                break
            self.db.execute("UPDATE offcampus_records SET batch = ? WHERE seq = ?", (key, seq))
        return key

    def _of_refused(self, statement: str, record_id: tuple[str, str], values: tuple[str, ...] = ()) -> None:
        where = " WHERE state = 'refused' AND operation = ? AND external_id = ?"
        if self.db.execute(statement + where, (*values, *record_id)).rowcount != 1:
            raise LookupError(f"{record_id[0]} has no refused record {record_id[1]!r}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")


def body_of(batch: Batch) -> Any:
    """What is sent for a batch: the exact documents that were spooled."""
    documents = [msgspec.Raw(document) for document in batch.documents]
    return {"items": documents} if batch.operation.batch else documents[0]
