"""The durable reporter: records are spooled in SQLite before they are sent, and forgotten only when answered.

Invariants:
- a record is in the spool before `add` returns, and stays until the platform accepted, knew or refused it;
- a batch keeps its Idempotency-Key and its records from its first attempt on, across crashes and restarts;
- a refused record is set aside with the problem, never sent again as it is, never dropped;
- a record with the same external_id is spooled once.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offcampus_sdk import models
from offcampus_sdk.client import Client

SHAPE = """
CREATE TABLE IF NOT EXISTS batches (key TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    batch TEXT REFERENCES batches (key),
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
    id TEXT,
    problem TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS records_waiting ON records (state, seq);
"""


@dataclass(frozen=True)
class Progress:
    """Where the spool stands, in records."""

    waiting: int
    done: int
    refused: int


@dataclass(frozen=True)
class Refused:
    """A record that was set aside, and why."""

    external_id: str
    problem: models.Problem


class Reporter:
    """Reports consumption records durably. One process at a time sends from one spool file."""

    def __init__(self, client: Client, spool: Path, *, batch_size: int = 500) -> None:
        if not 1 <= batch_size <= 1000:
            raise ValueError("a batch has 1 to 1,000 records")
        self._client, self._batch_size = client, batch_size
        self._db = sqlite3.connect(spool, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        for statement in filter(str.strip, SHAPE.split(";")):
            self._db.execute(statement)

    def add(self, record: models.ConsumptionRecord) -> bool:
        """Spool a record; False when one with this external_id was spooled before."""
        document = msgspec.json.encode(record).decode()
        done = self._db.execute(
            "INSERT INTO records (external_id, document) VALUES (?, ?) ON CONFLICT (external_id) DO NOTHING",
            (record.external_id, document),
        )
        return done.rowcount == 1

    def drain(self) -> Progress:
        """Send everything that waits, batch by batch. Raises as the client does; what was sent stays accounted for."""
        while (key := self._next_batch()) is not None:
            self._send(key)
        return self.progress()

    def progress(self) -> Progress:
        """How many records wait, are done, were refused."""
        counts = dict(self._db.execute("SELECT state, count(*) FROM records GROUP BY state").fetchall())
        return Progress(counts.get("waiting", 0), counts.get("done", 0), counts.get("refused", 0))

    def refused(self) -> list[Refused]:
        """The records that were set aside, with the platform's reasons."""
        rows = self._db.execute("SELECT external_id, problem FROM records WHERE state = 'refused' ORDER BY seq")
        return [Refused(external_id, msgspec.json.decode(text, type=models.Problem)) for external_id, text in rows]

    def id_of(self, external_id: str) -> str | None:
        """The platform's identifier of a record that it has."""
        row = self._db.execute("SELECT id FROM records WHERE external_id = ?", (external_id,)).fetchone()
        return str(row[0]) if row and row[0] else None

    def close(self) -> None:
        """Close the spool."""
        self._db.close()

    def _next_batch(self) -> str | None:
        """The batch that was begun and not answered, else a new one of what waits; None when nothing waits."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            begun = self._db.execute("SELECT batch FROM records WHERE state = 'waiting' AND batch NOT NULL LIMIT 1")
            if (row := begun.fetchone()) is not None:
                return str(row[0])
            key = secrets.token_urlsafe(18)
            self._db.execute("INSERT INTO batches (key) VALUES (?)", (key,))
            taken = self._db.execute(
                "UPDATE records SET batch = ? WHERE seq IN"
                " (SELECT seq FROM records WHERE state = 'waiting' AND batch IS NULL ORDER BY seq LIMIT ?)",
                (key, self._batch_size),
            )
            return key if taken.rowcount else None
        finally:
            self._db.execute("COMMIT")

    def _send(self, key: str) -> None:
        rows = self._db.execute("SELECT seq, document FROM records WHERE batch = ? ORDER BY seq", (key,)).fetchall()
        documents = [msgspec.Raw(document.encode()) for _, document in rows]
        answer = self._client.transport.call("reportConsumption", body={"items": documents}, key=key)
        result = msgspec.json.decode(answer.body, type=models.BatchResult)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for entry in result.results:
                self._settle(rows[entry.index][0], entry)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _settle(self, seq: int, entry: models.BatchResultResult) -> None:
        if entry.outcome == "refused":
            text = msgspec.json.encode(entry.problem).decode()
            self._db.execute("UPDATE records SET state = 'refused', problem = ? WHERE seq = ?", (text, seq))
        else:
            self._db.execute("UPDATE records SET state = 'done', id = ? WHERE seq = ?", (entry.id, seq))
