"""SM2 keys (GB/T 32918) with SM3, for platforms that offer the suite: `offcampus-sdk[sm]`.

Signatures are r and s of 32 bytes each, with the signer id `1234567812345678`. The JWK's names are private to this
standard: none is registered.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


@dataclass(frozen=True)
class Sm2Key:
    """A private SM2 key; a `Signer`. Its text form never shows the private part."""

    public: bytes
    """x and y, 32 bytes each."""
    private: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Sm2Key:
        """A fresh key."""
        return cls(*gmssl_pyx.sm2_key_generate())

    @classmethod
    def load(cls, path: Path) -> Sm2Key:
        """Read a private JWK. Raises ValueError when it is none of SM2."""
        jwk = json.loads(path.read_text(encoding="utf-8"))
        if jwk.get("kty") != "EC" or jwk.get("crv") != "SM2" or "d" not in jwk:
            raise ValueError("not a private SM2 key")
        return cls(_bytes(jwk["x"]) + _bytes(jwk["y"]), _bytes(jwk["d"]))

    def save(self, path: Path) -> None:
        """Write the private JWK to a new file that only its owner can read. Raises FileExistsError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({**self.public_jwk(), "d": _text(self.private)}, file)

    @property
    def id(self) -> str:
        """The RFC 7638 thumbprint."""
        members = {name: self.public_jwk()[name] for name in ("crv", "kty", "x", "y")}
        return _text(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())

    @property
    def algorithm(self) -> str:
        """SM2 with SM3."""
        return "SM2SM3"

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        r, s = decode_dss_signature(gmssl_pyx.sm2_sign(self.private, self.public, message))
        return r.to_bytes(32) + s.to_bytes(32)

    def public_jwk(self) -> dict[str, Any]:
        """What to register with the platform."""
        return {"kty": "EC", "crv": "SM2", "x": _text(self.public[:32]), "y": _text(self.public[32:])}

    def __repr__(self) -> str:
        return f"Sm2Key({self.id})"


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
