"""Compiles the rules that apply at one place and date into comparisons, and judges facts with them.

A plan holds everything that does not depend on the facts: which rules apply, each level's limit with its source, the
words. Plans are cached by (gate, scope, dates); `screening` judges with them, and text is made only for what is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Literal

from offcampus_rules import effective, exceptions, units
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import GovernedBy, Scope
from offcampus_rules.decision import NotEvaluated, Value
from offcampus_rules.exceptions import NationalException
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.parameters import Entry, Parameter, chain, within
from offcampus_rules.plans import (
    Check,
    CompiledObligation,
    CompiledRule,
    CompiledUndecided,
    Lift,
    Plan,
    Predicate,
    Span,
)
from offcampus_rules.rules import PASSES, Condition, Gate, ObligationRule, Rule, UndecidedRule
from offcampus_rules.tabled import TableLimit
from offcampus_rules.tables import Table
from offcampus_rules.wording import Breach

Dates = Mapping[GovernedBy, date]


def compile_plan(assembly: Assembly, gate: Gate, scope: Scope, dates: Dates) -> Plan:
    """Everything of the assembly that speaks at this gate, place and date."""
    compiler = _Compiler(assembly, gate, scope, dates)
    local = [rule for rule in assembly.rules if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    owed = [rule for rule in assembly.obligations if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    open_ = [rule for rule in assembly.undecided if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    return Plan(
        rules=tuple(item for item in map(compiler.rule, local) if item is not None),
        obligations=tuple(item for item in map(compiler.obligation, owed) if item is not None),
        undecided=tuple(item for item in map(compiler.undecided, open_) if item is not None),
        asked=tuple(compiler.asked[name].read for name in sorted(compiler.asked)),
    )


def clocks(assembly: Assembly, gate: Gate) -> tuple[GovernedBy, ...]:
    """The dates a gate's plans depend on: those that govern any parameter its rules name, or what lifts them."""
    ruling = {parameter.governed_by for parameter in _named(assembly, gate)}
    return tuple(sorted(ruling | {exception.governed_by for exception in lifting(assembly, gate)}))


def breaks(assembly: Assembly, gate: Gate, clock: GovernedBy) -> tuple[date, ...] | None:
    """The dates on which any value or exception of a gate begins or ends: plans are the same in between.

    None where levels write a duration in different units: which is stricter then depends on the day itself.
    """
    found: set[date] = set()
    for parameter in _named(assembly, gate):
        if parameter.governed_by != clock:
            continue
        entries = assembly.entries.get(parameter.id, ())
        if parameter.unit in units.DURATIONS and _mixed(parameter, entries):
            return None
        found.update(day for entry in entries for day in (entry.since, entry.until) if day is not None)
    lifts = {item.id: item for item in lifting(assembly, gate) if item.governed_by == clock}
    lives = [(item.since, item.until) for item in lifts.values()]
    lives += [(item.since, item.until) for item in assembly.activations if item.exception in lifts]
    found.update(day for life in lives for day in life if day is not None)
    return tuple(sorted(found))


