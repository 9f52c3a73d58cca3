"""The suite as a client: sends exactly what a step asks for, wrong on purpose where asked, and records it."""

from __future__ import annotations

import json
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx2

from offcampus_conformance.own_messages import answer_breaks, request_breaks
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.signature import Key, client_assertion, content_digest, sign

TIMEOUT_S = 15.0
PATIENCE_S = 30.0
MOST_SILENCES = 3
CHUNK_BYTES = 65_536
RENEW_BEFORE_S = 60.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_KEPT_BYTES = 1024 * 1024
"""Of a larger request only the beginning is recorded: it was made large on purpose."""
JSON = "application/json"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TargetGone(Exception):
    """The target did not answer several times in a row: the rest of the scenario is not carried out."""


@dataclass
class Wire:
    """One run's connection to the target. Every request that it sends is recorded under its step's label.

    Whatever a target does (hang, drip, garbage, a body without end) ends in a recorded exchange within `patience_s`
    and `MAX_ANSWER_BYTES`; after `MOST_SILENCES` requests without an answer in a row it raises TargetGone.
    """

    base_url: str
    record: Record
    canaries: dict[str, str] = field(default_factory=dict)
    """Personal data that the suite has sent, by what they are: an answer that holds one has leaked it."""
    http: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    )
    patience_s: float = field(default_factory=lambda: PATIENCE_S)
    silences: int = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(
        self, label: str, method: str, path: str, *, headers: Mapping[str, str] | None = None,
        content: bytes | None = None, operation_id: str | None = None, facts: Mapping[str, Any] | None = None,
        actor: str | None = None, wrong: str | None = None, peek: Callable[[int, str], None] | None = None,
    ) -> Exchange:  # fmt: skip
        """Send one request as it is and record it; a failure of the transport is recorded, not raised.

        Args:
            wrong: what is unlawful about it on purpose; an unlawful request without it is the suite's own error.
            peek: sees status and text of the answer before it is redacted.
        """
        url, started, clock = self.base_url + path, datetime.now(UTC).isoformat(), time.monotonic()
        status, answer_headers, answer, trouble = None, {}, None, None
        alarm = threading.Timer(self.patience_s, self.http.close)
        alarm.daemon = True
        alarm.start()
        try:
            with self.http.stream(method, url, headers=dict(headers or {}), content=content) as response:
                status, answer_headers = response.status_code, dict(response.headers)
                answer = _read(response, clock + self.patience_s)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, zlib.error) as error:
            trouble = f"{type(error).__name__}: {error}"
        except (OSError, RuntimeError) as error:
            if not self.http.is_closed:
                raise
            trouble = f"no whole answer within {self.patience_s:g} s ({type(error).__name__})"
        finally:
            alarm.cancel()
        if self.http.is_closed:
            # An answer that never ends its headers is cut off by closing the connection under it.
            self.http = httpx2.Client(timeout=self.http.timeout, follow_redirects=False, trust_env=False)
        elapsed_ms = round((time.monotonic() - clock) * 1000, 1)
        if peek is not None and status is not None and answer is not None:
            peek(status, answer)
        exchange = self.record.add(
            Exchange(
                label=label,
                method=method,
                url=url,
                request_headers=dict(headers or {}),
                request_body=_text(content),
                status=status if trouble is None else None,
                response_headers=answer_headers,
                response_body=answer,
                started_at=started,
                elapsed_ms=elapsed_ms,
                operation_id=operation_id,
                trouble=trouble,
                facts={**(facts or {}), **self._leaks(answer)},
                actor=actor,
                breaks_contract=request_breaks(operation_id, method, url, headers or {}, content),
                answer_breaks=answer_breaks(operation_id, status, answer) if trouble is None else (),
                wrong=wrong,
            )
        )
        self.silences = 0 if trouble is None else self.silences + 1
        if self.silences >= MOST_SILENCES:
            raise TargetGone(f"{MOST_SILENCES} requests in a row got no answer, the last: {trouble}")
        return exchange

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
    token_until: float = float("inf")
    """When the token is to be renewed (monotonic): a long run, or a slow target, outlives a token of 300 s."""
    renewals: int = 0
    narrow: dict[str, str] = field(default_factory=dict)
    """Tokens that hold one scope only, by that scope: for probes of what a scope is needed for."""
    _renewing: threading.Lock = field(default_factory=threading.Lock)

    def authenticate(self, label: str, *, scope: str | None = None, **claims: Any) -> Exchange:
        """Ask for an access token; `claims` make the assertion unlawful on purpose.

        Args:
            scope: ask for this one only; the token is then kept in `narrow`.
        """
        audience = claims.pop("aud", self.issuer)
        assertion = client_assertion(self.key, self.client_id, audience, now=int(time.time()), **claims)
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion,
        }  # fmt: skip
        if scope is not None:
            form["scope"] = scope
        content = str(httpx2.QueryParams(form)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        how: dict[str, Any] = {
            "operation_id": "issueToken",
            "actor": self.name,
            "peek": partial(self._keep_token, scope),
        }
        return self.wire.send(label, "POST", "/v1/token", headers=headers, content=content, **how)

    def get(
        self, label: str, path: str, *, operation_id: str, headers: Mapping[str, str] | None = None,
        wrong: str | None = None,
    ) -> Exchange:  # fmt: skip
        """A read: token, no signature."""
        sent = {**self._bearer(), **(headers or {})}
        return self.wire.send(label, "GET", path, headers=sent, operation_id=operation_id, actor=self.name, wrong=wrong)

    def write(
        self, label: str, method: str, path: str, body: Any = None, *, operation_id: str, key: str | None = "",
        if_match: str | None = None, raw: bytes | None = None, created: int | None = None, nonce: str | None = None,
        headers: Mapping[str, str] | None = None, signed: bool = True, wrong: str | None = None,
        tamper: Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]] | None = None,
    ) -> Exchange:  # fmt: skip
        """A signed write.

        Args:
            key: the Idempotency-Key; "" makes a fresh one, None leaves it out.
            raw: the body's bytes when they are not to be made from `body`.
            created, nonce: the signature's, to make it stale or replayed.
            tamper: changes headers and body AFTER signing.
            wrong: what is unlawful about the request on purpose.
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
        how: dict[str, Any] = {"operation_id": operation_id, "actor": self.name, "wrong": wrong}
        return self.wire.send(label, method, path, headers=sent, content=content or None, **how)

    def _keep_token(self, scope: str | None, status: int, answer: str) -> None:
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError):
            return
        if status == httpx2.codes.OK and isinstance(document, dict) and isinstance(document.get("access_token"), str):
            token = document["access_token"]
            if scope is None:
                self.token = token
                life = document.get("expires_in")
                lasting = isinstance(life, int) and life > 2 * RENEW_BEFORE_S
                self.token_until = time.monotonic() + int(life or 0) - RENEW_BEFORE_S if lasting else float("inf")
            else:
                self.narrow[scope] = token

    def fresh_token(self) -> str | None:
        """The token, renewed when it is about to expire."""
        with self._renewing:
            if self.token is not None and time.monotonic() > self.token_until:
                self.renewals += 1
                self.token_until = float("inf")
                self.authenticate(f"renewal.{self.name}.{self.renewals:03d}")
        return self.token

    def _bearer(self) -> dict[str, str]:
        token = self.fresh_token()
        return {"Authorization": f"Bearer {token}"} if token else {}


def dump(body: Any) -> bytes:
    """JSON as the suite sends it: UTF-8, no spaces, member order kept."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _read(response: httpx2.Response, deadline: float) -> str:
    """The answer's text, decompressed in bounded pieces.

    Raises ValueError past a size that no answer of the standard has, and past the deadline.
    """
    body, unpack = bytearray(), _unpacker(response.headers.get("content-encoding", "").strip().lower())
    for chunk in response.iter_raw(CHUNK_BYTES):
        body += unpack(chunk)
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise ValueError("the answer went on for too long")
    return body.decode("utf-8", errors="replace")


def _unpacker(encoding: str) -> Callable[[bytes], bytes]:
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return bytes
    inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by their header

    def unpack(chunk: bytes) -> bytes:
        piece = inflate.decompress(chunk, MAX_ANSWER_BYTES + 1)
        if inflate.unconsumed_tail:
            raise ValueError(f"the unpacked answer is larger than {MAX_ANSWER_BYTES} bytes")
        return piece

    return unpack


def _text(content: bytes | None) -> str | None:
    if content is not None and len(content) > MAX_KEPT_BYTES:
        content = content[:1024] + f"… [{len(content)} bytes]".encode()
    return None if content is None else content.decode("utf-8", errors="replace")
