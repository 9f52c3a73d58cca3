"""Keys: an Ed25519 key as JWK, with its RFC 7638 thumbprint as id."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey


@dataclass(frozen=True)
class Key:
    """A private signing key. Its text form never shows the private part."""

    jwk: OKPKey

    @classmethod
    def generate(cls) -> Key:
        """A fresh key."""
        return cls(OKPKey.generate_key("Ed25519", private=True, auto_kid=False))

    @classmethod
    def load(cls, path: Path) -> Key:
        """Read a private JWK. Raises ValueError when it is none."""
        return cls(OKPKey.import_key(json.loads(path.read_text(encoding="utf-8"))))

    def save(self, path: Path) -> None:
        """Write the private JWK to a new file that only its owner can read. Raises FileExistsError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.jwk.as_dict(private=True), file)

    @property
    def id(self) -> str:
        """The thumbprint."""
        return str(self.jwk.thumbprint())

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key as the cryptography library has it."""
        key = self.jwk.private_key
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not a private Ed25519 key")  # noqa: TRY004 - the value is wrong, not the caller's type
        return key

    def public_jwk(self) -> dict[str, Any]:
        """What to register with the platform."""
        return dict(self.jwk.as_dict(private=False))

    def __repr__(self) -> str:
        return f"Key({self.id})"
