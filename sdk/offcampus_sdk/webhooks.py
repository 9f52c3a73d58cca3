"""Receiving webhooks: verify the raw bytes, handle each event once, answer at once.

The same event may come several times and out of order: ids tell repetitions, and the sequence of a subject tells what
is older than what was handled. Unknown types are taken and left alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from offcampus_sdk import models
from offcampus_sdk.signing import SignatureError, key_id_of, verify_event

Handle = Callable[[models.Event], None]
JwksSource = Callable[[], list[dict[str, Any]]]
REFETCH_AT_MOST_EVERY_S = 60

SHAPE = """
CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS subjects (subject TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Reply:
    """What to answer the platform."""

    status: int
    reason: str


class Receiver:
    """Takes deliveries for one subscribed address.

    Args:
        url: the address exactly as it was subscribed.
        jwks: fetches the platform's public keys; called when an unknown key is named, at most once a minute.
        store: a SQLite file that remembers what was handled; it outlives the process.
        handle: is called once per event, inside the store's transaction: an exception means that the event was not
            handled, and it will come again.
    """

    def __init__(self, url: str, jwks: JwksSource, store: Path, handle: Handle) -> None:
        self._url, self._jwks, self._handle = url, jwks, handle
        self._keys: list[dict[str, Any]] = []
        self._fetched_at = 0.0
        self._db = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=5000", *filter(str.strip, SHAPE.split(";"))):
            self._db.execute(statement)

    def receive(self, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> Reply:
        """Verify and handle one delivery. The reply's status is to be sent back as it is."""
        moment = time.time() if now is None else now
        try:
            verify_event(self._url, headers, body, self._known_keys(headers, moment), int(moment))
            event = msgspec.json.decode(body, type=models.Event)
        except SignatureError as error:
            return Reply(401, str(error))
        except msgspec.DecodeError:
            return Reply(400, "not an event of the standard")
        return self._once(event, int(moment))

    def _once(self, event: models.Event, now: int) -> Reply:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            new = self._db.execute("INSERT OR IGNORE INTO handled (id, at) VALUES (?, ?)", (event.id, now)).rowcount
            if new and self._is_newer(event):
                self._handle(event)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return Reply(204, "handled" if new else "known already")

    def _is_newer(self, event: models.Event) -> bool:
        changed = self._db.execute(
            "INSERT INTO subjects (subject, sequence) VALUES (?, ?) ON CONFLICT (subject)"
            " DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence",
            (event.subject, int(event.sequence)),
        )
        return changed.rowcount == 1

    def _known_keys(self, headers: Mapping[str, str], now: float) -> list[dict[str, Any]]:
        known = {str(key.get("kid")) for key in self._keys}
        if key_id_of(headers) not in known and now - self._fetched_at >= REFETCH_AT_MOST_EVERY_S:
            self._fetched_at = now
            self._keys = self._jwks()
        return self._keys
