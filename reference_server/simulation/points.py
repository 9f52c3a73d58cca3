"""Places where a process may die or its disk fail, named after what the database sees, so that they follow the code.

`before insert ledger_transfers`, `after update orders`, `before commit`, `before answer`: a new table has its points
without a line here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

_WRITE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)")
_VERBS = {"INSERT INTO": "insert", "UPDATE": "update", "DELETE FROM": "delete"}
_names: dict[str, str | None] = {}


class Crash(BaseException):
    """The process died here. Not an Exception: nothing may catch it."""


class Points:
    """The points of one engine. `arm` makes something happen at one of them, once; until then nothing listens."""

    def __init__(self, engine: Engine) -> None:
        self.seen: Counter[str] = Counter()
        """How often each was passed while something was due."""
        self._at: int | str | None = None
        self._passed = 0
        self._act: Callable[[], None] | None = None
        self._engine, self._attached = engine, False
        self._listening = {
            "before_cursor_execute": self._before, "after_cursor_execute": self._after, "commit": self._commit,
        }  # fmt: skip

    def arm(self, at: int | str, act: Callable[[], None]) -> None:
        """Act at the point with this name, or at the one with this number from now on."""
        if not self._attached:
            for name, listener in self._listening.items():
                event.listen(self._engine, name, listener)
        self._attached = True
        self._at, self._act, self._passed = at, act, 0

    def disarm(self) -> bool:
        """Forget what was armed; True when it had not happened."""
        left, self._act = self._act is not None, None
        return left

    def rest(self) -> None:
        """Nothing is due for a while, and no statement is under way: stop listening."""
        if self._attached and self._act is None:
            for name, listener in self._listening.items():
                event.remove(self._engine, name, listener)
            self._attached = False

    def reach(self, name: str) -> None:
        """A point is passed."""
        if self._act is None:
            return
        self.seen[name] += 1
        if self._at in (name, self._passed):
            act, self._act = self._act, None
            act()
        self._passed += 1

    def _commit(self, _: Connection) -> None:
        self.reach("before commit")

    def _before(self, *given: Any) -> None:
        if (name := _named(given[2])) is not None:
            self.reach(f"before {name}")

    def _after(self, *given: Any) -> None:
        if (name := _named(given[2])) is not None:
            self.reach(f"after {name}")


def _named(statement: str) -> str | None:
    if statement not in _names:
        match = _WRITE.match(statement)
        _names[statement] = f"{_VERBS[match[1]]} {match[2]}" if match else None
    return _names[statement]
