"""The played platform on a local port: stdlib HTTP, contract from the standard, every exchange recorded.

Invariants:
- it is strict where going on would make nonsense (a body that breaks the contract, a stale version, a used key) and
  lenient where the fault is complete in itself (a signature, a missing key): what is lenient is noted as a fact of the
  exchange, so that one fault hides no other;
- every answer of its own is judged against the contract, but for those that a trick breaks on purpose: `suite_fault`;
- what arrives is attributed to the step of the scenario that is under way, or noted as unmatched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from offcampus_spec import SPEC_VERSION

from offcampus_conformance.own_messages import answer_breaks
from offcampus_conformance.played_platform import observed
from offcampus_conformance.played_platform.conduct import INSTEAD, Conduct, Trick
from offcampus_conformance.played_platform.contract import (
    Matched,
    contract_errors,
    match,
    query_names,
)
from offcampus_conformance.played_platform.replies import Replies
from offcampus_conformance.played_platform.state import Answer, State, refusal
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import Key

LONGEST_BODY = 4 * 1024 * 1024
TOKEN_LIFE_S = 300
PUBLIC = ("issueToken", "getServerMetadata", "getJwks", "getCapabilities")
WRONG = {
    "broken": "the answer of a proxy in between, not of the platform",
    "redirect": "a redirection that the contract does not have and no client follows",
}
"""Tricks whose answers break the contract on purpose."""
Attribute = Callable[[str | None], Mapping[str, Any]]
"""Which step an operation belongs to: facts `step`, `expected` and, when not, `nearest`."""


@dataclass(frozen=True)
class Request:
    """What arrived: the bytes and the headers, and what they matched in the contract."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    body: Any
    matched: Matched | None
    arrived_s: float

    def header(self, name: str) -> str | None:
        """A header by name in any case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return dict(parse_qsl(urlsplit(self.url).query))


@dataclass
class PlayedPlatform:
    """The suite as platform. `public_keys` are the keys under which the target may sign."""

    record: Record
    client_id: str
    public_keys: list[dict[str, str]]
    replies: Replies = field(default_factory=Replies)
    keys: list[Key] = field(default_factory=lambda: [Key.generate()])
    """The platform's own keys; the last one signs deliveries, all are published."""
    attribute: Attribute = lambda _: {}
    canaries: dict[str, str] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)
    """Places in `public_keys` that are no longer taken."""
    tokens: dict[str, float] = field(default_factory=dict)
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _count: int = 0
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> State:
        """The platform's memory."""
        return self.replies.state

    @property
    def conduct(self) -> Conduct:
        """What it does on purpose."""
        return self.replies.conduct

    @property
    def base_url(self) -> str:
        """Where the target reaches the played platform."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1 until `stop`; port 0 takes a free one."""
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def answer(self) -> None:
                platform._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                """Nothing: what arrives is recorded, redacted, in the record."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = self._read(handler)
        operation_id = request.matched.operation.operation_id if request.matched else None
        if self.conduct.down:
            self._note(request, None, b"", {}, self._facts(request, None) | {"trick": "down"}, operation_id)
            _hang_up(handler)
            return
        trick = self.conduct.next(operation_id) if operation_id else None
        facts = self._facts(request, trick)
        answer = self._answer(request, trick)
        payload = json.dumps(answer.body, ensure_ascii=False).encode() if answer.body is not None else b""
        if trick is not None and trick.do == "broken":
            payload = trick.body.encode()
        headers = {"Content-Type": "application/json", "Date": handler.date_time_string(), **answer.headers}
        if trick is not None and trick.do == "late":
            time.sleep(trick.delay_ms / 1000)
        facts["answered_s"] = self._elapsed()
        self._note(request, answer.status, payload, headers, facts, operation_id)
        if trick is not None and trick.do in ("lost", "drop"):
            _hang_up(handler)
            return
        self._send(handler, answer, payload, headers, cut=trick is not None and trick.do == "truncated")

    def _send(
        self, handler: BaseHTTPRequestHandler, answer: Answer, payload: bytes, headers: Mapping[str, str], *, cut: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):  # a client that gave up waiting is no trouble of ours
            handler.send_response(answer.status)
            length = {} if answer.status == 204 else {"Content-Length": str(len(payload))}
            for name, value in {**headers, **length}.items():
                if name != "Date":
                    handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(payload[: len(payload) // 2] if cut else payload)
            handler.wfile.flush()
        if cut:
            _hang_up(handler)

    def _read(self, handler: BaseHTTPRequestHandler) -> Request:
        arrived = self._elapsed()
        content = _content(handler)
        try:
            body = json.loads(content, parse_float=_whole) if content else None
        except ValueError:
            body = None
        url = f"http://{handler.headers.get('Host', '')}{handler.path}"
        matched = match(handler.command, urlsplit(handler.path).path)
        return Request(handler.command, url, dict(handler.headers.items()), content, body, matched, arrived)

    def _answer(self, request: Request, trick: Trick | None) -> Answer:
        if request.matched is None:
            return refusal(404, "resource.not_found", "the contract has no such path")
        operation = request.matched.operation
        if trick is not None and trick.do in INSTEAD and (instead := self._instead(request, trick)) is not None:
            return instead
        if operation.operation_id == "issueToken":
            return self._token(request)
        if operation.operation_id in PUBLIC:
            return self._public(operation.operation_id)
        if self._token_trouble(request):
            return refusal(401, "auth.token_invalid", "the token is missing, unknown or expired")
        lower = {name.lower(): value for name, value in request.headers.items()}
        return self.replies.reply(request.matched, request.body, request.query, lower, trick)

    def _instead(self, request: Request, trick: Trick) -> Answer | None:
        wait = {} if trick.retry_after_s is None else {"Retry-After": str(trick.retry_after_s)}
        problem = {
            "busy": (503, "server.busy"), "throttle": (429, "rate.limited"), "refuse": (trick.status, trick.code),
            "in_progress": (409, "idempotency.in_progress"), "revoke_token": (401, "auth.token_invalid"),
            "drop": (503, "server.busy"),
        }.get(trick.do)  # fmt: skip
        if trick.do == "revoke_token":
            self.tokens.clear()
        if problem is not None:
            found = refusal(*problem, "on purpose: come again" if wait else "on purpose")
            return Answer(found.status, found.body, {**found.headers, **wait})
        if trick.do == "redirect":
            return Answer(307, None, {"Location": f"{self.base_url}/elsewhere{urlsplit(request.url).path}"})
        return Answer(trick.status if trick.status != 422 else 502, None, {"Content-Type": trick.media_type})

    def _token(self, request: Request) -> Answer:
        facts = observed.of_assertion(
            request.content, self.public_keys, self.client_id, self.base_url, int(time.time())
        )
        if not facts["iss_is_client"] or not facts["aud_is_issuer"]:
            return refusal(401, "auth.client_assertion", f"iss must be {self.client_id}, aud {self.base_url}")
        if facts["key"] in self.revoked:
            return refusal(401, "auth.client_assertion", "this key is no longer registered")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.time() + TOKEN_LIFE_S
        body = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S, "scope": ""}
        return Answer(200, body)

    def _public(self, operation_id: str) -> Answer:
        jwks = [{**key.jwk(), "kid": key.thumbprint, "use": "sig", "alg": "EdDSA"} for key in self.keys]
        bodies: dict[str, Any] = {
            "getJwks": {"keys": jwks},
            "getServerMetadata": {
                "issuer": self.base_url, "token_endpoint": f"{self.base_url}/v1/token",
                "jwks_uri": f"{self.base_url}/.well-known/jwks.json",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["Ed25519"],
                "grant_types_supported": ["client_credentials"],
            },
            "getCapabilities": {
                "spec_version": SPEC_VERSION, "profiles": ["institution-connect", "bank"], "features": ["webhooks"],
                "limits": {"batch_items": 1000, "page_items": 500, "body_bytes": LONGEST_BODY},
                "rules": {"digest": "sha-256:" + "0" * 64, "plugins": []}, "extension_namespaces": [],
                "business_date": self.replies.now.date().isoformat(),
            },
        }  # fmt: skip
        return Answer(200, bodies[operation_id])

    def _token_trouble(self, request: Request) -> str | None:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return "no bearer token"
        expires = self.tokens.get(token)
        return None if expires is not None and expires > time.time() else "an unknown or expired token"

    def _facts(self, request: Request, trick: Trick | None) -> dict[str, Any]:
        matched = request.matched
        operation = matched.operation if matched else None
        facts: dict[str, Any] = {
            "body_digest": hashlib.sha256(request.content).hexdigest(), "trick": trick.do if trick else None,
            "arrived_s": request.arrived_s, "business_at": self.replies.now.isoformat(timespec="seconds"),
            **self.attribute(operation.operation_id if operation else None),
        }  # fmt: skip
        if operation is None or matched is None:
            return facts
        form = operation.operation_id == "issueToken"
        if request.content and not form:
            facts["json"] = observed.of_json(request.content)
        facts["contract"] = contract_errors(operation, matched.path, request.body)
        facts["query"] = observed.unknown_query(request.url, query_names(operation))
        if leaks := observed.leaks(request.url, request.headers, None if form else request.body, self.canaries):
            facts["leaks"] = leaks
        now = int(time.time())
        if form:
            facts["assertion"] = observed.of_assertion(
                request.content, self.public_keys, self.client_id, self.base_url, now
            )
        elif operation.operation_id not in PUBLIC:
            facts["token"] = self._token_trouble(request)
        if operation.concurrency == "if-match":
            facts["needs_version"] = True
        if operation.signed:
            facts["signature"] = observed.of_signature(
                request.method, request.url, request.headers, request.content, self.public_keys, now
            )
        return facts

    def _note(
        self, request: Request, status: int | None, payload: bytes, headers: Mapping[str, str], facts: dict[str, Any],
        operation_id: str | None,
    ) -> None:  # fmt: skip
        with self._lock:
            self._count += 1
            self.record.add(
                Exchange(
                    label=f"arrived.{self._count:04d}.{operation_id}",
                    method=request.method,
                    url=request.url,
                    request_headers=request.headers,
                    request_body=request.content.decode("utf-8", "replace"),
                    status=status,
                    response_headers=headers,
                    response_body=payload.decode("utf-8"),
                    started_at=datetime.now(UTC).isoformat(),
                    elapsed_ms=round((self._elapsed() - request.arrived_s) * 1000, 1),
                    operation_id=operation_id,
                    trouble="the platform was down" if status is None else None,
                    facts=facts,
                    breaks_contract=answer_breaks(operation_id, status, payload.decode("utf-8")),
                    wrong=WRONG.get(str(facts["trick"])),
                )
            )

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _content(handler: BaseHTTPRequestHandler) -> bytes:
    """The body, by its length or in chunks; at most as much as any request of the contract has."""
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        length = min(int(handler.headers.get("Content-Length") or 0), LONGEST_BODY)
        return handler.rfile.read(length) if length else b""
    content = b""
    while size := int(handler.rfile.readline().partition(b";")[0].strip() or b"0", 16):
        content += handler.rfile.read(min(size, LONGEST_BODY - len(content)))
        handler.rfile.readline()
        if len(content) >= LONGEST_BODY:
            return content
    while handler.rfile.readline().strip():
        pass
    return content


def _whole(text: str) -> float | int:
    """A number with a point is noted as a fact; to go on, a whole one is taken for the integer that it is."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection for good: a socket that the library keeps half open would leave the client waiting."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
    handler.connection.close()
