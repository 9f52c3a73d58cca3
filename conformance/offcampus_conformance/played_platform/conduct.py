"""What the played platform does on purpose: tricks at the next calls of an operation, and manners that last.

Everything here is something that a lawful platform, or the network before it, may do to anyone. A trick either stands
*instead* of carrying the request out, or comes *after* it was carried out: a client cannot tell a lost request from a
lost answer, and must settle both in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

INSTEAD = {
    "busy": "503 server.busy with Retry-After",
    "throttle": "429 rate.limited with Retry-After",
    "in_progress": "409 idempotency.in_progress with Retry-After",
    "refuse": "a refusal with the problem code that is given",
    "revoke_token": "the access token is taken back, and the request is answered 401",
    "redirect": "307 to another address, which a client must not follow with its token",
    "broken": "what a proxy in between may say: a status and a body that are no answer of the contract",
    "drop": "the connection is closed before anything was done",
}
AFTER = {
    "lost": "carried out, and the connection is closed without an answer",
    "truncated": "carried out, and the answer breaks off in the middle",
    "late": "carried out, and answered some seconds later",
    "overtaken": "somebody else changes the resource first: the version that was sent is stale",
    "known": "the same was entered before, at the platform's own page: it is answered 200 with what there is",
    "refuse_items": "a batch is answered with some of its items refused",
}


@dataclass(frozen=True)
class Trick:
    """One thing that happens at the next calls of an operation."""

    call: str
    do: str
    times: int = 1
    retry_after_s: int | None = None
    delay_ms: int = 0
    items: tuple[int, ...] = (0,)
    status: int = 422
    code: str = "reference.not_found"
    media_type: str = "text/html"
    body: str = "<html><body>502 Bad Gateway</body></html>"

    def __post_init__(self) -> None:
        if self.do not in INSTEAD and self.do not in AFTER:
            raise ValueError(f"no trick {self.do!r}; there are: {', '.join((*INSTEAD, *AFTER))}")


@dataclass
class Conduct:
    """What is still to come. One lock: a client may call from several threads."""

    down: bool = False
    """The platform cannot be reached at all."""
    page_size: int | None = None
    """At most so many rows in a page, whatever was asked; None: as asked."""
    extra_members: bool = False
    """Answers carry members that the client does not know: tomorrow's platform will."""
    _waiting: dict[str, list[Trick]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, trick: Trick) -> None:
        """Add a trick behind those that wait for the same operation."""
        with self._lock:
            self._waiting.setdefault(trick.call, []).append(trick)

    def next(self, operation_id: str) -> Trick | None:
        """Take the trick that is due at this call, if any."""
        with self._lock:
            waiting = self._waiting.get(operation_id)
            if not waiting:
                return None
            trick = waiting.pop(0)
            if trick.times > 1:
                waiting.insert(0, replace(trick, times=trick.times - 1))
            return trick

    def forget(self) -> None:
        """A new step begins: what was planned for the last one and never came to it is over."""
        with self._lock:
            self._waiting.clear()


def trick_from(entry: Mapping[str, Any]) -> Trick:
    """A trick as a scenario writes it."""
    given = dict(entry)
    if "items" in given:
        given["items"] = tuple(given["items"])
    return Trick(**given)
