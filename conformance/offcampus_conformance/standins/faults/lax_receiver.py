"""A receiver of webhooks that leaves out one of the checks that it owes: for faults of vendors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from offcampus_conformance.played_platform.observed import number, parameter
from offcampus_conformance.signature import (
    EVENT_COMPONENTS,
    content_digest,
    covered_components,
    thumbprint,
    verify,
)

AGE_S = 300
FORWARDED = "http://another.example/webhooks"


def wrong_with(
    headers: Mapping[str, str], body: bytes, url: str, jwks: list[dict[str, Any]], leaves_out: str
) -> str | None:
    """What is wrong with a delivery, but for the one thing that is not looked at; None when nothing is found."""
    given = {name.lower(): value for name, value in headers.items()}
    line = given.get("signature-input", "")
    found: dict[str, str | None] = {}
    if not line or "signature" not in given:
        return None if leaves_out == "presence" else "no signature"
    missing = set(EVENT_COMPONENTS) - set(covered_components(line))
    found["coverage"] = f"not covered: {sorted(missing)}" if missing else None
    found["digest"] = None if given.get("content-digest") == content_digest(body) else "another digest"
    created, now = number(line, "created") or 0, int(time.time())
    found["age"] = "too old" if created < now - AGE_S else None
    found["future"] = "in the future" if created > now + AGE_S else None
    key = next((jwk for jwk in jwks if thumbprint(jwk) == parameter(line, "keyid")), None)
    found["key"] = None if key is not None else "a key that nobody knows"
    if key is not None:
        urls = [url, FORWARDED] if leaves_out == "address" else [url]
        holds = any(verify(key, "POST", candidate, headers) is None for candidate in urls)
        found["signature"] = None if holds else "the signature does not hold"
    return next((text for name, text in found.items() if text and name != leaves_out), None)
