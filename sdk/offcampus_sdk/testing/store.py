"""What the fake platform remembers: resources, answers by idempotency key, events in commit order.

The rules are the standard's: one effect per key, another body under the same key is refused, an external_id names one
resource for ever, a change needs the version it is based on, pages follow the order of creation.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offcampus_spec.problems import problems

from offcampus_sdk.testing.documents import Document, dressed, new_id


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, a JSON body, headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


def refusal(
    code: str, detail: str = "", violations: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None
) -> Answer:
    """A problem of the catalogue as an answer. Raises KeyError for a code that the catalogue does not have."""
    kind = problems()[code]
    body = {
        "type": f"https://spec.offcampus.example/v1/problems/{code}", "title": kind.title("en"), "status": kind.status,
        "detail": detail or kind.title("en"), "instance": "/", "code": code, "request_id": new_id("req"),
        "remedy": kind.remedy("en"), "violations": list(violations), "retry": {"safe": kind.retry_safe},
    }  # fmt: skip
    return Answer(kind.status, body, {"Content-Type": "application/problem+json", **(headers or {})})


@dataclass
class Store:
    """Everything that happened, behind one lock: a product may call from several threads."""

    resources: dict[str, dict[str, Document]] = field(default_factory=dict)
    events: list[Document] = field(default_factory=list)
    effects: dict[str, int] = field(default_factory=dict)
    """How often each resource came into being by its external_id: more than once would be a fault of the fake."""
    _answers: dict[tuple[str, str], tuple[str, Answer]] = field(default_factory=dict)
    _by_external_id: dict[tuple[str, str], str] = field(default_factory=dict)
    _sent: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def once(self, operation_id: str, key: str, content: bytes, make: Callable[[], Answer]) -> Answer:
        """The stored answer of this key, or a new one. Refusals are answers too; trouble of the platform is none."""
        fingerprint = hashlib.sha256(content).hexdigest()
        with self.lock:
            stored = self._answers.get((operation_id, key))
            if stored is None:
                answer = make()
                if answer.status < 500:
                    self._answers[(operation_id, key)] = (fingerprint, answer)
                return answer
            if stored[0] != fingerprint:
                return refusal("idempotency.key_reused")
            return Answer(stored[1].status, stored[1].body, {**stored[1].headers, "Idempotency-Replayed": "true"})

    def create(self, collection: str, sent: Document, now: str) -> Answer:
        """One new resource, or the one that has this external_id already."""
        with self.lock:
            known = self.known(collection, sent)
            if known is None:
                made = self._store(collection, sent, now)
                location = f"/v1/{collection}/{made['id']}"
                return Answer(201, dict(made), {"ETag": '"1"', "Location": location})
            if self._differs(known, sent):
                return refusal("resource.exists")
            return Answer(200, dict(known), {"ETag": f'"{known["version"]}"'})

    def create_batch(self, collection: str, items: Sequence[Document], refused: Mapping[int, str], now: str) -> Answer:
        """One result an item; those that `refused` names come back with that problem."""
        results: list[Document] = []
        with self.lock:
            for index, item in enumerate(items):
                known = self.known(collection, item)
                entry: Document = {"index": index, "external_id": item["external_id"]}
                if index in refused:
                    problem = refusal(refused[index]).body
                    entry |= {"status": problem["status"], "outcome": "refused", "problem": problem}
                elif known is not None and self._differs(known, item):
                    entry |= {"status": 409, "outcome": "refused", "problem": refusal("resource.exists").body}
                elif known is not None:
                    entry |= {"status": 200, "outcome": "duplicate", "id": known["id"], "version": known["version"]}
                else:
                    made = self._store(collection, item, now)
                    entry |= {"status": 201, "outcome": "accepted", "id": made["id"], "version": 1}
                results.append(entry)
        outcomes = [entry["outcome"] for entry in results]
        summary = {name: outcomes.count(name) for name in ("accepted", "duplicate", "refused")}
        return Answer(207, {"results": results, "summary": summary})

    def change(self, collection: str, id: str, changes: Mapping[str, Any], if_match: str | None, now: str) -> Answer:
        """A change under If-Match; without a header (`*`) it is the fake's own doing."""
        with self.lock:
            resource = self.resources.get(collection, {}).get(id)
            if resource is None:
                return refusal("resource.not_found")
            if if_match is None:
                return refusal("concurrency.if_match_missing")
            if if_match not in ("*", f'"{resource["version"]}"'):
                return refusal("concurrency.stale")
            resource |= {**changes, "version": resource["version"] + 1, "updated_at": now}
            self._event(collection, resource, str(resource.get("state", "changed")), now)
            return Answer(200, dict(resource), {"ETag": f'"{resource["version"]}"'})

    def read(self, collection: str, id: str) -> Answer:
        """One resource by id."""
        with self.lock:
            resource = self.resources.get(collection, {}).get(id)
            if resource is None:
                return refusal("resource.not_found")
            return Answer(200, dict(resource), {"ETag": f'"{resource["version"]}"'})

    def page(self, collection: str, query: Mapping[str, str]) -> Answer:
        """A page in the order of creation; filters are members that must be equal."""
        limit, cursor = int(query.get("limit", "50")), query.get("cursor")
        wanted = {name: value for name, value in query.items() if name not in ("limit", "cursor")}
        with self.lock:
            rows = list(self.resources.get(collection, {}).values())
            found = [dict(row) for row in rows if all(str(row.get(name)) == value for name, value in wanted.items())]
        if cursor is not None and not cursor.isdigit():
            return refusal("cursor.invalid")
        start = int(cursor or 0)
        more = str(start + limit) if start + limit < len(found) else None
        return Answer(200, {"items": found[start : start + limit], "next_cursor": more, "next": None})

    def feed(self, query: Mapping[str, str]) -> Answer:
        """The events after a cursor, in commit order."""
        after, limit = query.get("after", "0"), int(query.get("limit", "100"))
        if not after.isdigit():
            return refusal("cursor.invalid")
        with self.lock:
            found = self.events[int(after) : int(after) + limit]
        return Answer(200, {"items": found, "next_cursor": str(int(after) + len(found))})

    def known(self, collection: str, sent: Mapping[str, Any]) -> Document | None:
        """The resource that has the external_id of a document."""
        id = self._by_external_id.get((collection, str(sent.get("external_id"))))
        return None if id is None else self.resources[collection][id]

    def _store(self, collection: str, sent: Document, now: str) -> Document:
        made = dressed(collection, sent, now)
        self.resources.setdefault(collection, {})[made["id"]] = made
        if "external_id" in sent:
            self._by_external_id[(collection, sent["external_id"])] = made["id"]
            self.effects[sent["external_id"]] = self.effects.get(sent["external_id"], 0) + 1
        self._sent[made["id"]] = _fingerprint(sent)
        self._event(collection, made, "created", now)
        return made

    def _differs(self, known: Document, sent: Document) -> bool:
        return self._sent[known["id"]] != _fingerprint(sent)

    def _event(self, collection: str, resource: Document, verb: str, now: str) -> None:
        kind = collection.replace("-", "_")
        noun = kind[:-3] + "y" if kind.endswith("ies") else kind[:-2] if kind.endswith("sses") else kind.rstrip("s")
        data = {"id": resource["id"], "version": resource["version"], "link": f"/v1/{collection}/{resource['id']}"}
        optional = {name: resource[name] for name in ("external_id", "state") if name in resource}
        event: Document = {
            "specversion": "1.0", "id": new_id("evt"), "source": "https://platform.example",
            "type": f"cn.offcampus.{noun}.{verb}.v1", "subject": resource["id"], "time": now,
            "datacontenttype": "application/json", "sequence": str(resource["version"]), "data": {**data, **optional},
        }  # fmt: skip
        if "institution_id" in resource:
            event["institutionid"] = resource["institution_id"]
        self.events.append(event)


def _fingerprint(sent: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
