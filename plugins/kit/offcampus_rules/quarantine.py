"""Keeps a plugin out for a while that fails again and again, and tries it once before it is back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

FAILURES = 3
WINDOW_S = 60.0
PAUSE_S = 30.0


class Quarantine:
    """Three failures within a minute close it for half a minute; then one call is let through and decides."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._closed_until: float | None = None

    def admits(self) -> bool:
        """Whether the plugin may be called now; after the pause, for one caller at a time."""
        with self._lock:
            now = self._clock()
            if self._closed_until is None:
                return True
            if now < self._closed_until:
                return False
            self._closed_until = now + PAUSE_S  # the next caller waits until this one has told how it went
            return True

    def failed(self) -> None:
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            if self._closed_until is not None or (
                len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW_S
            ):
                self._closed_until = now + PAUSE_S

    def succeeded(self) -> None:
        """A plugin that answers again after its pause starts anew; an answer in between excuses no failure."""
        with self._lock:
            if self._closed_until is not None:
                self._closed_until = None
                self._failures.clear()
