"""Finds rules that nothing can satisfy (R-DEAD): at every place, for every kind of training, on every day something
lawful must be left.

Values are piecewise constant, so that every region that rules, every cell of sector, stage and delivery, and every
interval between two dates at which anything changes is looked at, not a sample. A gate is dead there when, whatever
the conditions' facts are (way of charging, renewal …), some fact is left without a value:
- a number between a least that is above the most (or the most below the smallest that can occur);
- a word that all lists of permitted words share and none forbids; a flag that must be true and false;
- a day counted from the same day, at least and at most, on every start day of the interval's year.
Limits that are other facts of the case are left out, and so are places where a kind of training is forbidden outright:
a ban is no contradiction. Exceptions are not relied on.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import product
from typing import Any, get_args

from offcampus_rules import display, effective, judge, units
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import Scope
from offcampus_rules.errors import FileProblem
from offcampus_rules.facts import CONTEXTS, VOCABULARY
from offcampus_rules.messages import Language
from offcampus_rules.parameters import Entry, Parameter, within
from offcampus_rules.places import AXES, places
from offcampus_rules.rules import PASSES, Comparison, Gate, Rule

LEAST: Mapping[str, int] = {
    "amount_fen": 1,
    "charge_hours_centi": 1,
    "subject_hours_centi": 1,
    "class_size": 1,
    "lesson_minutes": 1,
    "minutes_per_class_hour": 1,
}
"""The smallest number a fact has when there is a charge, a class, a lesson at all."""
_YEAR = 366


@dataclass(frozen=True, slots=True)
class Demand:
    """One level's limit on a fact, by one rule."""

    rule: Rule
    parameter: Parameter
    entry: Entry

    @property
    def unit(self) -> str:
        return self.entry.unit or self.parameter.unit

    @property
    def must_be(self) -> Comparison:
        """How it is judged: "at least" of ordered options is "one of"."""
        return judge.among(self.rule, self.parameter).must_be

    def limit(self, start: date) -> Any:
        """The limit in the fact's terms; a duration is counted from `start`."""
        value = self.entry.value
        if self.unit in units.DURATIONS and isinstance(value, int):
            if self.rule.back:
                return units.counted_back(start, value, self.unit)
            return units.counted_on(start, value, self.unit, self.parameter.month_end)
        if self.must_be != self.rule.must_be and isinstance(value, str):
            return judge.options_from(self.rule, self.parameter, value)
        limit = units.limit(value, self.unit)
        return (limit,) if self.unit == "option" and isinstance(limit, str) else limit


def find(assembly: Assembly) -> tuple[FileProblem, ...]:
    """Every value that leaves nothing lawful, told once, at the most local of the values that contradict."""
    found: dict[tuple[Any, ...], FileProblem] = {}
    for problem in (*_empty_values(assembly), *_dead_gates(assembly)):
        found.setdefault((problem.file, problem.position), problem)
    return tuple(found.values())


def _empty_values(assembly: Assembly) -> Iterator[FileProblem]:
    """Lists and calendars of what is permitted that share nothing, whether or not a rule reads them."""
    for name, parameter in sorted(assembly.definitions.items()):
        if parameter.binding != "floor" or parameter.stricter != "subset":
            continue
        entries = assembly.entries.get(name, ())
        for scope, day in places(entries):
            speaking = [entry for entry in effective.in_force(entries, scope, day) if entry.value is not None]
            value = effective.effective(parameter, entries, scope, day).value
            if len(speaking) > 1 and (value == () or getattr(value, "spans", None) == ()):
                yield _problem([(parameter, entry) for entry in speaking], scope, day)


def _dead_gates(assembly: Assembly) -> Iterator[FileProblem]:
    for gate in get_args(Gate):
        rules = [rule for rule in assembly.rules if gate in rule.gates and rule.limit_fact is None]
        by_fact: dict[str, list[Rule]] = {}
        for rule in rules:
            by_fact.setdefault(rule.fact, []).append(rule)
        doubtful = {fact for fact, group in by_fact.items() if fact not in AXES and _doubtful(assembly, fact, group)}
        judged = [rule for rule in rules if rule.fact in doubtful]
        conditional = {one.fact for rule in judged for one in rule.conditions}
        judged += [rule for rule in rules if rule.fact in conditional - doubtful - set(AXES)]
        bans = [rule for rule in rules if rule.fact in AXES]
        if judged:
            yield from _dead(assembly, gate, judged, bans)


