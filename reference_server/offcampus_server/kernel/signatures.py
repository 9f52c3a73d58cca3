"""HTTP Message Signatures (RFC 9421) as the security profile asks for them: verified on requests, made on webhooks.

The library does the cryptography and the structured fields; what it leaves open is closed here: which components must
be covered, both time windows, a nonce of sufficient length, one signature with our tag, keyid bound to the token.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from joserfc.jwk import OKPKey
from offcampus_spec.security import PROFILE, SignatureProfile

from offcampus_server.kernel import party_keys
from offcampus_server.kernel.party_keys import PartyKey
from offcampus_server.kernel.problems import Problem, violation

_ALGORITHM = algorithms.ED25519
LOOSE_AGE = timedelta(days=1)
"""The library's own limit; ours, which are tighter and told apart, are checked first."""


@dataclass
class Message:
    """A request as the library wants to see it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Nonce:
    """What a verified signature used up; whoever accepts the request stores it."""

    key_id: str
    value: str
    expires_at: int


@dataclass(frozen=True)
class _OneKey(HTTPSignatureKeyResolver):
    public: Any = None
    private: Any = None

    def resolve_public_key(self, key_id: str) -> Any:
        return self.public

    def resolve_private_key(self, key_id: str) -> Any:
        return self.private


def content_digest(body: bytes) -> str:
    """RFC 9530 Content-Digest with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def verify_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes, jwks: list[dict[str, Any]], key_id: str, now: int
) -> Nonce:
    """Check a request's signature and return the nonce that it used.

    Args:
        headers: with names in lower case.
        jwks: the party's public keys; `key_id` is the thumbprint that its token is bound to.
        now: real time in seconds.

    Raises Problem with a code of its own for each way in which a signature can be wrong.
    """
    parameters, covered = _signature_input(headers, PROFILE.request)
    _check_coverage(covered, PROFILE.request, headers, body)
    if parameters.get("keyid") != key_id:
        raise Problem("signature.invalid", "keyid is not the thumbprint of the key that the token is bound to")
    nonce = _check_times(parameters, PROFILE.request, now)
    if body and headers.get("content-digest") != content_digest(body):
        raise Problem("signature.digest")
    key = party_keys.find(jwks, key_id)
    if key is None:
        raise Problem("signature.invalid", "the token's key is no longer registered")
    _verify(Message(method, url, dict(headers)), key, PROFILE.request)
    return Nonce(key_id, nonce, now + PROFILE.request.lifetime_s_max + PROFILE.request.ahead_s_max)


def sign_event(
    key: OKPKey, url: str, body: bytes, event_id: str, timestamp: int, media_type: str = "application/cloudevents+json"
) -> dict[str, str]:
    """The headers of one webhook delivery, signed. `timestamp` is the attempt's, real time in seconds."""
    headers = {
        "Content-Type": media_type,
        "Content-Digest": content_digest(body),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
    }
    message = Message("POST", url, headers)
    private = key.private_key
    assert isinstance(private, Ed25519PrivateKey)
    signer = HTTPMessageSigner(signature_algorithm=_ALGORITHM, key_resolver=_OneKey(private=private))
    created = datetime.fromtimestamp(timestamp, UTC)
    signer.sign(
        message,
        key_id=str(key.thumbprint()),
        created=created,
        expires=created + timedelta(seconds=PROFILE.event.age_s_max),
        nonce=secrets.token_urlsafe(16),
        label=PROFILE.event.label,
        tag=PROFILE.event.tag,
        include_alg=False,
        use_existing_digest=bool(body),
        covered_component_ids=PROFILE.event.always,
    )
    return dict(message.headers)


def _signature_input(headers: Mapping[str, str], profile: SignatureProfile) -> tuple[Mapping[str, Any], list[str]]:
    given = headers.get("signature-input")
    if given is None or "signature" not in headers:
        raise Problem("signature.missing")
    try:
        members: Any = http_sf.parse(given.encode(), tltype="dictionary")
        ours = [member for member in members.values() if member[1].get("tag") == profile.tag]
        [(components, parameters)] = ours
        covered = [name for name, _ in components]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Problem("signature.missing", f"exactly one signature with tag {profile.tag!r} is expected") from None
    return parameters, covered


def _check_coverage(covered: list[str], profile: SignatureProfile, headers: Mapping[str, str], body: bytes) -> None:
    missing = [name for name in profile.components(headers, has_body=bool(body)) if name not in covered]
    if missing:
        allowed = list(profile.components(headers, has_body=bool(body)))
        raise Problem(
            "signature.coverage",
            f"not covered: {', '.join(missing)}",
            [violation("signature.coverage", given=covered, allowed=allowed)],
        )


def _check_times(parameters: Mapping[str, Any], profile: SignatureProfile, now: int) -> str:
    created, expires, nonce = (parameters.get(name) for name in ("created", "expires", "nonce"))
    if type(created) is not int or type(expires) is not int or not isinstance(nonce, str):
        raise Problem("signature.coverage", "created, expires and nonce are required parameters")
    if len(nonce) < profile.nonce_length_min:
        raise Problem("signature.coverage", f"nonce needs at least {profile.nonce_length_min} characters")
    if created > now + profile.ahead_s_max:
        detail = f"created lies {created - now} s ahead; at most {profile.ahead_s_max} s are accepted"
        raise Problem("signature.clock_skew", detail)
    too_old = created < now - profile.age_s_max or expires < now or expires > created + profile.lifetime_s_max
    if too_old:
        detail = f"created {now - created} s ago, expires {expires - now} s from now; at most {profile.age_s_max} s"
        raise Problem("signature.expired", detail)
    return nonce


class _ByPartyKey(HTTPSignatureAlgorithm):
    """The library's algorithm is the registered key's: the message has no say in it."""

    algorithm_id = "by-key"

    def __init__(self, public_key: PartyKey | None = None, private_key: None = None) -> None:
        self.key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        if self.key is None or not self.key.verifies(signature, message):
            raise InvalidSignature("the signature does not hold")


def _verify(message: Message, key: PartyKey, profile: SignatureProfile) -> None:
    verifier = HTTPMessageVerifier(signature_algorithm=_ByPartyKey, key_resolver=_OneKey(public=key))
    try:
        verifier.verify(message, max_age=LOOSE_AGE, expect_tag=profile.tag)
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError) as error:
        raise Problem("signature.invalid", type(error).__name__) from None
