"""Opaque cursors: authenticated, and bound to the party, the operation and the filters that they were made for."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from offcampus_server.kernel.problems import Problem

_MAC_BYTES = 12


class Cursors:
    """Makes and reads cursors under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, position: Any, **bound_to: Any) -> str:
        """A cursor that stands for a position of one query."""
        payload = orjson.dumps([position, _digest(bound_to)])
        return base64.urlsafe_b64encode(self._mac(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str, **bound_to: Any) -> Any:
        """The position. Raises `cursor.invalid` for what is not ours, `cursor.mismatch` for another query's."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise Problem("cursor.invalid") from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise Problem("cursor.invalid")
        position, digest = orjson.loads(payload)
        if digest != _digest(bound_to):
            raise Problem("cursor.mismatch")
        return position

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()[:_MAC_BYTES]


def _digest(bound_to: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(bound_to, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
