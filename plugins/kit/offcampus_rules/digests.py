"""One spelling for facts and rules, so that equal things have equal digests on every machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Hashable
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from typing import Any, cast

from offcampus_rules.calendar import utc_text


def digest(content: object) -> str:
    """`sha-256:` and the hash of the canonical JSON (sorted keys, no spaces, UTF-8)."""
    return "sha-256:" + hashlib.sha256(canonical(content)).hexdigest()


def canonical(content: object) -> bytes:
    return _ENCODER.encode(content).encode()


@cache
def _fields(kind: Hashable) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    listed = dataclasses.fields(kind)  # type: ignore[arg-type]  # a dataclass; hashable, as a cache key must be
    names = tuple(sorted(field.name for field in listed))
    return names, attrgetter(*names)


def _plain(value: Any) -> Any:
    """What JSON has no spelling for: instants (one offset), days, our frozen facts."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    names, read = _fields(cast("Hashable", type(value)))
    return dict(zip(names, read(value), strict=True))


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
