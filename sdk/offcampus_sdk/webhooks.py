"""Receiving events: verify the raw bytes, handle each event once, answer at once; and catch up what was missed.

The same event may come several times and out of order: ids tell repetitions, and the sequence of a subject tells what
is older than what was handled. Unknown types are taken and left alone. Deliveries and the feed share one store, so an
event that came both ways is handled once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from offcampus_sdk import models
from offcampus_sdk.client import Client
from offcampus_sdk.signing import SignatureError, key_id_of, verify_event

Handle = Callable[[models.Event], None]
JwksSource = Callable[[], list[dict[str, Any]]]
REFETCH_AT_MOST_EVERY_S = 60
PREFIX, SUFFIX = "cn.offcampus.", ".v1"

SHAPE = """
CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS subjects (subject TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS feed (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), cursor TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Reply:
    """What to answer the platform."""

    status: int
    reason: str


class Dispatcher:
    """Hands each event to the functions that asked for its kind; an event that nobody asked for is left alone.

        events = Dispatcher()

        @events.on("order.paid", "refund.*")
        def tell_the_office(event): ...

    Kinds are `resource.verb` without the standard's prefix and version; `*` stands for any.
    """

    def __init__(self) -> None:
        self._handlers: list[tuple[str, Handle]] = []

    def on(self, *kinds: str) -> Callable[[Handle], Handle]:
        """Register a function for these kinds. Raises ValueError for what cannot be the kind of an event."""
        for kind in kinds:
            if kind != "*" and kind.count(".") != 1:
                raise ValueError(f"{kind!r} is no kind of event: write resource.verb, for one order.paid or refund.*")

        def register(handle: Handle) -> Handle:
            self._handlers += [(kind, handle) for kind in kinds]
            return handle

        return register

    def __call__(self, event: models.Event) -> None:
        """Call everyone who asked for this event, in the order of registration."""
        kind = event.type.removeprefix(PREFIX).removesuffix(SUFFIX)
        for wanted, handle in self._handlers:
            if fnmatchcase(kind, wanted):
                handle(event)


class Receiver:
    """Takes events for one subscribed address. Safe to call from several threads.

    Args:
        url: the address exactly as it was subscribed.
        jwks: fetches the platform's public keys; called when an unknown key is named, at most once a minute or as
            `refetch_at_most_every_s` says.
        store: a SQLite file that remembers what was handled; it outlives the process.
        handle: is called once per event, inside the store's transaction: an exception means that the event was not
            handled, and it will come again. A function, or a `Dispatcher`.
    """

    def __init__(
        self, url: str, jwks: JwksSource, store: Path, handle: Handle, *,
        refetch_at_most_every_s: float = REFETCH_AT_MOST_EVERY_S,
    ) -> None:  # fmt: skip
        self._url, self._jwks, self._handle = url, jwks, handle
        self._refetch_every_s = refetch_at_most_every_s
        self._keys: list[dict[str, Any]] = []
        self._fetched_at = 0.0
        self._guard = threading.RLock()
        self._db = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=5000", *filter(str.strip, SHAPE.split(";"))):
            self._db.execute(statement)

    def close(self) -> None:
        """Close the store."""
        self._db.close()

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
        with self._transaction():
            return self._once(event, int(moment))

    def catch_up(self, client: Client, *, limit: int = 100) -> int:
        """Handle what the feed has since the last time, in order; how many were new to this receiver.

        The cursor is stored with what was handled. Deliveries can be lost with a disk or a week of outage; the feed has
        everything. Raises what the client or the handler raises; then the next call goes on from the same place.
        """
        new = 0
        while True:
            row = self._db.execute("SELECT cursor FROM feed").fetchone()
            page = client.events.list(after=row[0] if row else None, limit=limit)
            for event in page.items:
                with self._transaction():
                    new += self._once(event, int(time.time())).reason == "handled"
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO feed VALUES (1, ?)", (page.next_cursor,))
            if not page.items:
                return new

    def forget(self, before: float) -> int:
        """Forget the ids of events handled before a moment (Unix time); how many.

        Keep them for as long as the platform repeats deliveries; sequences of subjects are kept for ever.
        """
        with self._transaction():
            return self._db.execute("DELETE FROM handled WHERE at < ?", (int(before),)).rowcount

    def _once(self, event: models.Event, now: int) -> Reply:
        new = self._db.execute("INSERT OR IGNORE INTO handled (id, at) VALUES (?, ?)", (event.id, now)).rowcount
        if new and self._is_newer(event):
            self._handle(event)
            return Reply(204, "handled")
        return Reply(204, "older than what was handled" if new else "known already")

    def _is_newer(self, event: models.Event) -> bool:
        changed = self._db.execute(
            "INSERT INTO subjects (subject, sequence) VALUES (?, ?) ON CONFLICT (subject)"
            " DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence",
            (event.subject, int(event.sequence)),
        )
        return changed.rowcount == 1

    def _known_keys(self, headers: Mapping[str, str], now: float) -> list[dict[str, Any]]:
        with self._guard:
            known = {str(key.get("kid")) for key in self._keys}
            if key_id_of(headers) not in known and now - self._fetched_at >= self._refetch_every_s:
                self._fetched_at = now
                self._keys = self._jwks()
            return self._keys

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guard:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
