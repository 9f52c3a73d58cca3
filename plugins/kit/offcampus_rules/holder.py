"""Holds the rule set a server decides with, and changes it for another without a restart.

One reference is swapped: whoever took the old set decides with it to the end, nobody sees a mixture. A set that cannot
be built changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from offcampus_rules.ruleset import Rejected, RuleSet


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload came to: the digests before and after, and what was left out."""

    before: str
    after: str
    rejected: tuple[Rejected, ...]

    @property
    def changed(self) -> bool:
        return self.before != self.after


class RuleSetHolder:
    """`RuleSetHolder(lambda: load_ruleset(lock=file))`: the load is called again for each reload."""

    def __init__(self, load: Callable[[], RuleSet]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._current = load()

    @property
    def current(self) -> RuleSet:
        """The rules in force now. Take it once for each request."""
        return self._current

    def reload(self) -> Reloaded:
        """Read everything again. Raises what the load raises, with the old rules still in force."""
        with self._lock:
            before, fresh = self._current, self._load()
            self._current = fresh
        return Reloaded(before.digest, fresh.digest, fresh.rejected)
