"""Access tokens by private_key_jwt (RFC 7523), renewed before they expire."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from offcampus_spec.security import PROFILE

from offcampus_sdk.keys import Key

RENEW_BEFORE_S = 30
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(key: Key, client_id: str, issuer: str, now: int) -> str:
    """A client assertion: one audience as a text, one minute long, used once."""
    claims = {
        "iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + PROFILE.assertion_lifetime_s_max,
        "jti": secrets.token_urlsafe(18),
    }  # fmt: skip
    header = {"alg": PROFILE.assertion_algorithms[0], "typ": "JWT", "kid": key.id}
    return jwt.encode(header, claims, key.jwk, algorithms=list(PROFILE.assertion_algorithms))


@dataclass
class Tokens:
    """Keeps one token; asks `fetch` for a new one when it is about to expire. Safe to share among threads."""

    fetch: Callable[[], dict[str, Any]]
    clock: Callable[[], float] = time.monotonic
    _token: str = ""
    _expires: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> str:
        """A token that lives at least another half minute."""
        with self._lock:
            if self.clock() >= self._expires - RENEW_BEFORE_S:
                answer = self.fetch()
                self._token = str(answer["access_token"])
                self._expires = self.clock() + float(answer["expires_in"])
            return self._token

    def forget(self) -> None:
        """Drop the token: the platform no longer takes it."""
        with self._lock:
            self._expires = 0.0
