"""What a fact is, and the ways several gates read the same thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.units import FactUnit, FactValue

Doubt = Callable[[Any], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """A name a rule may use. `unit` decides which parameters it can be compared with.

    `pointer` is the member of the request that a sender would change (a JSON pointer in the standard's resource);
    None: the fact stands in another resource. `doubt` answers (zh, en) when the fact is less than certain in a case.
    `may_be_untold`: None means that nobody told, so that a rule about it is not evaluated (and says so); otherwise None
    means that the fact does not arise, so that a rule about it does not apply.
    """

    name: str
    unit: FactUnit
    read: Callable[[Any], FactValue]
    pointer: str | None = None
    doubt: Doubt | None = None
    may_be_untold: bool = False


def told(name: str, unit: FactUnit) -> Fact:
    """A fact that is an optional member of the context, by its name."""
    return Fact(name, unit, attrgetter(name), may_be_untold=True)


def vocabulary(pointers: Mapping[str, str], *facts: Fact) -> Mapping[str, Fact]:
    """The facts by name, with those every context has."""
    common = (
        Fact("sector", "option", lambda case: case.scope.sector),
        Fact("stage", "option", lambda case: case.scope.stage),
        Fact("delivery", "option", lambda case: case.scope.delivery),
        Fact("region", "option", lambda case: case.scope.region),
    )
    return {fact.name: replace(fact, pointer=pointers.get(fact.name)) for fact in (*common, *facts)}


def end_second(starts_at: datetime, ends_at: datetime) -> int:
    """Seconds from midnight of the day the lesson STARTS: one that ends after midnight ends late, not early."""
    start = starts_at.astimezone(SHANGHAI)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    span = ends_at - midnight
    return -(-span // timedelta(seconds=1))


def minutes(starts_at: datetime, ends_at: datetime) -> int:
    """Whole minutes, a begun minute counted (the limit is inclusive)."""
    return -(-(ends_at - starts_at) // timedelta(minutes=1))
