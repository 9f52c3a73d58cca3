"""What the played platform remembers: resources by id, answers by idempotency key, the stream of events.

Pure of any transport: a request comes in as values, an answer goes out as values. Business time is handed in.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from offcampus_conformance.played_platform.dressing import (
    FIRST_STATES,
    PREFIXES,
    Row,
    dressed,
    instant,
    new_id,
    stamped,
)

NO_FILTERS = frozenset({"limit", "cursor", "after", "types"})
NOUNS = {"campuses": "campus", "classes": "class"}
DEFAULT_LIMIT, LONGEST_PAGE = 100, 500


@dataclass
class Answer:
    """What goes back: a status, a JSON body, headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class State:
    """The played platform's memory. One lock: a client may call from several threads."""

    resources: dict[str, dict[str, Row]] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, Answer]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    cursors: dict[str, tuple[int, str]] = field(default_factory=dict)
    """An opaque cursor -> the row to go on from, and the collection and filters that it belongs to."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def once(self, operation_id: str, key: str | None, body: Any, make: Callable[[], Answer]) -> Answer:
        """Idempotency as the standard defines it: the stored answer, or 422 for another body under the same key."""
        if key is None:
            return make()
        fingerprint = json.dumps(body, sort_keys=True)
        with self.lock:
            stored = self.answers.get((operation_id, key))
            if stored is None:
                answer = make()
                if answer.status < 400:  # a key binds when something was changed
                    self.answers[(operation_id, key)] = (fingerprint, answer)
                return answer
            if stored[0] != fingerprint:
                return refusal(422, "idempotency.key_reused", "this key was used for another body")
            return Answer(stored[1].status, stored[1].body, {**stored[1].headers, "Idempotency-Replayed": "true"})

    def create(self, collection: str, document: Mapping[str, Any], now: datetime, **more: Any) -> Answer:
        """Store one resource; the same external_id gives the first one back. `more` comes from the path."""
        known = self.by_external_id(collection, document.get("external_id"))
        if known is not None:
            return Answer(200, known, {"ETag": f'"{known["version"]}"'})
        row = self.store(collection, document, now, **more)
        return Answer(201, row, {"ETag": '"1"', "Location": f"/v1/{collection}/{row['id']}"})

    def create_batch(
        self, collection: str, items: list[Mapping[str, Any]], now: datetime, *, refuse: frozenset[int] = frozenset()
    ) -> Answer:
        """Per-item results; the items at `refuse` are refused with a problem that names them."""
        results: list[Row] = []
        for index, item in enumerate(items):
            entry: Row = {"index": index, "external_id": item.get("external_id")}
            known = self.by_external_id(collection, item.get("external_id"))
            if index in refuse:
                problem = refusal(422, "reference.not_found", "the played platform refuses this item").body
                entry |= {"status": 422, "outcome": "refused", "problem": problem}
            elif known is not None:
                entry |= {"status": 200, "outcome": "duplicate", "id": known["id"], "version": known["version"]}
            else:
                stored = self.store(collection, item, now)
                entry |= {"status": 201, "outcome": "accepted", "id": stored["id"], "version": 1}
            results.append(entry)
        counts = Counter(entry["outcome"] for entry in results)
        summary = {name: counts[name] for name in ("accepted", "duplicate", "refused")}
        return Answer(207, {"results": results, "summary": summary})

    def store(self, collection: str, document: Mapping[str, Any], now: datetime, **more: Any) -> Row:
        """Give a document an id and the members that the platform adds."""
        row = stamped({**dressed(collection, document, now), **more}, PREFIXES[collection], now)
        if collection in FIRST_STATES:
            row["state"] = FIRST_STATES[collection]
        with self.lock:
            self.resources.setdefault(collection, {})[row["id"]] = row
        return row

    def change(self, collection: str, id: str, changes: Mapping[str, Any], if_match: str | None) -> Answer:
        """A change under If-Match: 404, 428 and 412 as the standard defines them."""
        with self.lock:
            row = self.resources.get(collection, {}).get(id)
            if row is None:
                return refusal(404, "resource.not_found", "no such resource")
            if if_match is None:
                return refusal(428, "concurrency.if_match_missing", "If-Match is required")
            if if_match != f'"{row["version"]}"':
                return refusal(412, "concurrency.stale", f"the current version is {row['version']}")
            row |= {**changes, "version": row["version"] + 1}
            return Answer(200, dict(row), {"ETag": f'"{row["version"]}"'})

    def happens(self, id: str, now: datetime, **changes: Any) -> Row:
        """Something happens to a resource on the platform's side: a new version, and an event of it."""
        with self.lock:
            collection, row = self.find(id)
            row |= {**changes, "version": row["version"] + 1, "updated_at": instant(now)}
            return self.tell(collection, row, str(changes.get("state", "changed")), now)

    def tell(self, collection: str, row: Row, verb: str, now: datetime) -> Row:
        """Put an event of a resource into the stream."""
        noun = NOUNS.get(collection, collection.removesuffix("s")).replace("-", "_")
        event = {
            "specversion": "1.0", "id": new_id("evt"), "source": "https://platform.example",
            "type": f"cn.offcampus.{noun}.{verb}.v1", "subject": row["id"], "time": instant(now),
            "datacontenttype": "application/json", "sequence": str(row["version"]),
            "data": {"id": row["id"], "version": row["version"], "external_id": row.get("external_id"),
                     "state": row.get("state"), "link": f"/v1/{collection}/{row['id']}"},
        }  # fmt: skip
        with self.lock:
            self.events.append(event)
        return event

    def read(self, collection: str, id: str) -> Answer:
        """One resource, or the 404 of the standard."""
        row = self.resources.get(collection, {}).get(id)
        if row is None:
            return refusal(404, "resource.not_found", "no such resource")
        return Answer(200, dict(row), {"ETag": f'"{row["version"]}"'})

    def list(self, collection: str, filters: Mapping[str, str], page_size: int | None = None) -> Answer:
        """One page of a collection; filters are members that must be equal; cursors are opaque and bound."""
        wanted = {name: value for name, value in sorted(filters.items()) if name not in NO_FILTERS}
        bound = f"{collection}?{urlencode(wanted)}"
        start = 0
        if (cursor := filters.get("cursor")) is not None:
            if cursor not in self.cursors:
                return refusal(400, "cursor.invalid", "the cursor is none that was given")
            start, belongs = self.cursors[cursor]
            if belongs != bound:
                return refusal(400, "cursor.mismatch", "the cursor belongs to another list or other filters")
        asked = min(int(filters.get("limit", DEFAULT_LIMIT)), LONGEST_PAGE)
        size = min(asked, page_size or asked)
        with self.lock:
            rows = list(self.resources.get(collection, {}).values())
            found = [row for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]
            page = [dict(row) for row in found[start : start + size]]
            onward = self._cursor(start + size, bound) if start + size < len(found) else None
        address = f"/v1/{collection}?{urlencode({**wanted, 'cursor': onward})}" if onward else None
        headers = {"Link": f'<{address}>; rel="next"'} if address else {}
        return Answer(200, {"items": page, "next_cursor": onward, "next": address}, headers)

    def feed(self, filters: Mapping[str, str], page_size: int | None = None) -> Answer:
        """The stream of events from a cursor on; the cursor to go on from is always given."""
        after = filters.get("after")
        if after is not None and after not in self.cursors:
            return refusal(400, "cursor.invalid", "the cursor is none that was given")
        start = self.cursors[after][0] if after else 0
        asked = min(int(filters.get("limit", DEFAULT_LIMIT)), LONGEST_PAGE)
        with self.lock:
            items = self.events[start : start + min(asked, page_size or asked)]
            onward = self._cursor(start + len(items), "events")
        return Answer(200, {"items": items, "next_cursor": onward, "next": f"/v1/events?after={onward}"})

    def find(self, id: str) -> tuple[str, Row]:
        """The collection and the row of an identifier. Raises KeyError."""
        for collection, rows in self.resources.items():
            if id in rows:
                return collection, rows[id]
        raise KeyError(id)

    def by_external_id(self, collection: str, external_id: Any) -> Row | None:
        """The row with a party's own reference."""
        rows = list(self.resources.get(collection, {}).values())
        return next((row for row in rows if external_id is not None and row.get("external_id") == external_id), None)

    def _cursor(self, start: int, bound: str) -> str:
        cursor = new_id("cur", f"{bound}#{start}").removeprefix("cur_")
        self.cursors[cursor] = (start, bound)
        return cursor


def refusal(status: int, code: str, detail: str) -> Answer:
    """A problem document (RFC 9457)."""
    body = {
        "type": f"https://spec.offcampus.example/v1/problems/{code}", "title": code, "status": status,
        "detail": detail, "code": code, "request_id": secrets.token_hex(8), "violations": [],
    }  # fmt: skip
    return Answer(status, body, {"Content-Type": "application/problem+json"})
