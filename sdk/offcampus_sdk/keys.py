"""Keys: what signs for a party, and a ring of several for rotation without downtime.

A private key never shows itself: neither printed nor in an error. A key that lives in a crypto server or an HSM is any
object with the four members of `Signer`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

RETRY_REFUSED_AFTER_S = 300.0
LOOK_AGAIN_AFTER_S = 1.0


class Signer(Protocol):
    """What signs for a party."""

    @property
    def id(self) -> str:
        """The RFC 7638 thumbprint of the public key: the keyid of signatures."""

    @property
    def algorithm(self) -> str:
        """As the security profile names it."""

    def sign(self, message: bytes) -> bytes:
        """The raw signature over these bytes."""

    def public_jwk(self) -> dict[str, Any]:
        """What to register with the platform."""


@dataclass(frozen=True)
class Key:
    """A private Ed25519 key. Its text form never shows the private part."""

    jwk: OKPKey = field(repr=False)

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
    def algorithm(self) -> str:
        """Ed25519 (RFC 8037, RFC 9864)."""
        return "Ed25519"

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key as the cryptography library has it."""
        key = self.jwk.private_key
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not a private Ed25519 key")  # noqa: TRY004 - the value is wrong, not the caller's type
        return key

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self.private.sign(message)

    def public_jwk(self) -> dict[str, Any]:
        """What to register with the platform."""
        return dict(self.jwk.as_dict(private=False))

    def __repr__(self) -> str:
        return f"Key({self.id})"


class KeyRing:
    """Several keys of one party, the one to use first in front.

    Rotation without downtime: put the new key in front and leave the old one behind it. The new one is used as soon as
    the platform knows it; until then, and again should the platform refuse it, the old one signs. A refused key is
    tried again after five minutes.
    """

    def __init__(self, keys: Sequence[Signer], *, clock: Callable[[], float] = time.monotonic) -> None:
        if not keys:
            raise ValueError("a ring needs at least one key")
        self._keys, self._clock = tuple(keys), clock
        self._refused_until: dict[str, float] = {}
        self._guard = threading.Lock()

    @property
    def current(self) -> Signer:
        """The first key that the platform has not refused lately; the last one when it has refused all."""
        with self._guard:
            usable = (key for key in self._keys if self._refused_until.get(key.id, 0.0) <= self._clock())
            return next(usable, self._keys[-1])

    def refused(self, key: Signer) -> bool:
        """The platform does not take this key now; is there another to try?"""
        with self._guard:
            if key.id == self._keys[-1].id:
                return False
            self._refused_until[key.id] = self._clock() + RETRY_REFUSED_AFTER_S
            return True

    def replace(self, keys: Sequence[Signer]) -> None:
        """Change the keys while the client goes on working."""
        if not keys:
            raise ValueError("a ring needs at least one key")
        with self._guard:
            self._keys = tuple(keys)


class KeyFolder(KeyRing):
    """The ring of a folder's `*.json` keys, the newest file first; looked at again each second.

    An operator rotates by writing a new file; nothing is restarted. Raises ValueError when the folder has no key.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._seen = self._state()
        self._look_at = clock() + LOOK_AGAIN_AFTER_S
        super().__init__(self._load(), clock=clock)

    @property
    def current(self) -> Signer:
        """As in any ring, after a look at the folder."""
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_AGAIN_AFTER_S
            if (state := self._state()) != self._seen and state:
                self.replace(self._load())
                self._seen = state
        return super().current

    def _state(self) -> list[tuple[int, Path]]:
        files = ((path.stat().st_mtime_ns, path) for path in self._folder.glob("*.json"))
        return sorted(files, reverse=True)

    def _load(self) -> list[Signer]:
        return [Key.load(path) for _, path in self._state()]
