"""A platform inside the test's own process: the contract's behaviour, faults on demand, no network.

    platform = FakePlatform()
    client = platform.client()
    order = client.orders.create(...)
    platform.pay(order.id)

It judges requests as a platform does: token, signature over the raw bytes, the contract's schemas (the same verdicts,
by the same validator), Idempotency-Key, external_id, If-Match. It does not know the law: rules are judged by
`offcampus_sdk.checking` before sending, and by the platform.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import httpx2
from offcampus_spec import schemas
from offcampus_spec.operations import Operation, operations
from offcampus_spec.security import PROFILE
from offcampus_spec.violations import MOST_VIOLATIONS, code_of, violations

from offcampus_sdk.client import AsyncClient, Client
from offcampus_sdk.keys import Key, Signer
from offcampus_sdk.retries import RetryPolicy
from offcampus_sdk.signing import SignatureError, sign_event, verify
from offcampus_sdk.testing.documents import Document, answer_schema, example
from offcampus_sdk.testing.faults import Fault, Faults, Kind
from offcampus_sdk.testing.store import Answer, Store, refusal

BASE_URL = "https://platform.example"
BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
AT_ONCE = RetryPolicy(first_wait_s=0.0, longest_wait_s=0.0)
STEPS = {
    "cancellation": "cancelled", "approval": "paying", "objection": "objected", "confirmation": "confirmed",
    "dispute": "disputed", "acceptance": "accepted", "execution": "executed", "failure": "failed",
}  # fmt: skip
"""The end of the path of a step -> the state that it leads to."""


@dataclass
class FakePlatform:
    """One platform and one party known to it. Safe to call from several threads."""

    client_id: str = "pty_01hq5z8w9mabcdefghjkmnpqrs"
    key: Signer = field(default_factory=Key.generate)
    """The party's key."""
    base_url: str = BASE_URL
    now: Callable[[], float] = time.time
    store: Store = field(default_factory=Store)
    faults: Faults = field(default_factory=Faults)
    down_until: float = 0.0
    """Until this moment nothing is reached; by the platform's clock."""
    calls: list[str] = field(default_factory=list)
    """The operations that arrived, in order."""
    _own_key: Key = field(default_factory=Key.generate)
    _tokens: set[str] = field(default_factory=set)

    def client(self, **more: Any) -> Client:
        """A client of this platform, with the party's key; retries do not wait."""
        more = {"policy": AT_ONCE, **more}
        return Client(self.base_url, self.client_id, self.key, http=self.transport(), **more)

    def async_client(self, **more: Any) -> AsyncClient:
        """The asynchronous one."""
        return AsyncClient(
            self.base_url, self.client_id, self.key, http=self.transport(), **{"policy": AT_ONCE, **more}
        )

    def transport(self) -> httpx2.MockTransport:
        """The platform as a transport of the HTTP library, synchronous and asynchronous."""
        return httpx2.MockTransport(self.respond)

    def fault(
        self, operation_id: str, kind: Kind, *, times: int = 1, code: str = "resource.state", items: Sequence[int] = (),
        retry_after_s: int = 0,
    ) -> None:  # fmt: skip
        """Let the next calls of an operation (`*`: of any) go wrong; the kinds stand in `faults.Fault`."""
        self.faults.add(Fault(operation_id, kind, times, code, items, retry_after_s))

    def pay(self, order_id: str) -> Document:
        """The family's money has arrived: the order is paid in full."""
        order = self.store.resources["orders"][order_id]
        paid = {"state": "paid", "paid_fen": order["total_fen"], "escrow_fen": order["total_fen"]}
        changed: Document = self.store.change("orders", order_id, paid, "*", self._stamp()).body
        return changed

    def create(self, collection: str, document: Document) -> Document:
        """Something is there that others have reported: the resource, as the platform answers it.

        Raises ValueError when its own reference stands for something else already.
        """
        answer = self.store.create(collection, document, self._stamp())
        if answer.status >= 400:
            raise ValueError(f"{collection} has another {document.get('external_id')!r} already")
        made: Document = answer.body
        return made

    def change(self, collection: str, id: str, **members: Any) -> Document:
        """Anything else that happens at the platform: new members of a resource, with their event."""
        changed: Document = self.store.change(collection, id, members, "*", self._stamp()).body
        return changed

    def deliveries(self, url: str, *, after: int = 0) -> list[tuple[dict[str, str], bytes]]:
        """The events from the n-th on as signed webhook deliveries for an address: headers and raw body of each."""
        made = []
        for event in self.store.events[after:]:
            body = json.dumps(event, ensure_ascii=False).encode()
            made.append((sign_event(self._own_key, url, event["id"], body, int(self.now())), body))
        return made

    def jwks(self) -> list[dict[str, Any]]:
        """The platform's public keys, as a `Receiver` asks for them."""
        return [{**self._own_key.public_jwk(), "kid": self._own_key.id}]

    def respond(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request of the HTTP library; raises its errors where no answer comes."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.answer(request.method, str(request.url), headers, request.content)
        if answer is None:
            raise httpx2.ReadTimeout("no answer, on purpose")
        content = (
            answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, ensure_ascii=False).encode()
        )
        given = {"Content-Type": "application/json", **answer.headers}
        return httpx2.Response(answer.status, headers=given, content=b"" if answer.body is None else content)

    def answer(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer | None:
        """What the platform makes of a request (header names in lower case); None: no answer comes."""
        if self.now() < self.down_until:
            return None
        found = _matched(method, urlsplit(url).path)
        if found is None:
            return refusal("resource.not_found", "the contract has no such path")
        operation, path = found
        self.calls.append(operation.operation_id)
        fault = self.faults.take(operation.operation_id)
        if fault is not None and fault.strikes_before(operation):
            return self._struck(fault)
        answer = self._served(operation, path, url, headers, content, fault)
        return None if fault is not None and fault.kind == "lost" else answer

    def _struck(self, fault: Fault) -> Answer | None:
        after = {"Retry-After": str(fault.retry_after_s)}
        made: dict[Kind, Answer | None] = {
            "unreached": None, "busy": refusal("server.busy", headers=after), "error": refusal("server.error"),
            "limited": refusal("rate.limited", headers=after),
            "in_progress": refusal("idempotency.in_progress", headers=after),
            "token": refusal("auth.token_invalid"), "garbage": Answer(200, b"<html>"),
            "refuse": refusal(fault.code),
        }  # fmt: skip
        return made[fault.kind]

    def _served(
        self, operation: Operation, path: Mapping[str, str], url: str, headers: Mapping[str, str], content: bytes,
        fault: Fault | None,
    ) -> Answer:  # fmt: skip
        if operation.scope is None:
            return self._public(operation, content)
        if headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return refusal("auth.token_invalid")
        if operation.signed:
            try:
                keys = [self.key.public_jwk()]
                verify(PROFILE.request, operation.method, url, headers, content, keys, int(self.now()))
            except SignatureError as error:
                return refusal("signature.invalid", str(error))
        if operation.method == "GET":
            return self._read(operation, path, dict(parse_qsl(urlsplit(url).query)))
        if operation.idempotency == "key" and "idempotency-key" not in headers:
            return refusal("idempotency.key_missing")
        body = json.loads(content) if content else {}
        if wrong := _wrong(operation, body):
            return refusal(code_of(wrong), violations=wrong)
        if operation.idempotency != "key":
            return self._write(operation, path, headers, body, fault)
        return self.store.once(
            operation.operation_id, headers["idempotency-key"], content,
            lambda: self._write(operation, path, headers, body, fault),
        )  # fmt: skip

    def _write(
        self, operation: Operation, path: Mapping[str, str], headers: Mapping[str, str], body: Any, fault: Fault | None
    ) -> Answer:
        collection, last = operation.path.split("/")[2], operation.path.rpartition("/")[2]
        id = next(iter(path.values()), None)
        if operation.batch:
            refused = dict.fromkeys(fault.items, fault.code) if fault is not None else {}
            return self.store.create_batch(collection, body["items"], refused, self._stamp())
        if id is None:
            return self.store.create(collection, body, self._stamp())
        if operation.method == "PATCH" or last in STEPS:
            changes = body if operation.method == "PATCH" else {"state": STEPS[last]}
            given = headers.get("if-match", "*" if operation.concurrency == "none" else None)
            return self.store.change(collection, id, changes, given, self._stamp())
        if operation.method == "DELETE":
            known = self.store.resources.get(collection, {}).pop(id, None)
            return refusal("resource.not_found") if known is None else Answer(204, None)
        schema = answer_schema(operation)
        return Answer(200, example(schema) if schema else None)

    def _read(self, operation: Operation, path: Mapping[str, str], query: dict[str, str]) -> Answer:
        collection = operation.path.split("/")[2]
        if operation.operation_id == "listEvents":
            return self.store.feed(query)
        if not path:
            return self.store.page(collection, query)
        if operation.path.endswith("}") and len(path) == 1:
            return self.store.read(collection, next(iter(path.values())))
        schema = answer_schema(operation)
        return Answer(200, example(schema)) if schema else self.store.page(operation.path.rpartition("/")[2], query)

    def _public(self, operation: Operation, content: bytes) -> Answer:
        if operation.operation_id == "issueToken":
            if not _is_assertion_of(dict(parse_qsl(content.decode())), self.client_id, self.base_url):
                return refusal("auth.client_assertion")
            self._tokens.add(token := secrets.token_urlsafe(16))
            return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": ""})
        if operation.operation_id == "getJwks":
            return Answer(200, {"keys": self.jwks()})
        if operation.operation_id == "getServerMetadata":
            return Answer(200, {**example("server-metadata"), "issuer": self.base_url})
        schema = answer_schema(operation)
        return Answer(200, example(schema)) if schema else refusal("resource.not_found")

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.now(), BUSINESS_ZONE).isoformat(timespec="seconds")


def _wrong(operation: Operation, body: Any) -> list[Document]:
    """Where a body breaks the contract."""
    if operation.patch:
        return [] if isinstance(body, dict) and body else [{"pointer": "", "code": "schema.invalid"}]
    schema = operation.request_schema
    found = violations(schemas.validator(schema).iter_errors(body)) if schema is not None else []
    if operation.item_schema is not None and not found:
        for index, item in enumerate(body["items"]):
            found += violations(schemas.validator(operation.item_schema).iter_errors(item), f"/items/{index}")
    return found[:MOST_VIOLATIONS]


def _is_assertion_of(form: Mapping[str, str], client_id: str, issuer: str) -> bool:
    import base64

    try:
        payload = form["client_assertion"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (KeyError, IndexError, ValueError):
        return False
    return bool(claims.get("iss") == client_id and claims.get("aud") == issuer)


def _matched(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    for pattern, operation in _patterns():
        if operation.method == method and (found := pattern.fullmatch(path)) is not None:
            return operation, found.groupdict()
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Operation], ...]:
    # Literal paths before those with a parameter: `/v1/lessons/batch` is no lesson.
    ordered = sorted(operations().values(), key=lambda operation: operation.path.count("{"))
    return tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))), operation)
        for operation in ordered
    )