def _mixed(parameter: Parameter, entries: tuple[Entry, ...]) -> bool:
    """Whether two levels of one place write a duration in different units."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(entry.region, set()).add(entry.unit or parameter.unit)
    return any(len(set[str]().union(*(found.get(level, ()) for level in chain(region)))) > 1 for region in found)


def _named(assembly: Assembly, gate: Gate) -> list[Parameter]:
    rules: tuple[Rule | ObligationRule | UndecidedRule, ...]
    rules = (*assembly.rules, *assembly.obligations, *assembly.undecided)
    speaking = [rule for rule in rules if gate in rule.gates]
    named = {rule.parameter for rule in speaking}
    named |= {name for rule in speaking if isinstance(rule, Rule) for name in rule.parameters}
    conditions = [one for item in (*speaking, *lifting(assembly, gate)) for one in item.conditions]
    named |= {one.parameter for one in conditions if one.parameter is not None}
    return [assembly.definitions[name] for name in sorted(named)]


def lifting(assembly: Assembly, gate: Gate) -> list[NationalException]:
    """The exceptions that lift a rule of a gate."""
    ids = {rule.id for rule in assembly.rules if gate in rule.gates}
    return [item for item in assembly.exceptions.values() if ids & set(item.lifts)]


class _Compiler:
    def __init__(self, assembly: Assembly, gate: Gate, scope: Scope, dates: Dates) -> None:
        self._assembly = assembly
        self._vocabulary = VOCABULARY[gate]
        self._scope = scope
        self._dates = dates
        self.asked: dict[str, Fact] = {}

    def rule(self, rule: Rule) -> CompiledRule | None:
        parameter = self._assembly.definitions[rule.parameter]
        rule, said = among(rule, parameter), rule
        applies = self._condition(rule.conditions)
        checks = tuple(
            self._check(said, parameter, entry)
            for entry in self._binding(parameter)
            if parameter.unit != "flag" or entry.value is True
        )
        unit_unknown = rule.for_each is not None and self._number(rule.for_each.of) is None
        if not checks or applies is False or unit_unknown:
            return None
        return CompiledRule(
            rule=rule,
            fact=self._vocabulary[rule.fact],
            applies=applies,
            checks=checks,
            effective=self._effective(parameter),
            text=self._assembly.texts[rule.code],
            passes=PASSES[rule.must_be],
            breach=Breach(rule.id, rule.code, rule.requirement, rule.fact, self._vocabulary[rule.fact].pointer),
            untold=self._untold(rule.conditions),
            lifts=tuple(self._lifts(rule)),
            listed={one.fact: self._listed(one.parameter) for one in rule.conditions if one.parameter is not None},
            also=tuple(self._effective(self._assembly.definitions[name]) for name in rule.parameters[1:]),
        )

    def _lifts(self, rule: Rule) -> Iterator[Lift]:
        known, here = self._assembly.exceptions, self._assembly.activations
        for exception, activation in exceptions.active(known, here, rule.id, self._scope, self._dates):
            applies = self._condition(exception.conditions)
            if applies is not False:
                yield Lift(
                    exception=exception.id,
                    title_zh=exception.title_zh,
                    title_en=exception.title_en,
                    region=activation.region,
                    regions=frozenset(chain(activation.region)),
                    basis=exception.basis,
                    source=activation.source,
                    applies=applies,
                )

    def obligation(self, rule: ObligationRule) -> CompiledObligation | None:
        parameter = self._assembly.definitions[rule.parameter]
        value = self._effective(parameter)
        applies = self._condition(rule.conditions)
        if not isinstance(value.value, int) or applies is False:
            return None
        start = self._vocabulary[rule.measured_from].read

        def due(case: Any, amount: int = value.value, unit: str = value.unit) -> date:
            return units.last_day(start(case), amount, unit).day  # type: ignore[arg-type]

        return CompiledObligation(rule, applies, start, due, value, self._assembly.texts[rule.code])

    def undecided(self, rule: UndecidedRule) -> CompiledUndecided | None:
        value = self._effective(self._assembly.definitions[rule.parameter])
        applies = self._condition(rule.conditions)
        if value.value is None or applies is False:
            return None
        return CompiledUndecided(applies, NotEvaluated(rule.id, rule.reason_zh, rule.reason_en))

    def _check(self, rule: Rule, parameter: Parameter, entry: Entry) -> Check:
        value = effective.to_value(parameter, entry)
        if rule.limit_fact is not None:
            other = self._vocabulary[rule.limit_fact]
            return Check(value, other=other.read, untold=other.name if other.may_be_untold else None)
        if rule.measured_from is not None and isinstance(entry.value, int):
            return Check(
                value,
                span_zh=units.readable(entry.value, value.unit, "zh"),
                span_en=units.readable(entry.value, value.unit, "en"),
                span=Span(
                    rule.measured_from,
                    self._vocabulary[rule.measured_from].read,
                    entry.value,
                    value.unit,
                    parameter.month_end,
                    rule.back,
                ),
            )
        if isinstance(entry.value, Table):
            table = self._table(rule, parameter, entry.value)
            zh, en = "按表折算", "by the table, pro rata"
            which = f"{rule.id} {entry.region}"
            return Check(value, other=table, which=which, missing=table.untold, span_zh=zh, span_en=en)
        if rule.must_be in ("at_most", "at_least") and parameter.order and isinstance(entry.value, str):
            return Check(value, constant=options_from(rule, parameter, entry.value))
        limit = units.limit(entry.value, value.unit)
        return Check(value, constant=(limit,) if value.unit == "option" and isinstance(limit, str) else limit)

    def _table(self, rule: Rule, parameter: Parameter, table: Table) -> TableLimit:
        axes = {axis.name: self._vocabulary[axis.name] for axis in parameter.axes}
        raised = self._number(rule.raised_by) if rule.raised_by is not None else None
        if rule.for_each is None:
            return TableLimit(table, axes, raised or 0)
        per = self._number(rule.for_each.of) or 1
        return TableLimit(table, axes, raised or 0, self._vocabulary[rule.for_each.fact], per)

    def _number(self, parameter: str) -> int | None:
        value = self._effective(self._assembly.definitions[parameter]).value
        return value if isinstance(value, int) else None

    def _condition(self, conditions: tuple[Condition, ...]) -> Predicate | Literal[False] | None:
        """A predicate; None when there is nothing left to ask; False when it can never be met here."""
        tests: list[Predicate] = []
        for condition in conditions:
            wanted = condition.values if condition.values is not None else self._listed(condition.parameter or "")
            if condition.fact in ("sector", "stage", "delivery"):
                if getattr(self._scope, condition.fact) not in wanted:
                    return False
                continue
            fact = self.asked[condition.fact] = self._vocabulary[condition.fact]
            tests.append(partial(_is_one_of, fact.read, wanted))
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda case: all(test(case) for test in tests)

    def _untold(self, conditions: tuple[Condition, ...]) -> Callable[[Any], str | None] | None:
        facts = [self._vocabulary[condition.fact] for condition in conditions]
        open_ = [fact for fact in facts if fact.may_be_untold]
        if not open_:
            return None
        known = tuple(item for item in conditions if not self._vocabulary[item.fact].may_be_untold)
        applies = self._condition(known)

        def untold(case: Any) -> str | None:
            if applies is not None and (applies is False or not applies(case)):
                return None
            return next((fact.name for fact in open_ if fact.read(case) is None), None)

        return untold

    def _listed(self, parameter: str) -> frozenset[Any]:
        value = self._effective(self._assembly.definitions[parameter]).value
        return frozenset(value) if isinstance(value, tuple) else frozenset() if value is None else frozenset([value])

    def _binding(self, parameter: Parameter) -> tuple[Entry, ...]:
        entries = self._assembly.entries.get(parameter.id, ())
        return effective.binding(parameter, entries, self._scope, self._dates[parameter.governed_by])

    def _effective(self, parameter: Parameter) -> Value:
        entries = self._assembly.entries.get(parameter.id, ())
        return effective.effective(parameter, entries, self._scope, self._dates[parameter.governed_by])


def among(rule: Rule, parameter: Parameter) -> Rule:
    """ "At least" of options with an order is "one of" those that stand there or further on."""
    ordered = parameter.unit == "option" and rule.must_be in ("at_most", "at_least")
    return replace(rule, must_be="one_of") if ordered else rule


def options_from(rule: Rule, parameter: Parameter, option: str) -> tuple[str, ...]:
    """What a limit of ordered options admits, by the rule as it is written."""
    place = parameter.order.index(option)
    return parameter.order[place:] if rule.must_be == "at_least" else parameter.order[: place + 1]


def _is_one_of(read: Callable[[Any], Any], wanted: frozenset[Any], case: Any) -> bool:
    return read(case) in wanted
