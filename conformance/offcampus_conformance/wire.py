"""The suite as a client: sends exactly what a step asks for, wrong on purpose where asked, and records it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import Key, client_assertion, content_digest, sign

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
JSON = "application/json"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Wire:
    """One run's connection to the target. Every request that it sends is recorded under its step's label."""

    base_url: str
    record: Record
    canaries: dict[str, str] = field(default_factory=dict)
    """Personal data that the suite has sent, by what they are: an answer that holds one has leaked it."""
    http: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    )

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(
        self, label: str, method: str, path: str, *, headers: Mapping[str, str] | None = None,
        content: bytes | None = None, operation_id: str | None = None, facts: Mapping[str, Any] | None = None,
    ) -> Exchange:  # fmt: skip
        """Send one request as it is and record it; a failure of the transport is recorded, not raised."""
        url, started, clock = self.base_url + path, datetime.now(UTC).isoformat(), time.monotonic()
        status, answer_headers, answer, trouble = None, {}, None, None
        try:
            with self.http.stream(method, url, headers=dict(headers or {}), content=content) as response:
                status, answer_headers = response.status_code, dict(response.headers)
                answer = _read(response)
        except (httpx2.HTTPError, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}"
        elapsed_ms = round((time.monotonic() - clock) * 1000, 1)
        return self.record.add(
            Exchange(
                label=label,
                method=method,
                url=url,
                request_headers=dict(headers or {}),
                request_body=_text(content),
                status=status,
                response_headers=answer_headers,
                response_body=answer,
                started_at=started,
                elapsed_ms=elapsed_ms,
                operation_id=operation_id,
                trouble=trouble,
                facts={**(facts or {}), **self._leaks(answer)},
            )
        )

    def _leaks(self, answer: str | None) -> dict[str, Any]:
        found = sorted(what for what, text in self.canaries.items() if answer is not None and text in answer)
        return {"leaked": found} if found else {}


@dataclass
class Actor:
    """A party that the suite speaks for: it gets tokens, signs, and makes idempotency keys."""

    name: str
    client_id: str
    key: Key
    wire: Wire
    issuer: str
    token: str | None = None

    def authenticate(self, label: str, **claims: Any) -> Exchange:
        """Ask for an access token; `claims` make the assertion unlawful on purpose."""
        audience = claims.pop("aud", self.issuer)
        assertion = client_assertion(self.key, self.client_id, audience, now=int(time.time()), **claims)
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion,
        }  # fmt: skip
        content = str(httpx2.QueryParams(form)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        token: list[str] = []
        exchange = _keeping_token(self.wire, token, label, headers, content)
        if token:
            self.token = token[0]
        return exchange

    def get(self, label: str, path: str, *, operation_id: str, headers: Mapping[str, str] | None = None) -> Exchange:
        """A read: token, no signature."""
        return self.wire.send(
            label, "GET", path, headers={**self._bearer(), **(headers or {})}, operation_id=operation_id
        )

    def write(
        self, label: str, method: str, path: str, body: Any = None, *, operation_id: str, key: str | None = "",
        if_match: str | None = None, raw: bytes | None = None, created: int | None = None, nonce: str | None = None,
        headers: Mapping[str, str] | None = None, signed: bool = True,
        tamper: Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]] | None = None,
    ) -> Exchange:  # fmt: skip
        """A signed write.

        Args:
            key: the Idempotency-Key; "" makes a fresh one, None leaves it out.
            raw: the body's bytes when they are not to be made from `body`.
            created, nonce: the signature's, to make it stale or replayed.
            tamper: changes headers and body AFTER signing.
        """
        content = raw if raw is not None else (b"" if body is None else dump(body))
        sent = {**self._bearer(), **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key or secrets.token_urlsafe(18)
        if if_match is not None:
            sent["If-Match"] = if_match
        if content:
            sent = {"Content-Type": JSON, **sent, "Content-Digest": content_digest(content)}
        if signed:
            moment = int(time.time()) if created is None else created
            sent |= sign(self.key, method, self.wire.base_url + path, sent, created=moment, nonce=nonce)
        if tamper is not None:
            sent, content = tamper(sent, content)
        return self.wire.send(label, method, path, headers=sent, content=content or None, operation_id=operation_id)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def dump(body: Any) -> bytes:
    """JSON as the suite sends it: UTF-8, no spaces, member order kept."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _keeping_token(wire: Wire, token: list[str], label: str, headers: Mapping[str, str], content: bytes) -> Exchange:
    """Send a token request; the token is handed over before the exchange is redacted and kept."""

    def remember(response: httpx2.Response) -> None:
        response.read()
        if response.status_code == httpx2.codes.OK:
            token.append(str(response.json().get("access_token", "")))

    wire.http.event_hooks["response"] = [remember]
    try:
        return wire.send(label, "POST", "/v1/token", headers=headers, content=content, operation_id="issueToken")
    finally:
        wire.http.event_hooks["response"] = []


def _read(response: httpx2.Response) -> str:
    """The answer's text. Raises ValueError past a size that no answer of the standard has."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return body.decode("utf-8", errors="replace")


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", errors="replace")
