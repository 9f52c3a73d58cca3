"""Where two requests of the suite differ: what makes a probe wrong in one declared way and no other.

A place is a JSON pointer into the body (`/uscc`), `raw` (a body that is no JSON), `header:<name>`, `query:<name>`,
`path`, `method` or `actor`. What every signed request carries afresh (signature, digest of the body, idempotency key)
is no difference where both requests carry it. Hidden values are compared by their seals: another access token of the
same party shows as `header:authorization/value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

DERIVED = frozenset({"signature", "signature-input", "content-digest", "content-length", "idempotency-key", "date"})


class Sent(Protocol):
    """What is compared of an exchange."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def request_headers(self) -> Mapping[str, str]: ...
    @property
    def request_body(self) -> str | None: ...
    @property
    def actor(self) -> str | None: ...
    @property
    def seals(self) -> Mapping[str, str]: ...
    def sent(self) -> Any: ...


def differences(left: Sent, right: Sent) -> set[str]:
    """The places at which two requests differ."""
    found = set() if left.method == right.method else {"method"}
    found |= set() if left.actor == right.actor else {"actor"}
    one, other = urlsplit(left.url), urlsplit(right.url)
    found |= set() if one.path == other.path else {"path"}
    queries = _grouped(one.query), _grouped(other.query)
    found |= {
        f"query:{name}"
        for name in queries[0].keys() | queries[1].keys()
        if queries[0].get(name) != queries[1].get(name)
    }
    return found | _headers(left, right) | _bodies(left, right)


def _grouped(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _headers(left: Sent, right: Sent) -> set[str]:
    ours, theirs = _lower(left.request_headers), _lower(right.request_headers)
    found = set()
    for name in ours.keys() | theirs.keys():
        both = name in ours and name in theirs
        if both and (name in DERIVED or (name == "authorization" and left.actor != right.actor)):
            continue
        if (
            name in ("content-digest", "content-length", "content-type")
            and not both
            and left.request_body != right.request_body
        ):
            continue  # no body, no headers about it
        if not both or ours[name] != theirs[name]:
            found.add(f"header:{name}")
        elif left.seals.get(f"header:{name}") != right.seals.get(f"header:{name}"):
            found.add(f"header:{name}/value")
    return found


def _bodies(left: Sent, right: Sent) -> set[str]:
    one, other = left.sent(), right.sent()
    sealed = {
        place
        for place in left.seals.keys() | right.seals.keys()
        if place.startswith(("/", "raw")) and left.seals.get(place) != right.seals.get(place)
    }
    if one is None or other is None:
        return sealed | (set() if left.request_body == right.request_body else {"raw"})
    found = within(one, other) | sealed
    # Bodies that read the same may still be other bytes (a member twice, another number form): that is `raw`.
    return found or (set() if left.request_body == right.request_body else {"raw"})


def within(left: Any, right: Any, pointer: str = "") -> set[str]:
    """The pointers at which two JSON values differ; numbers of another type are different."""
    if isinstance(left, dict) and isinstance(right, dict):
        members = (
            (left.get(key, _NONE), right.get(key, _NONE), f"{pointer}/{key}") for key in left.keys() | right.keys()
        )
        return {place for member in members for place in within(*member)}
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return {place for i, (a, b) in pairs for place in within(a, b, f"{pointer}/{i}")}
    return set() if left == right and type(left) is type(right) else {pointer or "/"}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


_NONE = object()
"""A member that is not there is not a member that is null."""
