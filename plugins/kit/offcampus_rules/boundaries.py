"""`check --coverage`: does a case stand on each edge of each value?

Every dated value that binds has these edges:
- `from`: the day it takes effect; `before`: the day before, when it does not hold yet;
- `limit`: facts exactly at the limit; `beyond`: facts one unit past it. For flags and lists: facts that pass and facts
  that are refused. Only values that a rule compares with a fact have these two.

Invariants: a case counts only for values of its own place, kind of training and day, and only when it comes out as
expected. Whether the cases would also notice a wrong value is another question: see `mutating`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, get_args

from offcampus_rules import judge
from offcampus_rules.asked import AskedCase
from offcampus_rules.context import GovernedBy
from offcampus_rules.daysets import DaySet
from offcampus_rules.decision import Decision
from offcampus_rules.facts import Fact
from offcampus_rules.parameters import Entry, chain
from offcampus_rules.plugin import Plugin
from offcampus_rules.rules import Condition, Rule
from offcampus_rules.ruleset import RuleSet

Edge = Literal["from", "before", "limit", "beyond"]
Key = tuple[str, str, date]
"""Parameter, region and first day: which entry a limit came from."""

_STEP = {"centi_hours": 100, "second_of_day": 60}


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A value with the edges that no case stands on."""

    entry: Entry
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    edges: int
    covered: int
    uncovered: tuple[Uncovered, ...]

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.edges if self.edges else 100.0


def measure(ruleset: RuleSet, plugin: Plugin, cases: Sequence[AskedCase]) -> Coverage:
    """The edges of every binding value in `plugin`, which is part of `ruleset`."""
    judged = _judged(ruleset, cases)
    total = 0
    uncovered: list[Uncovered] = []
    for file in plugin.parameter_files:
        asked = [case for case in cases if file.id in case.touched]
        rules = [rule for rule in ruleset.assembly.rules if rule.parameter == file.id]
        for entry in file.entries:
            if entry.value is None or not entry.binds:
                continue
            edges = dict(_days(entry, asked))
            if any(_meets(rule, entry) for rule in rules):
                order = ruleset.parameters[file.id].order
                wanted = _LIMITS if not _is_loosest(entry, order, rules) else _LIMITS[:1]
                edges |= {edge: edge in judged[entry.parameter, entry.region, entry.since] for edge in wanted}
            total += len(edges)
            if missing := tuple(edge for edge, found in edges.items() if not found):
                uncovered.append(Uncovered(entry, missing))
    missed = sum(len(item.edges) for item in uncovered)
    return Coverage(total, total - missed, tuple(uncovered))


_LIMITS: tuple[Edge, Edge] = ("limit", "beyond")


def _is_loosest(entry: Entry, order: tuple[str, ...], rules: Sequence[Rule]) -> bool:
    """Whether nothing stands beyond an option that is held at least or at most: it is the first of its order."""
    ends = {
        order[0] if rule.must_be == "at_least" else order[-1] for rule in rules if order and rule.must_be in _ORDERED
    }
    return ends == {entry.value}


_ORDERED = ("at_least", "at_most")


def _days(entry: Entry, cases: Sequence[AskedCase]) -> Iterator[tuple[Edge, bool]]:
    there = [case for case in cases if entry.region in chain(case.region) and entry.covers(case.scope)]
    for edge, day in _edge_days(entry):
        yield edge, any((entry.parameter, day) in case.rests_on for case in there)


def _edge_days(entry: Entry) -> tuple[tuple[Edge, date], ...]:
    return ("from", entry.since), ("before", entry.since - timedelta(days=1))


def _meets(rule: Rule, entry: Entry) -> bool:
    """Whether the rule can ever compare this value: its conditions on the kind of training leave something over."""
    return any(_may_hold(rule.conditions, dict(zip(_AXES, cell, strict=True))) for cell in entry.cells)


_AXES = ("sector", "stage", "delivery")


def _may_hold(conditions: Sequence[Condition], cell: Mapping[str, str]) -> bool:
    return all(
        condition.values is None or condition.fact not in cell or cell[condition.fact] in condition.values
        for condition in conditions
    )


_RULES_OF = {"warning": "risk"}
"""The gate whose rules answer a question that is no decision."""


def _judged(ruleset: RuleSet, cases: Sequence[AskedCase]) -> Mapping[Key, set[Edge]]:
    """Which values were compared with facts that stand at the limit, or one unit beyond it."""
    found: dict[Key, set[Edge]] = defaultdict(set)
    for case in cases:
        question = case.case.question
        gate = question if isinstance(case.answer, Decision) else _RULES_OF.get(question)
        if gate is None:
            continue
        dates: Mapping[GovernedBy, date] = {name: case.facts.date_for(name) for name in get_args(GovernedBy)}
        plan = judge.compile_plan(ruleset.assembly, gate, case.scope, dates)  # type: ignore[arg-type]
        for item in plan.rules:
            given = item.fact.read(case.facts)
            if given is None or (item.applies is not None and not item.applies(case.facts)):
                continue
            for check in item.checks:
                limit = check.limit(case.facts)
                edge = _edge(item.fact, given, limit, passes=limit is None or item.passes(given, limit))
                if edge is not None and check.value.region is not None and check.value.since is not None:
                    found[check.value.parameter, check.value.region, check.value.since].add(edge)
    return found


def _edge(fact: Fact, given: Any, limit: Any, *, passes: bool) -> Edge | None:
    if limit is None:
        return None
    if fact.unit in ("flag", "option", "instant") or isinstance(limit, DaySet):
        return "limit" if passes else "beyond"
    if given == limit:
        return "limit"  # all limits are inclusive
    step = timedelta(days=1) if isinstance(limit, date) else _STEP.get(fact.unit, 1)
    return "beyond" if not passes and abs(given - limit) <= step else None
