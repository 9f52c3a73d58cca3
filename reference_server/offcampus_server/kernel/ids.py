"""Identifiers: a typed prefix and a time-ordered UUIDv7 in Crockford's base 32, always text (chapter Identifiers)."""

from __future__ import annotations

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """A fresh identifier such as `ord_01j…`; later ones sort after earlier ones."""
    number = uuid_utils.uuid7().int
    digits = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
