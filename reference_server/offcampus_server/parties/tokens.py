"""Access tokens: issued for a client assertion (RFC 7523), bound to the assertion's key, five minutes long (RFC 9068).

The libraries leave doors open that are closed here: an audience list, an expiry a year ahead, a jti used twice.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from offcampus_spec.security import PROFILE, roles

from offcampus_server.kernel import party_keys
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.problems import Problem
from offcampus_server.parties.service import Credentials

OWN_ALGORITHMS = ["Ed25519"]
"""What this platform signs its own tokens with."""


@dataclass(frozen=True)
class Assertion:
    """A client assertion that holds."""

    client_id: str
    jti: str
    expires_at: int
    key_id: str


@dataclass(frozen=True)
class Claims:
    """What an access token says: who, with which scopes, bound to which key."""

    party_id: str
    scopes: frozenset[str]
    key_id: str


def claimed_client(assertion: str) -> str:
    """Whom an assertion claims to come from, unverified: only to find the keys to verify it with."""
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        client = claims["iss"]
    except (IndexError, ValueError, KeyError, TypeError):
        raise Problem("auth.client_assertion", "the assertion is not a signed JWT with iss") from None
    return client if isinstance(client, str) else ""


def check_assertion(assertion: str, credentials: Credentials, issuer: str, now: int) -> Assertion:
    """Verify a client assertion. Raises `auth.client_assertion` with what is wrong."""
    for key in map(party_keys.load, credentials.jwks):
        if (claims := key.claims_of(assertion)) is not None:
            _check_claims(claims, credentials.party_id, issuer, now)
            return Assertion(credentials.party_id, claims["jti"], claims["exp"], key.id)
    allowed = ", ".join(party_keys.offered())
    raise Problem("auth.client_assertion", f"no registered key verifies the signature ({allowed})")


def _check_claims(claims: dict[str, Any], client_id: str, issuer: str, now: int) -> None:
    issued, expires, jti = claims.get("iat"), claims.get("exp"), claims.get("jti")
    numbers = type(issued) is int and type(expires) is int
    wrong = {
        "iss and sub must both be the client id": (claims.get("iss"), claims.get("sub")) != (client_id, client_id),
        f"aud must be the text {issuer!r}": claims.get("aud") != issuer,
        "iat and exp must be whole seconds": not numbers,
        "jti must be a text of 8 to 128 characters": not isinstance(jti, str) or not 8 <= len(jti) <= 128,
    }
    if numbers:
        assert isinstance(issued, int)
        assert isinstance(expires, int)
        wrong |= {
            f"exp may lie at most {PROFILE.assertion_lifetime_s_max} s after iat": not (
                0 < expires - issued <= PROFILE.assertion_lifetime_s_max
            ),
            "the assertion has expired": expires <= now,
            "iat lies in the future: check your clock": issued > now + PROFILE.assertion_ahead_s_max,
        }
    if found := [text for text, is_wrong in wrong.items() if is_wrong]:
        raise Problem("auth.client_assertion", "; ".join(found))


def issue(
    keyring: Keyring, issuer: str, assertion: Assertion, role: str, asked: str | None, now: int
) -> dict[str, Any]:
    """A token response. Scopes that the role has not are left out, as RFC 6749 allows."""
    held = roles()[role]
    scopes = sorted(held & frozenset(asked.split()) if asked else held)
    claims = {
        "iss": issuer,
        "sub": assertion.client_id,
        "client_id": assertion.client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + PROFILE.token_lifetime_s,
        "scope": " ".join(scopes),
        "cnf": {"jkt": assertion.key_id},
    }
    key = keyring.current
    header = {"alg": "Ed25519", "typ": PROFILE.token_type, "kid": str(key.thumbprint())}
    token = jwt.encode(header, claims, key, algorithms=OWN_ALGORITHMS)
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": PROFILE.token_lifetime_s,
        "scope": " ".join(scopes),
    }


def check_token(token: str, keyring: Keyring, issuer: str, now: int) -> Claims:
    """What a bearer token says. Raises `auth.token_invalid`."""
    try:
        key_id = jwt_header(token).get("kid")
        key = keyring.find(key_id)
        if key is None:
            raise Problem("auth.token_invalid", "the token was not issued here")
        decoded = jwt.decode(token, key, algorithms=OWN_ALGORITHMS)
    except (JoseError, ValueError):
        raise Problem("auth.token_invalid", "the token is not one of ours") from None
    claims = decoded.claims
    if decoded.header.get("typ") != PROFILE.token_type or claims.get("iss") != issuer:
        raise Problem("auth.token_invalid", "the token was not issued here as an access token")
    if not isinstance(claims.get("exp"), int) or claims["exp"] <= now:
        raise Problem("auth.token_invalid", "the token has expired")
    return Claims(claims["sub"], frozenset(claims["scope"].split()), claims["cnf"]["jkt"])


def jwt_header(token: str) -> dict[str, Any]:
    """The unverified header of a JWT. Raises ValueError when it has none."""
    first = token.split(".")[0]
    header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if not isinstance(header, dict):
        raise ValueError("the header is no object")  # noqa: TRY004 - one family for every malformed token
    return header
