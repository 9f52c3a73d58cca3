"""What a good client remembers before it sends: each intent with its key, so that nothing is lost and nothing doubled.

One file per system, in SQLite. An intent is one effect that the system wants: the same action with the same document is
the same intent, today and after a restart, and keeps its Idempotency-Key for ever.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHAPE = """
CREATE TABLE IF NOT EXISTS intents (
    no INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, action TEXT NOT NULL, document TEXT NOT NULL,
    key TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused'))
) STRICT;
CREATE TABLE IF NOT EXISTS held (external_id TEXT PRIMARY KEY, document TEXT NOT NULL, until TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS known (subject TEXT PRIMARY KEY, type TEXT, sequence INTEGER, state TEXT) STRICT;
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cursor (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), value TEXT) STRICT;
"""


@dataclass(frozen=True)
class Intent:
    """One effect that is wanted, with the key that it keeps."""

    no: int
    action: str
    document: dict[str, Any]
    key: str


def opened(path: Path) -> sqlite3.Connection:
    """The system's books."""
    books = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", *filter(str.strip, SHAPE.split(";"))):
        books.execute(statement)
    return books


def intend(books: sqlite3.Connection, action: str, document: dict[str, Any]) -> Intent:
    """The intent of an action with a document; made with its key when it is new."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(f"{action} {text}".encode()).hexdigest()
    books.execute(
        "INSERT OR IGNORE INTO intents (digest, action, document, key) VALUES (?, ?, ?, ?)",
        (digest, action, text, secrets.token_urlsafe(18)),
    )
    row = books.execute("SELECT no, action, document, key FROM intents WHERE digest = ?", (digest,)).fetchone()
    return Intent(row[0], row[1], json.loads(row[2]), row[3])


def settle(books: sqlite3.Connection, intent: Intent, state: str) -> None:
    """An intent came to an end: `done` or `refused`."""
    books.execute("UPDATE intents SET state = ? WHERE no = ?", (state, intent.no))


def waiting(books: sqlite3.Connection) -> list[Intent]:
    """What was intended and is not settled, in order."""
    rows = books.execute("SELECT no, action, document, key FROM intents WHERE state = 'waiting' ORDER BY no").fetchall()
    return [Intent(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]
