"""Access tokens by private_key_jwt (RFC 7523), renewed before they expire."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from offcampus_spec.security import PROFILE

from offcampus_sdk.keys import Signer

RENEW_BEFORE_S = 30
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(key: Signer, client_id: str, issuer: str, now: int) -> str:
    """A client assertion: one audience as a text, one minute long, used once. A compact JWS (RFC 7515)."""
    claims = {
        "iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + PROFILE.assertion_lifetime_s_max,
        "jti": secrets.token_urlsafe(18),
    }  # fmt: skip
    header = {"alg": key.algorithm, "typ": "JWT", "kid": key.id}
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_base64url(key.sign(signed.encode()))}"


@dataclass
class TokenStore:
    """Keeps one token with the key that it is bound to."""

    clock: Callable[[], float] = time.monotonic
    _token: str = ""
    _key_id: str = ""
    _expires: float = 0.0

    def current(self, key_id: str) -> str | None:
        """A token of this key that lives at least another half minute, if there is one."""
        fresh = self._key_id == key_id and self.clock() < self._expires - RENEW_BEFORE_S
        return self._token if fresh else None

    def keep(self, answer: Mapping[str, Any], key_id: str) -> str:
        """Take over a token answer; returns the token."""
        self._token, self._key_id = str(answer["access_token"]), key_id
        self._expires = self.clock() + float(answer["expires_in"])
        return self._token

    def forget(self) -> None:
        """Drop the token: the platform no longer takes it."""
        self._expires = 0.0


def _part(members: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(members, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
