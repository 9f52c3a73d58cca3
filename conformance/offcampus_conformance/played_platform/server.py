"""The played platform on a local port: stdlib HTTP, contract from the standard, every exchange recorded.

For each request that arrives it notes, as facts beside the bytes, what only the receiver can know: which operation it
was, where the request breaks the contract, whether token and signature hold. Checks judge those facts later.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from offcampus_spec import SPEC_VERSION

from offcampus_conformance.own_messages import answer_breaks
from offcampus_conformance.played_platform.contract import Matched, contract_errors, match
from offcampus_conformance.played_platform.state import Answer, State, refusal
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import (
    Key,
    content_digest,
    covered_components,
    request_components,
    thumbprint,
    verify,
)
from offcampus_conformance.synthetic import SHANGHAI

LONGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What arrived: the bytes and the headers, and what they matched in the contract."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    body: Any
    matched: Matched | None

    def header(self, name: str) -> str | None:
        """A header by name in any case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)


@dataclass
class PlayedPlatform:
    """The suite as platform. `public_keys` are the keys under which the vendor's system may sign."""

    record: Record
    client_id: str
    public_keys: list[dict[str, str]]
    state: State = field(default_factory=State)
    key: Key = field(default_factory=Key.generate)
    tokens: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base_url(self) -> str:
        """Where the vendor's system reaches the played platform."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1 until `stop`; port 0 takes a free one."""
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

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
        started, clock = datetime.now(UTC).isoformat(), time.monotonic()
        request = self._read(handler)
        trick = self.state.next_trick(request.matched.operation.operation_id) if request.matched else None
        answer = self._answer(request, trick)
        facts = self._facts(request, trick)
        payload = json.dumps(answer.body, ensure_ascii=False).encode() if answer.body is not None else b""
        headers = {"Content-Type": "application/json", "Date": handler.date_time_string(), **answer.headers}
        self._note(request, answer, payload, headers, facts, started, (time.monotonic() - clock) * 1000)
        if trick == "lost":
            # Done, but the answer never arrives: what a lawful network may do to anyone.
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response(answer.status)
        for name, value in {**headers, "Content-Length": str(len(payload))}.items():
            if name != "Date":
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    def _read(self, handler: BaseHTTPRequestHandler) -> Request:
        length = min(int(handler.headers.get("Content-Length") or 0), LONGEST_BODY)
        content = handler.rfile.read(length) if length else b""
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = None
        url = f"http://{handler.headers.get('Host', '')}{handler.path}"
        matched = match(handler.command, urlsplit(handler.path).path)
        return Request(handler.command, url, dict(handler.headers.items()), content, body, matched)

    def _answer(self, request: Request, trick: str | None) -> Answer:
        if request.matched is None:
            return refusal(404, "resource.not_found", "the contract has no such path")
        operation = request.matched.operation
        if operation.operation_id == "issueToken":
            return self._token(request)
        if operation.operation_id in ("getServerMetadata", "getJwks", "getCapabilities"):
            return self._public(operation.operation_id)
        if trick == "busy":
            return Answer(503, refusal(503, "server.busy", "come again").body, {"Retry-After": "0"})
        if self._token_trouble(request):
            return refusal(401, "auth.token_invalid", "the token is missing, unknown or expired")
        if operation.signed and (trouble := self._signature_trouble(request)):
            return refusal(401, "signature.invalid", trouble)
        if errors := contract_errors(operation, request.matched.path, request.body):
            return refusal(422, "schema.invalid", "; ".join(errors[:5]))
        return self._use(request, request.matched, trick)

    def _use(self, request: Request, matched: Matched, trick: str | None) -> Answer:
        operation, collection = matched.operation, matched.collection
        query = dict(parse_qsl(urlsplit(request.url).query))
        state, key = self.state, request.header("idempotency-key")
        if request.method == "GET":
            return state.read(collection, matched.id) if matched.id else state.list(collection, query)
        if operation.idempotency == "key" and key is None:
            return refusal(400, "idempotency.key_missing", "Idempotency-Key is required")
        if operation.batch:
            refuse = frozenset({0}) if trick == "refuse_first" else frozenset()
            items = request.body["items"]
            return state.once(
                operation.operation_id, key, request.body, lambda: state.create_batch(collection, items, refuse=refuse)
            )
        if matched.id is None:
            return state.once(operation.operation_id, key, request.body, lambda: state.create(collection, request.body))
        changes = request.body if request.method == "PATCH" else {"state": matched.transition}
        return state.change(collection, matched.id, changes, request.header("if-match"))

    def _token(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.content.decode("utf-8", "replace")))
        claims = _claims(form.get("client_assertion", ""))
        if claims.get("iss") != self.client_id or claims.get("aud") != self.base_url:
            return refusal(401, "auth.client_assertion", f"iss must be {self.client_id}, aud {self.base_url}")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.time() + 300
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": ""})

    def _public(self, operation_id: str) -> Answer:
        jwk = {**self.key.jwk(), "kid": self.key.thumbprint, "use": "sig", "alg": "EdDSA"}
        bodies: dict[str, Any] = {
            "getJwks": {"keys": [jwk]},
            "getServerMetadata": {
                "issuer": self.base_url, "token_endpoint": f"{self.base_url}/v1/token",
                "jwks_uri": f"{self.base_url}/.well-known/jwks.json",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["Ed25519"],
                "grant_types_supported": ["client_credentials"],
            },
            "getCapabilities": {
                "spec_version": SPEC_VERSION, "profiles": ["institution-connect"], "features": ["webhooks"],
                "limits": {"batch_items": 1000, "page_items": 500, "body_bytes": LONGEST_BODY},
                "rules": {"digest": "sha-256:" + "0" * 64, "plugins": []}, "extension_namespaces": [],
                "business_date": datetime.now(SHANGHAI).date().isoformat(),
            },
        }  # fmt: skip
        return Answer(200, bodies[operation_id])

    def _token_trouble(self, request: Request) -> str | None:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return "no bearer token"
        expires = self.tokens.get(token)
        return None if expires is not None and expires > time.time() else "an unknown or expired token"

    def _signature_trouble(self, request: Request) -> str | None:
        if request.content and request.header("content-digest") != content_digest(request.content):
            return "Content-Digest does not match the body"
        covered = covered_components(request.header("signature-input") or "")
        wanted = request_components(request.headers)
        if missing := [name for name in wanted if name not in covered]:
            return f"the signature does not cover {missing}"
        keyid = _parameter(request.header("signature-input") or "", "keyid")
        jwk = next((jwk for jwk in self.public_keys if thumbprint(jwk) == keyid), None)
        if jwk is None:
            return f"no key {keyid!r} is registered for this client"
        return verify(jwk, request.method, request.url, request.headers)

    def _facts(self, request: Request, trick: str | None) -> dict[str, Any]:
        facts: dict[str, Any] = {"body_digest": hashlib.sha256(request.content).hexdigest(), "trick": trick}
        if request.matched is None:
            return facts
        operation = request.matched.operation
        facts["contract"] = contract_errors(operation, request.matched.path, request.body)
        if operation.operation_id not in ("issueToken", "getServerMetadata", "getJwks", "getCapabilities"):
            facts["token"] = self._token_trouble(request)
        if operation.operation_id == "issueToken":
            facts["assertion"] = _assertion_facts(request.content)
        if operation.signed:
            facts["signature"] = self._signature_trouble(request)
            facts["nonce"] = _parameter(request.header("signature-input") or "", "nonce")
            facts["created_skew_s"] = _skew(request.header("signature-input") or "")
        return facts

    def _note(
        self, request: Request, answer: Answer, payload: bytes, headers: Mapping[str, str], facts: dict[str, Any],
        started: str, elapsed_ms: float,
    ) -> None:  # fmt: skip
        operation_id = request.matched.operation.operation_id if request.matched else None
        with self._lock:
            self._count += 1
            self.record.add(
                Exchange(
                    label=f"arrived.{self._count:04d}.{operation_id}",
                    method=request.method,
                    url=request.url,
                    request_headers=request.headers,
                    request_body=request.content.decode("utf-8", "replace"),
                    status=answer.status,
                    response_headers=headers,
                    response_body=payload.decode("utf-8"),
                    started_at=started,
                    elapsed_ms=round(elapsed_ms, 1),
                    operation_id=operation_id,
                    facts=facts,
                    breaks_contract=answer_breaks(operation_id, answer.status, payload.decode("utf-8")),
                )
            )


def _claims(assertion: str) -> dict[str, Any]:
    import base64

    try:
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _assertion_facts(content: bytes) -> dict[str, Any]:
    """What is judged of a client assertion; never the assertion itself."""
    claims = _claims(dict(parse_qsl(content.decode("utf-8", "replace"))).get("client_assertion", ""))
    lifetime = claims.get("exp", 0) - claims.get("iat", 0) if {"exp", "iat"} <= claims.keys() else None
    audience = claims.get("aud")
    return {"lifetime_s": lifetime, "aud_is_text": isinstance(audience, str), "jti": claims.get("jti")}


def _parameter(signature_input: str, name: str) -> str | None:
    _, found, rest = signature_input.partition(f';{name}="')
    return rest.partition('"')[0] if found else None


def _skew(signature_input: str) -> int | None:
    _, found, rest = signature_input.partition(";created=")
    digits = rest.partition(";")[0]
    return int(digits) - int(time.time()) if found and digits.isdigit() else None
