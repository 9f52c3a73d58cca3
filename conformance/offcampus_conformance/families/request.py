"""A request as a value: what a lawful step sends, and what a probe changes in it.

A probe is the lawful request with one field replaced, so that how the two differ can be computed and not just said.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from offcampus_spec.operations import Operation, operations

from offcampus_conformance.record import Exchange
from offcampus_conformance.signature import content_digest, request_components, sign
from offcampus_conformance.wire import JSON, Actor, dump

Token = Literal["own", "none", "broken", "narrow"]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Signing:
    """How a request is signed; by default as the standard demands."""

    signed: bool = True
    created_ago_s: int = 0
    nonce: str | None = None
    """None: a fresh one whenever it is sent."""
    leave_out: str | None = None
    """A component that the signature does not cover although it must."""
    forged: bool = False
    appended: bytes = b""
    """Put behind the body after it was signed."""


@dataclass(frozen=True)
class Request:
    """One request of an operation, with everything that a probe may change."""

    operation_id: str
    by: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    raw: bytes | None = None
    """The body's bytes when they are not those of `body`."""
    media_type: str = JSON
    key: str | None = None
    if_match: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    token: Token = "own"  # noqa: S105 - the name of a choice, not a secret
    signing: Signing = field(default_factory=Signing)
    leads_from: Any = None
    """For a merge patch: the document that it changes, as it was filed."""
    answered_etag: str | None = None
    """The version that the answer to it carried, for what is sent behind it."""

    @property
    def operation(self) -> Operation:
        """Its operation in the contract."""
        return operations()[self.operation_id]

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else dump(self.body)

    def but(self, **changes: Any) -> Request:
        """The same request with something else in these fields."""
        return dataclasses.replace(self, **changes)

    def differences(self, other: Request) -> frozenset[str]:
        """The names of the fields in which two requests differ."""
        names = [item.name for item in dataclasses.fields(self)]
        return frozenset(name for name in names if getattr(self, name) != getattr(other, name))


def send(
    actor: Actor, label: str, request: Request, facts: Mapping[str, Any] | None = None, *, wrong: str | None = None
) -> Exchange:
    """Send a request as its actor and record it.

    Args:
        wrong: what is unlawful about it on purpose.
    """
    operation, content = request.operation, request.content
    headers = dict(request.headers)
    if operation.scope is not None and (token := _token(actor, request)) is not None:
        headers["Authorization"] = f"Bearer {token}"
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if request.if_match is not None:
        headers["If-Match"] = request.if_match
    if content:
        headers["Content-Type"] = request.media_type
    path = request.path + _query(request)
    if operation.signed and request.signing.signed:
        headers |= _signature(actor, request, headers, content, path)
    sent = content + request.signing.appended
    return actor.wire.send(
        label, operation.method, path, headers=headers, content=sent or None, operation_id=request.operation_id,
        facts=facts, actor=actor.name, wrong=wrong,
    )  # fmt: skip


def _token(actor: Actor, request: Request) -> str | None:
    if request.token == "none":  # noqa: S105 - the name of a choice, not a secret
        return None
    if request.token == "narrow":  # noqa: S105 - the name of a choice, not a secret
        return actor.narrow.get(next((scope for scope in actor.narrow if scope != request.operation.scope), ""))
    token = actor.fresh_token()
    if request.token == "broken" and token:  # noqa: S105 - the name of a choice, not a secret
        head, dot, signature = token.rpartition(".")
        return head + dot + signature[:4] + ("A" if signature[4:5] != "A" else "B") + signature[5:]
    return token


def _query(request: Request) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in request.query) if request.query else ""


def _signature(actor: Actor, request: Request, headers: Mapping[str, str], content: bytes, path: str) -> dict[str, str]:
    signing = request.signing
    digest = {"Content-Digest": content_digest(content)} if content else {}
    given = {**headers, **digest}
    covered = [name for name in request_components(given) if name != signing.leave_out]
    made = sign(
        actor.key, request.operation.method, actor.wire.base_url + path, given,
        created=int(time.time()) - signing.created_ago_s, nonce=signing.nonce or secrets.token_urlsafe(16),
        components=covered,
    )  # fmt: skip
    if signing.forged:
        start, value = made["Signature"][:5], made["Signature"][5:]
        made["Signature"] = start + value[:7] + ("A" if value[7] != "A" else "B") + value[8:]
    return {**digest, **made}


def places(one: Request, other: Request) -> list[str]:
    """Where two requests differ on the wire, in the words of `difference.differences`."""
    changed = one.differences(other)
    found = [place for name in sorted(changed & FIELD_PLACES.keys()) for place in FIELD_PLACES[name]]
    if "query" in changed:
        found += sorted(
            {f"query:{name}" for name, _ in set(one.query) ^ set(other.query)}
            or {f"query:{name}" for name, _ in (*one.query, *other.query)}
        )
    if "headers" in changed:
        found += sorted(f"header:{name.lower()}" for name in one.headers.keys() | other.headers.keys())
    return found


FIELD_PLACES: Mapping[str, tuple[str, ...]] = {
    "token": ("header:authorization",),
    "signing": ("header:signature", "header:signature-input", "header:content-digest", "raw"),
    "raw": ("raw", "", "header:content-digest", "header:content-type"),
    "media_type": ("header:content-type",),
    "key": ("header:idempotency-key",),
    "if_match": ("header:if-match",),
    "path": ("path",),
    "by": ("actor", "header:authorization"),
    "body": ("",),
}
"""The fields of a request and the places of the message that they make; "" is anywhere in the body."""
