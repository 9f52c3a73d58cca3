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
    return of_bytes(canonical(content))


def of_bytes(spelt: bytes) -> str:
    """The digest of what is spelt already."""
    return "sha-256:" + hashlib.sha256(spelt).hexdigest()


def canonical(content: object) -> bytes:
    return _ENCODER.encode(content).encode()


@cache
def _fields(kind: Hashable) -> tuple[tuple[str, ...], tuple[Any, ...], Callable[[Any], tuple[Any, ...]]]:
    listed = dataclasses.fields(kind)  # type: ignore[arg-type]  # a dataclass; hashable, as a cache key must be
    defaults = {field.name: field.default for field in listed}
    names = tuple(sorted(defaults))
    return names, tuple(defaults[name] for name in names), attrgetter(*names)


def _plain(value: Any) -> Any:
    """What JSON has no spelling for: instants (one offset), days, our frozen facts.

    A fact at its default is left out, so that contexts may gain facts and stored digests still be met.
    """
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    names, defaults, read = _fields(cast("Hashable", type(value)))
    return {name: item for name, default, item in zip(names, defaults, read(value), strict=True) if item != default}


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
