"""Personal data at rest: sealed per field with rotating keys, found by a keyed digest, shown only masked.

The first key seals, every key opens: a new key is put in front, old ones stay until everything is sealed anew.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, MultiFernet


class Vault:
    """Seals and opens personal fields.

    Args:
        keys: Fernet keys, the newest first.
        lookup_key: at least 16 bytes; a key of its own for lookup digests.
    """

    def __init__(self, keys: Sequence[str], lookup_key: bytes) -> None:
        if len(lookup_key) < 16:
            raise ValueError("the lookup key needs at least 16 bytes")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._lookup_key = lookup_key

    def seal(self, value: Any) -> str:
        """Any JSON value, encrypted and authenticated."""
        return self._fernet.encrypt(orjson.dumps(value)).decode()

    def open(self, token: str) -> Any:
        """The sealed value. Raises cryptography.fernet.InvalidToken when no key fits or it was changed."""
        return orjson.loads(self._fernet.decrypt(token.encode()))

    def blind(self, text: str) -> str:
        """A keyed digest for lookup: equal texts give equal digests, and nobody without the key can guess them."""
        return hmac.new(self._lookup_key, text.encode(), hashlib.sha256).hexdigest()

    def digest(self, document: Any) -> str:
        """A keyed digest of a document's meaning, whatever the order of its members: was it sent before?"""
        meaning = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        return hmac.new(self._lookup_key, meaning, hashlib.sha256).hexdigest()


def mask_name(name: str) -> str:
    """The first character and a mark: enough to recognise, too little to identify."""
    return f"{name[:1]}**"


def mask_id(number: str) -> str:
    """The last four characters."""
    return f"**************{number[-4:]}" if len(number) > 4 else "****"


def mask_phone(number: str) -> str:
    """The last two digits."""
    return f"*********{number[-2:]}"