def _doubtful(assembly: Assembly, fact: str, rules: Sequence[Rule]) -> bool:
    """Whether a fact's rules could ever contradict each other: most have upper limits alone."""
    ways = {judge.among(rule, assembly.definitions[rule.parameter]).must_be for rule in rules}
    if {"at_least", "at_most"} <= ways or {"is_true", "is_false"} <= ways:
        return True
    if "one_of" in ways or "none_of" in ways:
        return True
    least = LEAST.get(fact)
    values = [(entry, rule) for rule in rules for entry in assembly.entries.get(rule.parameter, ())]
    return least is not None and any(
        isinstance(entry.value, int) and entry.value < least for entry, rule in values if rule.must_be == "at_most"
    )


def _dead(assembly: Assembly, gate: Gate, rules: Sequence[Rule], bans: Sequence[Rule]) -> Iterator[FileProblem]:
    named = {rule.parameter for rule in (*rules, *bans)}
    named |= {one.parameter for rule in (*rules, *bans) for one in rule.conditions if one.parameter is not None}
    entries = [entry for name in sorted(named) for entry in assembly.entries.get(name, ())]
    for scope, day in places(entries, (*rules, *bans)):
        if any(
            not _passes(demand, getattr(scope, demand.rule.fact)) for demand in _demands(assembly, bans, scope, day)
        ):
            continue
        demands = _demands(assembly, rules, scope, day)
        clash = _clash(assembly, gate, demands, scope, day)
        if clash:
            yield _problem([(demand.parameter, demand.entry) for demand in clash], scope, day)


def _passes(demand: Demand, given: str) -> bool:
    return PASSES[demand.must_be](given, demand.limit(date.min))


def _demands(assembly: Assembly, rules: Sequence[Rule], scope: Scope, day: date) -> list[Demand]:
    """What the levels demand here, conditions on sector, stage and delivery settled."""
    found: list[Demand] = []
    for rule in rules:
        static = [one for one in rule.conditions if one.fact in AXES]
        if not within(scope.region, rule.jurisdiction) or not all(
            getattr(scope, one.fact) in _wanted(assembly, one, scope, day) for one in static
        ):
            continue
        parameter = assembly.definitions[rule.parameter]
        for entry in effective.binding(parameter, assembly.entries.get(parameter.id, ()), scope, day):
            if parameter.unit != "flag" or entry.value is True:
                found.append(Demand(rule, parameter, entry))
    return found


def _wanted(assembly: Assembly, condition: Any, scope: Scope, day: date) -> frozenset[Any]:
    if condition.values is not None:
        return frozenset(condition.values)
    definition = assembly.definitions[condition.parameter]
    value = effective.effective(definition, assembly.entries.get(definition.id, ()), scope, day).value
    return frozenset(value) if isinstance(value, tuple) else frozenset() if value is None else frozenset([value])


def _clash(assembly: Assembly, gate: Gate, demands: list[Demand], scope: Scope, day: date) -> list[Demand]:
    """The demands that contradict each other whatever the conditions' facts are; empty when something is lawful."""
    wanted = {
        (demand.rule.id, one.fact): _wanted(assembly, one, scope, day)
        for demand in demands
        for one in demand.rule.conditions
        if one.fact not in AXES
    }
    facts = sorted({fact for _, fact in wanted})
    domains = [_domain(gate, fact, [values for (_, name), values in wanted.items() if name == fact]) for fact in facts]
    clash: list[Demand] = []
    for chosen in product(*domains):
        case = dict(zip(facts, chosen, strict=True))
        live = [
            demand
            for demand in demands
            if all(
                case[one.fact] in wanted[demand.rule.id, one.fact] for one in demand.rule.conditions if one.fact in case
            )
        ]
        clash = _contradiction(gate, live, case, day)
        if not clash:
            return []
    return clash


