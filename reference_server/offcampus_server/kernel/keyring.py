"""The server's own signing keys: Ed25519 JWKs in one file, the newest first. It signs tokens and webhooks.

Rotation: put a new key in front, keep the old ones until what they signed has expired.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey


@dataclass(frozen=True)
class Keyring:
    """The keys, the newest first."""

    keys: tuple[OKPKey, ...]

    @property
    def current(self) -> OKPKey:
        """The key that signs."""
        return self.keys[0]

    def find(self, key_id: str | None) -> OKPKey | None:
        """The key of this thumbprint."""
        return next((key for key in self.keys if key.thumbprint() == key_id), None)

    def public_jwks(self) -> list[dict[str, Any]]:
        """What the world may see."""
        return [
            {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "Ed25519"} for key in self.keys
        ]


def generate() -> OKPKey:
    """A fresh Ed25519 key."""
    return OKPKey.generate_key("Ed25519", private=True, auto_kid=False)


def load(path: Path) -> Keyring:
    """The keys of a file. Raises FileNotFoundError when it does not exist, ValueError when it holds no key."""
    keys = json.loads(path.read_text(encoding="utf-8"))["keys"]
    if not keys:
        raise ValueError(f"{path} holds no key; `offcampus-server keys generate` makes one")
    return Keyring(tuple(OKPKey.import_key(key) for key in keys))


def rotate(path: Path) -> OKPKey:
    """Put a new key in front of the file's keys (or start the file); returns the new key."""
    old = json.loads(path.read_text(encoding="utf-8"))["keys"] if path.exists() else []
    key = generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"keys": [key.as_dict(private=True), *old]}, indent=2)
    write_secret(path, text + "\n")
    return key


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step: never half, never readable in between."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
