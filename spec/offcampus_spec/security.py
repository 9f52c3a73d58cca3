"""The security profile as data, and which role holds which scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from offcampus_spec import codelists
from offcampus_spec._root import data_root


@dataclass(frozen=True)
class SignatureProfile:
    """What a signature covers and how long it lives (RFC 9421). Times in seconds."""

    label: str
    tag: str
    always: tuple[str, ...]
    with_body: tuple[str, ...]
    if_present: tuple[str, ...]
    age_s_max: int
    ahead_s_max: int
    lifetime_s_max: int
    nonce_length_min: int

    def components(self, headers: Mapping[str, str], *, has_body: bool) -> tuple[str, ...]:
        """What must be covered in a message with these headers (names in lower case)."""
        body = self.with_body if has_body else ()
        return (*self.always, *body, *(name for name in self.if_present if name in headers))


@dataclass(frozen=True)
class Profile:
    """The whole profile."""

    assertion_algorithms: tuple[str, ...]
    assertion_lifetime_s_max: int
    assertion_ahead_s_max: int
    token_type: str
    token_lifetime_s: int
    request: SignatureProfile
    event: SignatureProfile


def _load() -> Profile:
    raw = yaml.safe_load((data_root() / "security" / "profile.yaml").read_text(encoding="utf-8"))
    assertion, token = raw["client_assertion"], raw["access_token"]
    return Profile(
        tuple(assertion["algorithms"]),
        assertion["lifetime_s_max"],
        assertion["ahead_s_max"],
        token["typ"],
        token["lifetime_s"],
        _signature(raw["request_signature"]),
        _signature(raw["event_signature"]),
    )


def _signature(raw: dict[str, Any]) -> SignatureProfile:
    return SignatureProfile(
        raw["label"],
        raw["tag"],
        tuple(raw["always"]),
        tuple(raw.get("with_body", ())),
        tuple(raw.get("if_present", ())),
        raw["age_s_max"],
        raw["ahead_s_max"],
        raw.get("lifetime_s_max", raw["age_s_max"]),
        raw.get("nonce_length_min", 0),
    )


@cache
def roles() -> Mapping[str, frozenset[str]]:
    """Role -> the scopes that it holds."""
    return {code.code: frozenset(code.extra["scopes"].split()) for code in codelists.load("roles").codes.values()}


PROFILE = _load()
