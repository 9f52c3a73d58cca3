"""What a gate asks of facts at one place and date, compiled: the plan that `judge` makes and `screening` judges with.

Nothing here depends on the facts. A limit is a constant, another fact of the case, or a day counted from one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from offcampus_rules import units
from offcampus_rules.calendar import MonthEnd
from offcampus_rules.decision import Citation, NotEvaluated, Value
from offcampus_rules.facts import Fact
from offcampus_rules.messages import Text
from offcampus_rules.rules import ObligationRule, Rule
from offcampus_rules.units import Limit
from offcampus_rules.wording import Breach

if TYPE_CHECKING:
    from offcampus_rules.screening import Screen

Predicate = Callable[[Any], bool]
Read = Callable[[Any], Any]


class Span(NamedTuple):
    """A duration that becomes a day when it is counted from a fact of the case."""

    start: str
    read: Read
    amount: int
    unit: str
    month_end: MonthEnd
    back: bool

    def day(self, start: date) -> date:
        """The day the span leads to from `start`."""
        return _counted(start, self.amount, self.unit, self.month_end, self.back)


@lru_cache(maxsize=65_536)
def _counted(start: date, amount: int, unit: str, month_end: MonthEnd, back: bool) -> date:
    return units.counted_back(start, amount, unit) if back else units.counted_on(start, amount, unit, month_end)


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One level's limit of a rule: `constant`, or `other` read from the case, or a `span` (in words: `span_zh/en`)."""

    value: Value
    constant: Limit = None
    other: Read | None = None
    span: Span | None = None
    span_zh: str = ""
    span_en: str = ""
    untold: str | None = None
    """The fact that is the limit, where nobody may have told it."""
    which: str = ""
    """Limits read from the case are grouped by what they are: the name of the fact, or this."""
    missing: Callable[[Any], str | None] | None = None
    """The fact a limit is read by, where nobody told it in a case."""

    def untold_in(self, case: Any) -> str | None:
        """The fact behind this limit that nobody told in a case whose limit is not known."""
        return self.missing(case) if self.missing is not None else self.untold

    @property
    def is_fixed(self) -> bool:
        return self.span is None and self.other is None

    def limit(self, case: Any) -> Limit:
        """The limit in a case; None: the fact it is measured by does not arise, and what never began has no term."""
        if self.span is not None:
            start = self.span.read(case)
            return None if start is None else self.span.day(start)
        return self.constant if self.other is None else self.other(case)


@dataclass(frozen=True, slots=True, eq=False)
class Lift:
    """An exception that is active here: the limits set in `regions` are not held against cases that meet it."""

    exception: str
    title_zh: str
    title_en: str
    region: str
    regions: frozenset[str]
    basis: Citation
    source: Citation
    applies: Predicate | None

    def holds(self, case: Any) -> bool:
        return self.applies is None or self.applies(case)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule with what the plan's place and dates fix of it. Compared by identity, since it keys caches."""

    rule: Rule
    fact: Fact
    applies: Predicate | None
    checks: tuple[Check, ...]
    effective: Value
    text: Text
    passes: Callable[[Any, Any], bool]
    breach: Breach
    untold: Callable[[Any], str | None] | None = None
    """The name of a fact nobody told that would decide whether the rule applies; None: it is known."""
    lifts: tuple[Lift, ...] = ()
    listed: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    """By fact, what a condition admits that a parameter lists."""
    also: tuple[Value, ...] = ()
    """What else the limit rests on: the float that raises a table's cell, the length of its unit."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledObligation:
    """A duty that is owed once `start` has a day."""

    rule: ObligationRule
    applies: Predicate | None
    start: Read
    due: Callable[[Any], date]
    value: Value
    text: Text


@dataclass(frozen=True, slots=True)
class CompiledUndecided:
    applies: Predicate | None
    note: NotEvaluated


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of facts at one gate, place and date.

    `asked` reads every fact that any condition looks at: cases that agree on these meet the same rules, so the rules
    left over are screened once for each combination (`screens`, which can be computed again at any time).
    `floor` is what the nation alone asks, where each decision is compared with it (`witness`).
    """

    rules: tuple[CompiledRule, ...]
    obligations: tuple[CompiledObligation, ...]
    undecided: tuple[CompiledUndecided, ...]
    asked: tuple[Read, ...] = ()
    floor: Plan | None = None
    screens: dict[tuple[Any, ...], Screen] = field(default_factory=dict, compare=False, repr=False)