def _contradiction(gate: Gate, demands: list[Demand], case: Mapping[str, Any], day: date) -> list[Demand]:
    by_fact: dict[str, list[Demand]] = {}
    for demand in demands:
        by_fact.setdefault(demand.rule.fact, []).append(demand)
    for fact, group in by_fact.items():
        numeric = [demand for demand in group if demand.must_be in ("at_least", "at_most")]
        others = [demand for demand in group if demand.must_be not in ("at_least", "at_most")]
        if numeric and (clash := _unordered(fact, numeric, day)):
            return clash
        if others and not any(
            all(PASSES[demand.must_be](given, demand.limit(day)) for demand in others)
            for given in ([case[fact]] if fact in case else _candidates(gate, fact, others, day))
        ):
            return others
    return []


def _unordered(fact: str, demands: list[Demand], day: date) -> list[Demand]:
    """The least and the most that contradict each other, on every start day where they are counted from one."""
    for start in {demand.rule.measured_from for demand in demands}:
        group = [demand for demand in demands if demand.rule.measured_from == start]
        lower = [demand for demand in group if demand.rule.must_be == "at_least"]
        upper = [demand for demand in group if demand.rule.must_be == "at_most"]
        if not upper or not (lower or fact in LEAST):
            continue
        clash: list[Demand] = []
        for offset in range(_YEAR if start else 1):
            on = day + timedelta(days=offset)
            most = min(upper, key=lambda demand, on=on: demand.limit(on))  # type: ignore[misc]
            least = max(lower, key=lambda demand, on=on: demand.limit(on)) if lower else None  # type: ignore[misc]
            smallest = least.limit(on) if least is not None else LEAST[fact]
            if smallest <= most.limit(on):
                clash = []
                break
            clash = [most] if least is None else [least, most]
        if clash:
            return clash
    return []


def _candidates(gate: Gate, fact: str, demands: list[Demand], day: date) -> tuple[Any, ...]:
    """Every value of a fact that could make a difference: its own, those named, and one that nobody names."""
    if VOCABULARY[gate][fact].unit == "flag":
        return (True, False)
    named = {item for demand in demands for item in demand.limit(day)}
    if VOCABULARY[gate][fact].unit == "date":
        return (*sorted(named), max(named, default=day) + timedelta(days=1))
    known = _options(gate, fact)
    return tuple(sorted(known)) if known else (*sorted(named), "?")


def _domain(gate: Gate, fact: str, wanted: Iterable[frozenset[Any]]) -> tuple[Any, ...]:
    if VOCABULARY[gate][fact].unit == "flag":
        return (True, False)
    known = _options(gate, fact)
    return tuple(sorted(known)) if known else (*sorted(frozenset[Any]().union(*wanted)), "?")


@cache
def _options(gate: Gate, fact: str) -> frozenset[str]:
    """The words a fact can be, where its context says so."""
    hint = typing.get_type_hints(CONTEXTS[gate]).get(fact)
    parts = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return frozenset(word for part in parts for word in get_args(part) if isinstance(word, str))


Stated = tuple[Parameter, Entry]


def _problem(clash: Sequence[Stated], scope: Scope, day: date) -> FileProblem:
    order = ("nation", "province", "city", "county")
    ranked = sorted(clash, key=lambda item: (order.index(item[1].level), item[1].since, item[0].id))
    (parameter, entry), others = ranked[-1], ranked[:-1]
    where = f"{scope.region} {scope.sector}/{scope.stage}/{scope.delivery}"
    against_en = "; ".join(_told(item, "en") for item in others) or "the smallest that can occur"
    against_zh = "；".join(_told(item, "zh") for item in others) or "可能出现的最小值"
    return FileProblem(
        entry.file,
        entry.position,
        "R-DEAD",
        f"{_told((parameter, entry), 'en')} leaves nothing lawful at {where} from {day}, against {against_en}",
        f"{_told((parameter, entry), 'zh')} 与 {against_zh} 矛盾，{where} 自 {day} 起无任何合法情形",
    )


def _told(stated: Stated, language: Language) -> str:
    parameter, entry = stated
    value = display.raw(entry.value, entry.unit or parameter.unit, parameter.of, language)
    return f"{parameter.id} {value} ({entry.region})"
