"""What the played platform remembers: resources by id, answers by idempotency key, and what it is told to do next.

Pure of any transport: a request comes in as values, an answer goes out as values.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PREFIXES = {
    "institutions": "ins", "campuses": "cmp", "staff": "stf", "materials": "mat", "courses": "crs", "classes": "cls",
    "lessons": "les", "pupils": "pup", "contracts": "ctr", "orders": "ord", "payments": "pay", "refunds": "rfd",
    "consumption-records": "con", "subscriptions": "sub",
}  # fmt: skip
FIRST_STATES = {
    "institutions": "submitted", "courses": "filed", "orders": "awaiting_payment", "lessons": "scheduled",
    "consumption-records": "reported", "refunds": "requested", "subscriptions": "active",
}  # fmt: skip
MONEY = (
    "paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen",
)  # fmt: skip
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass
class Answer:
    """What goes back: a status, a JSON body, headers."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class State:
    """The played platform's memory. One lock: a vendor may call from several threads."""

    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, Answer]] = field(default_factory=dict)
    tricks: dict[str, list[str]] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def play(self, operation_id: str, trick: str) -> None:
        """Misbehave at the next call of an operation: `busy` (503), `lost` (done, but no answer), `refuse_first`."""
        with self.lock:
            self.tricks.setdefault(operation_id, []).append(trick)

    def next_trick(self, operation_id: str) -> str | None:
        """Take the trick that is due at this call, if any."""
        with self.lock:
            waiting = self.tricks.get(operation_id)
            return waiting.pop(0) if waiting else None

    def once(self, operation_id: str, key: str | None, body: Any, make: Callable[[], Answer]) -> Answer:
        """Idempotency as the standard defines it: the stored answer, or 422 for another body under the same key."""
        if key is None:
            return make()
        fingerprint = json.dumps(body, sort_keys=True)
        with self.lock:
            stored = self.answers.get((operation_id, key))
            if stored is None:
                answer = make()
                self.answers[(operation_id, key)] = (fingerprint, answer)
                return answer
            if stored[0] != fingerprint:
                return refusal(422, "idempotency.key_reused", "this key was used for another body")
            return Answer(stored[1].status, stored[1].body, {**stored[1].headers, "Idempotency-Replayed": "true"})

    def create(self, collection: str, document: Mapping[str, Any]) -> Answer:
        """Store one resource; the same external_id with the same content gives the first one back."""
        known = self._by_external_id(collection, document.get("external_id"))
        if known is not None:
            return Answer(200, known, {"ETag": f'"{known["version"]}"'})
        resource = self.store(collection, document)
        location = f"/v1/{collection}/{resource['id']}"
        return Answer(201, resource, {"ETag": '"1"', "Location": location})

    def create_batch(self, collection: str, items: list[Mapping[str, Any]], *, refuse: frozenset[int]) -> Answer:
        """Per-item results; the items at `refuse` are refused with a problem that names them."""
        results: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            entry: dict[str, Any] = {"index": index, "external_id": item.get("external_id")}
            known = self._by_external_id(collection, item.get("external_id"))
            if index in refuse:
                problem = refusal(422, "reference.not_found", "the played platform refuses this item").body
                entry |= {"status": 422, "outcome": "refused", "problem": problem}
            elif known is not None:
                entry |= {"status": 200, "outcome": "duplicate", "id": known["id"], "version": known["version"]}
            else:
                stored = self.store(collection, item)
                entry |= {"status": 201, "outcome": "accepted", "id": stored["id"], "version": 1}
            results.append(entry)
        counts = Counter(entry["outcome"] for entry in results)
        summary = {name: counts[name] for name in ("accepted", "duplicate", "refused")}
        return Answer(207, {"results": results, "summary": summary})

    def store(self, collection: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Give a document an id and the members that every resource has."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        resource = {
            **_dressed(collection, document),
            "id": new_id(PREFIXES[collection]),
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        if collection in FIRST_STATES:
            resource["state"] = FIRST_STATES[collection]
        with self.lock:
            self.resources.setdefault(collection, {})[resource["id"]] = resource
        return resource

    def change(self, collection: str, id: str, changes: Mapping[str, Any], if_match: str | None) -> Answer:
        """A change under If-Match: 404, 428 and 412 as the standard defines them."""
        with self.lock:
            resource = self.resources.get(collection, {}).get(id)
            if resource is None:
                return refusal(404, "resource.not_found", "no such resource")
            if if_match is None:
                return refusal(428, "concurrency.if_match_missing", "If-Match is required")
            if if_match != f'"{resource["version"]}"':
                return refusal(412, "concurrency.stale", f"the current version is {resource['version']}")
            resource |= {**changes, "version": resource["version"] + 1}
            return Answer(200, resource, {"ETag": f'"{resource["version"]}"'})

    def read(self, collection: str, id: str) -> Answer:
        """One resource, or the 404 of the standard."""
        resource = self.resources.get(collection, {}).get(id)
        if resource is None:
            return refusal(404, "resource.not_found", "no such resource")
        return Answer(200, resource, {"ETag": f'"{resource["version"]}"'})

    def list(self, collection: str, filters: Mapping[str, str]) -> Answer:
        """A collection as one page; filters are members that must be equal."""
        rows = list(self.resources.get(collection, {}).values())
        wanted = {name: value for name, value in filters.items() if name not in ("limit", "cursor", "after", "types")}
        items = [row for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]
        return Answer(200, {"items": items, "next_cursor": None, "next": None})

    def _by_external_id(self, collection: str, external_id: Any) -> dict[str, Any] | None:
        rows = self.resources.get(collection, {}).values()
        return next((row for row in rows if external_id is not None and row.get("external_id") == external_id), None)


def _dressed(collection: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the platform answers it: persons masked, money and hours at nought."""
    if collection in ("staff", "pupils"):
        return _masked(document)
    if collection == "orders":
        hours = document["class_hours_centi"] + document["gift_hours_centi"]
        return {**document, **dict.fromkeys(MONEY, 0), "consumed_class_hours_centi": 0,
                "unconsumed_class_hours_centi": hours}  # fmt: skip
    return dict(document)


def _masked(document: Mapping[str, Any]) -> dict[str, Any]:
    personal = ("name", "id_number", "born_on", "guardians")
    kept = {name: value for name, value in document.items() if name not in personal}
    kept |= {"name_masked": document["name"][:1] + "**", "id_number_masked": "****"}
    if "guardians" in document:
        kept |= {"born_year": int(document["born_on"][:4]), "roll_check": "unknown"}
        kept["guardians"] = [
            {"id": new_id("grd"), "external_id": guardian["external_id"], "name_masked": "*", "phone_masked": "*",
             "relation": guardian["relation"]}
            for guardian in document["guardians"]
        ]  # fmt: skip
    return kept


def refusal(status: int, code: str, detail: str) -> Answer:
    """A problem document (RFC 9457)."""
    body = {
        "type": f"https://spec.offcampus.example/v1/problems/{code}", "title": code, "status": status,
        "detail": detail, "code": code, "request_id": secrets.token_hex(8), "violations": [],
    }  # fmt: skip
    return Answer(status, body, {"Content-Type": "application/problem+json"})


def new_id(prefix: str) -> str:
    """An identifier of the standard's form."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(26))
