"""HTTP Message Signatures (RFC 9421) by the standard's profile: requests are signed, deliveries are verified.

The library does structured fields and cryptography; what must be covered and how long a signature lives is data of
the standard (`offcampus_spec.security.PROFILE`).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, InvalidSignature, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from joserfc.jwk import OKPKey
from offcampus_spec.security import PROFILE, SignatureProfile

from offcampus_sdk.keys import Signer


class SignatureError(Exception):
    """A delivery's signature does not hold; the message says why, without secrets."""


@dataclass
class Message:
    """A request as the library wants to see it; headers are changed in place."""

    method: str
    url: str
    headers: dict[str, str]


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, public: Any) -> None:
        self.public = public

    def resolve_public_key(self, key_id: str) -> Any:
        return self.public


def content_digest(body: bytes) -> str:
    """RFC 9530 Content-Digest with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign_request(
    key: Signer, method: str, url: str, headers: dict[str, str], body: bytes, now: int, nonce: str | None = None
) -> None:
    """Add Content-Digest, Signature-Input and Signature to the headers of a request.

    Args:
        now: real time in seconds; each attempt is signed anew.
        nonce: at least 22 characters (128 bits), never used before; made here when it is not given.
    """
    if body:
        headers["Content-Digest"] = content_digest(body)
    names = {name.lower(): value for name, value in headers.items()}
    covered = PROFILE.request.components(names, has_body=bool(body))
    _sign(key, PROFILE.request, covered, Message(method, url, headers), now, nonce)


def sign_event(key: Signer, url: str, event_id: str, body: bytes, now: int) -> dict[str, str]:
    """The headers of a signed webhook delivery, as a platform makes them; for stand-ins of a platform."""
    headers = {
        "Content-Type": "application/cloudevents+json", "Content-Digest": content_digest(body),
        "webhook-id": event_id, "webhook-timestamp": str(now),
    }  # fmt: skip
    _sign(key, PROFILE.event, PROFILE.event.always, Message("POST", url, headers), now, None)
    return headers


def verify_event(url: str, headers: Mapping[str, str], body: bytes, jwks: list[dict[str, Any]], now: int) -> None:
    """Check a webhook delivery over its raw bytes. Raises SignatureError.

    Args:
        url: the address that was subscribed: a delivery for another receiver does not hold here.
        jwks: the platform's public keys.
        now: real time in seconds.
    """
    verify(PROFILE.event, "POST", url, headers, body, jwks, now)


def verify(
    profile: SignatureProfile, method: str, url: str, headers: Mapping[str, str], body: bytes,
    jwks: list[dict[str, Any]], now: int,
) -> None:  # fmt: skip
    """Check a signed message by a profile of the standard, over its raw bytes. Raises SignatureError."""
    given = {name.lower(): value for name, value in headers.items()}
    parameters, covered = _read(given, profile)
    missing = [name for name in profile.components(given, has_body=bool(body)) if name not in covered]
    if missing:
        raise SignatureError(f"the signature does not cover {', '.join(missing)}")
    if body and given.get("content-digest") != content_digest(body):
        raise SignatureError("Content-Digest does not match the body")
    _check_age(parameters.get("created"), profile, now)
    keys = {key.thumbprint(): key for key in (OKPKey.import_key(jwk) for jwk in jwks)}
    key = keys.get(str(parameters.get("keyid")))
    if key is None:
        raise SignatureError("no published key has this keyid")
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(public=key.public_key))
    try:
        verifier.verify(Message(method, url, dict(given)), max_age=timedelta(days=1), expect_tag=profile.tag)
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError):
        raise SignatureError("the signature does not hold under the key that it names") from None


def key_id_of(headers: Mapping[str, str]) -> str | None:
    """The keyid that a delivery names, to know whether keys must be fetched anew."""
    try:
        return str(_read({name.lower(): value for name, value in headers.items()}, PROFILE.event)[0].get("keyid"))
    except SignatureError:
        return None


def _sign(
    key: Signer, profile: SignatureProfile, covered: Sequence[str], message: Message, now: int, nonce: str | None
) -> None:
    # The library makes the bytes to be signed and writes the headers; the key signs, here or in a crypto server.
    created = datetime.fromtimestamp(now, UTC)
    library = HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
    prepared = library.prepare(
        message,
        key_id=key.id,
        created=created,
        expires=created + timedelta(seconds=profile.lifetime_s_max or profile.age_s_max),
        nonce=nonce or secrets.token_urlsafe(16),
        label=profile.label,
        tag=profile.tag,
        include_alg=False,
        use_existing_digest="content-digest" in covered,
        covered_component_ids=covered,
    )
    library.apply(message, prepared, key.sign(prepared.signature_base))


def _read(given: Mapping[str, str], profile: SignatureProfile) -> tuple[Mapping[str, Any], list[str]]:
    try:
        members: Any = http_sf.parse(given["signature-input"].encode(), tltype="dictionary")
        [(components, parameters)] = [m for m in members.values() if m[1].get("tag") == profile.tag]
        return parameters, [str(name) for name, _ in components]
    except (KeyError, ValueError, TypeError, AttributeError):
        raise SignatureError(f"exactly one signature with tag {profile.tag} is expected") from None


def _check_age(created: Any, profile: SignatureProfile, now: int) -> None:
    if type(created) is not int:
        raise SignatureError("the signature has no creation time")
    if created < now - profile.age_s_max:
        raise SignatureError("the signature is too old")
    if created > now + profile.ahead_s_max:
        raise SignatureError("the signature lies in the future")
