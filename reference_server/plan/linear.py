"""Is a history of one order one that somebody could have seen step by step? A search in the manner of Wing and Gong.

Each operation takes its effect at one instant between its call and its return; one without an answer took it at some
instant after its call, or never. A state that was reached before with the same operations behind it is not tried again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True)
class Event:
    """One operation as its caller saw it. `outcome` is ok, a problem's code, or `unknown`."""

    process: int
    name: str
    given: tuple[Any, ...]
    called: float
    returned: float
    outcome: str
    seen: tuple[Any, ...] = ()

    @property
    def unknown(self) -> bool:
        return self.outcome == "unknown"

    def __str__(self) -> str:
        return (
            f"{self.called:.6f}-{self.returned:.6f} #{self.process} {self.name}{self.given} {self.outcome} {self.seen}"
        )


def linearisable(
    start: State, events: Sequence[Event], step: Callable[[State, Event], State | None]
) -> tuple[bool, list[Event]]:
    """Whether there is an order of the events that the model allows, and the longest part of one that was found."""
    ordered = sorted(events, key=lambda event: event.called)
    certain = frozenset(number for number, event in enumerate(ordered) if not event.unknown)
    seen: set[tuple[frozenset[int], State]] = set()
    best: list[int] = []
    stack: list[tuple[State, frozenset[int], tuple[int, ...]]] = [(start, frozenset(), ())]
    while stack:
        state, done, path = stack.pop()
        if len(path) > len(best):
            best = list(path)
        if certain <= done:
            return True, [ordered[number] for number in path]
        following = []
        first_return = math.inf
        for number, event in enumerate(ordered):
            if number in done:
                continue
            if event.called > first_return:
                break
            following.append(number)
            if not event.unknown:
                first_return = min(first_return, event.returned)
        for number in reversed(following):
            reached = step(state, ordered[number])
            if reached is None:
                continue
            mark = (done | {number}, reached)
            if mark not in seen:
                seen.add(mark)
                stack.append((reached, mark[0], (*path, number)))
    return False, [ordered[number] for number in best]
