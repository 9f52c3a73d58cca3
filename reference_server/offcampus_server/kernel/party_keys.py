"""The public keys that parties register, and what they verify: Ed25519, or SM2 with SM3 where it is installed.

The suite follows from the key, never from the message, so that nobody can choose a weaker one. SM2 (GB/T 32918) is the
alternative that Chinese public systems must offer; it needs the extra `offcampus-server[sm]`. Its names in JWK are
private to this standard: none is registered.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from offcampus_spec.security import PROFILE

Jwk = dict[str, Any]


class UnusableKey(ValueError):
    """A key that cannot be registered or used here; the message says why."""


class PartyKey(Protocol):
    """One public key of a party."""

    @property
    def id(self) -> str:
        """The RFC 7638 thumbprint."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Does this signature hold over these bytes?"""

    def claims_of(self, assertion: str) -> dict[str, Any] | None:
        """The claims of a JWT that this key has signed; None when it has not."""


@dataclass(frozen=True)
class Ed25519PartyKey:
    """An Ed25519 key (RFC 8037)."""

    key: OKPKey

    @property
    def id(self) -> str:
        """The thumbprint."""
        return str(self.key.thumbprint())

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Does this signature hold?"""
        public = self.key.public_key
        if not isinstance(public, Ed25519PublicKey):
            return False
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def claims_of(self, assertion: str) -> dict[str, Any] | None:
        """The claims of an assertion."""
        try:
            return dict(jwt.decode(assertion, self.key, algorithms=["Ed25519"]).claims)
        except (JoseError, ValueError):
            return None


@dataclass(frozen=True)
class Sm2PartyKey:
    """An SM2 key: `{"kty": "EC", "crv": "SM2", "x": …, "y": …}`; signatures are r and s, 32 bytes each."""

    x: str
    y: str

    @property
    def id(self) -> str:
        """The thumbprint."""
        members = json.dumps({"crv": "SM2", "kty": "EC", "x": self.x, "y": self.y}, separators=(",", ":"))
        return _text(hashlib.sha256(members.encode()).digest())

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Does this signature hold, with SM3 and the standard's signer id `1234567812345678`?"""
        if len(signature) != 64:
            return False
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        return bool(_gmssl().sm2_verify(_bytes(self.x) + _bytes(self.y), message, der))

    def claims_of(self, assertion: str) -> dict[str, Any] | None:
        """The claims of an assertion whose header says `SM2SM3`."""
        try:
            signed, _, signature = assertion.rpartition(".")
            header, payload = (json.loads(_bytes(part)) for part in signed.split("."))
            ours = header["alg"] == "SM2SM3" and "crit" not in header
            holds = ours and self.verifies(_bytes(signature), signed.encode())
        except (ValueError, KeyError, TypeError):
            return None
        return payload if holds and isinstance(payload, dict) else None


def offered() -> list[str]:
    """The algorithms of the security profile that this installation can verify."""
    without = frozenset() if importlib.util.find_spec("gmssl_pyx") else frozenset({"SM2SM3"})
    return [name for name in PROFILE.assertion_algorithms if name not in without]


def load(jwk: Jwk) -> PartyKey:
    """A registered key. Raises UnusableKey."""
    if jwk.get("crv") == "SM2":
        return _load_sm2(jwk)
    try:
        key = OKPKey.import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        raise UnusableKey("not a key of a suite that is offered: Ed25519, or SM2 with offcampus-server[sm]") from None
    if jwk.get("crv") != "Ed25519":
        raise UnusableKey(f"curve {jwk.get('crv')!r} is not offered; allowed: Ed25519, SM2")
    return Ed25519PartyKey(key)


def find(jwks: list[Jwk], key_id: str) -> PartyKey | None:
    """The key with this thumbprint."""
    return next((key for key in map(load, jwks) if key.id == key_id), None)


def _load_sm2(jwk: Jwk) -> Sm2PartyKey:
    x, y = jwk.get("x"), jwk.get("y")
    try:
        if jwk.get("kty") != "EC" or not isinstance(x, str) or not isinstance(y, str):
            raise ValueError("kty")
        if len(_bytes(x)) != 32 or len(_bytes(y)) != 32:
            raise ValueError("length")
        _gmssl().normalize_sm2_public_key(_bytes(x) + _bytes(y))
    except ImportError:
        raise UnusableKey("SM2 is not installed here: offcampus-server[sm]") from None
    except Exception:  # noqa: BLE001 - the library raises errors of its own for a point that is off the curve
        raise UnusableKey("not an SM2 public key: kty EC, crv SM2, x and y of 32 bytes, a point of the curve") from None
    return Sm2PartyKey(x, y)


def _gmssl() -> Any:
    import gmssl_pyx  # an extra: nobody else pays for it

    return gmssl_pyx


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
