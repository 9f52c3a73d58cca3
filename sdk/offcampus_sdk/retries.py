"""When and how a request is repeated: only where it is safe, inside a deadline, with full jitter. Pure but for chance.

Safe is: a read, or a write under an Idempotency-Key, after a connection failure, a time-out, 429, 503, a 500 or a
409 `idempotency.in_progress`. The key is made before the first attempt and never changes; the signature is new each
time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how often. Times in seconds."""

    attempts: int = 5
    deadline_s: float = 60.0
    first_wait_s: float = 0.2
    longest_wait_s: float = 8.0

    def wait(self, attempt: int, retry_after_s: float | None) -> float:
        """How long to wait after the n-th attempt (from 1); the server's Retry-After is the least."""
        ceiling = min(self.first_wait_s * 2 ** (attempt - 1), self.longest_wait_s)
        jittered = random.uniform(0, ceiling)  # noqa: S311 - jitter, no secret
        return max(jittered, retry_after_s or 0.0)


def may_repeat(method: str, *, has_key: bool) -> bool:
    """May this request be sent again without knowing what became of it?"""
    return method == "GET" or has_key


def retried(status: int, code: str | None) -> bool:
    """Is this answer one after which to try again?"""
    return status in RETRIED_STATUSES or (status == 409 and code == "idempotency.in_progress")
