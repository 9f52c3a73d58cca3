"""What an authority trusts: keys by role, builds of the suite, requirement sets, and the nonces that it gave out.

    {"keys": [{"jwk": {…}, "role": "vendor" | "authority", "holder": "…", "not_after_at": "…"}],
     "suites": [{"version": "0.1.0", "digest": "sha-256:…"}], "sets": [{"id": "1.0", "digest": "sha-256:…"}]}

Without `suites` or `sets` only the installed ones are taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.config import ConfigError
from offcampus_conformance.sets import frozen_set, suite_digest
from offcampus_conformance.signature import thumbprint

Role = Literal["vendor", "authority"]


@dataclass(frozen=True)
class TrustedKey:
    """A key, whose it is, and until when it may sign."""

    jwk: Mapping[str, str]
    role: Role
    holder: str
    not_after: datetime | None = None


@dataclass(frozen=True)
class Trust:
    """Whom and what an authority trusts."""

    keys: Mapping[str, TrustedKey]
    suites: frozenset[tuple[str, str]]
    sets: frozenset[tuple[str, str]]


def nobody() -> Trust:
    """No key, and the installed suite and set."""
    return trust({})


def load(path: Path) -> Trust:
    """A trust list from its file. Raises ConfigError."""
    try:
        return trust(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a trust list ({type(error).__name__}: {error})") from None


def trust(raw: Mapping[str, Any]) -> Trust:
    """A trust list from its document. Raises KeyError or ValueError when it is none."""
    keys = {}
    for entry in raw.get("keys", []):
        if entry["role"] not in ("vendor", "authority"):
            raise ValueError(f"role {entry['role']!r}; allowed: vendor, authority")
        until = datetime.fromisoformat(entry["not_after_at"]) if entry.get("not_after_at") else None
        keys[thumbprint(entry["jwk"])] = TrustedKey(entry["jwk"], entry["role"], str(entry["holder"]), until)
    suites = frozenset((str(e["version"]), str(e["digest"])) for e in raw.get("suites", []))
    known = frozenset((str(e["id"]), str(e["digest"])) for e in raw.get("sets", []))
    ours = frozen_set()
    return Trust(
        keys, suites or frozenset({(SUITE_VERSION, suite_digest())}), known or frozenset({(ours.standard, ours.digest)})
    )
