"""The status of every rule in one case: what a reader asks after "allowed" or "refused".

    satisfied       compared, and passes          violated        compared, and does not
    not_applicable  the case is another one       not_evaluated   a fact is missing, or nobody can judge it yet

Invariants
- Every rule that speaks at the gate and place is listed once; a limit names who set it, since when, and its source.
- A missing fact is named, never guessed. A violated limit tells the nearest value that would pass.
- Statuses are derived from the same plan the decision was made with, so the two cannot tell different stories.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, cast, get_args

from offcampus_rules import effective, judge, units
from offcampus_rules.context import Facts, GovernedBy
from offcampus_rules.decision import Value
from offcampus_rules.errors import FileProblem
from offcampus_rules.facts import VOCABULARY
from offcampus_rules.messages import allowed_text
from offcampus_rules.parameters import within
from offcampus_rules.plans import Check, CompiledRule, Lift
from offcampus_rules.rules import Condition, Gate, Rule
from offcampus_rules.ruleset import RuleSet

Status = Literal["satisfied", "violated", "not_applicable", "not_evaluated"]


@dataclass(frozen=True, slots=True)
class LevelLimit:
    """What one level allows, who says so, and whether the fact passes it."""

    value: Value
    allowed_zh: str
    allowed_en: str
    passes: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "allowed_zh": self.allowed_zh,
            "allowed_en": self.allowed_en,
            "passes": self.passes,
            "value": self.value.to_json(),
        }


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """One rule in one case. `reason_*` is given where it was not compared, `nearest_*` where it is violated."""

    rule: str
    jurisdiction: str
    requirement: str
    parameter: str
    fact: str
    status: Status
    given_zh: str | None = None
    given_en: str | None = None
    limits: tuple[LevelLimit, ...] = ()
    nearest_zh: str | None = None
    nearest_en: str | None = None
    reason_zh: str | None = None
    reason_en: str | None = None
    missing: str | None = None
    """The fact that nobody told."""

    def to_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__slots__ if name != "limits"}
        return {name: value for name, value in told.items() if value is not None} | {
            "limits": [limit.to_json() for limit in self.limits]
        }


def assess(ruleset: RuleSet, gate: Gate, case: Facts) -> tuple[RuleStatus, ...]:
    """Every rule of the gate at the case's place, violated ones first. The case may lack facts (`plain.partial`)."""
    order: tuple[str, ...] = ("violated", "not_evaluated", "satisfied", "not_applicable")
    found = (*_rules(ruleset, gate, case), *_undecided(ruleset, gate, case))
    return tuple(sorted(found, key=lambda item: order.index(item.status)))


def looser_values(ruleset: RuleSet, statuses: tuple[RuleStatus, ...], case: Facts) -> tuple[FileProblem, ...]:
    """Local values of the parameters used that would loosen what stands above them here: they have no effect."""
    used = {item.parameter for item in statuses}
    here = {
        (entry.file, entry.position)
        for name in used
        for entry in effective.in_force(
            ruleset.assembly.entries.get(name, ()), case.scope, case.date_for(ruleset.parameters[name].governed_by)
        )
    }
    return tuple(problem for problem in ruleset.reports() if (problem.file, problem.position) in here)


def _rules(ruleset: RuleSet, gate: Gate, case: Facts) -> Iterator[RuleStatus]:
    plan = judge.compile_plan(ruleset.assembly, gate, case.scope, _dates(case))
    compiled = {item.rule.id: item for item in plan.rules}
    for rule in ruleset.assembly.rules:
        if gate in rule.gates and within(case.scope.region, rule.jurisdiction):
            item = compiled.get(rule.id)
            yield _not_here(ruleset, rule, case) if item is None else _compared(ruleset, gate, item, case)


def _compared(ruleset: RuleSet, gate: Gate, item: CompiledRule, case: Facts) -> RuleStatus:
    try:
        name = None
        if item.applies is not None and not item.applies(case):
            name = item.untold(case) if item.untold is not None else None
            if name is None:
                return _other_case(ruleset, gate, item.rule, case)
        lifting = [lift for lift in item.lifts if lift.holds(case)]
        gone = frozenset[str]().union(*(lift.regions for lift in lifting))
        checks = [check for check in item.checks if check.value.region not in gone]
        if not checks:
            return _lifted(item.rule, lifting[0])
        if name is not None:
            return _untold(item.rule, name)
        given = item.fact.read(case)
        if given is None:
            return _untold(item.rule, item.fact.name) if item.fact.may_be_untold else _does_not_arise(item.rule)
        limits = [(check, check.limit(case)) for check in checks]
    except AttributeError as error:
        if not _is_missing_fact(error, case):
            raise
        return _untold(item.rule, str(error.name or error))
    untold = next((name for check, limit in limits if limit is None and (name := check.untold_in(case))), None)
    if untold:
        return _untold(item.rule, untold)
    judged = [(check, limit, item.passes(given, limit)) for check, limit in limits if limit is not None]
    if not judged:
        tabled = any(check.missing for check in item.checks)
        return _left_open(item.rule) if tabled else _does_not_arise(item.rule)
    doubt = item.fact.doubt(case) if item.fact.doubt is not None else None
    broken = [limit for _, limit, passes in judged if not passes]
    nearest = _nearest(item.rule.must_be, given, broken, item.fact.unit) if broken else (None, None)
    return RuleStatus(
        **_named(item.rule),
        status="violated" if broken else "satisfied",
        given_zh=units.readable(given, item.fact.unit, "zh"),
        given_en=units.readable(given, item.fact.unit, "en"),
        limits=tuple(_level(item, check, limit, passes) for check, limit, passes in judged),
        nearest_zh=nearest[0],
        nearest_en=nearest[1],
        reason_zh=doubt[0] if doubt else None,
        reason_en=doubt[1] if doubt else None,
    )


def _level(item: CompiledRule, check: Check, limit: Any, passes: bool) -> LevelLimit:
    must_be, unit = item.rule.must_be, item.fact.unit
    return LevelLimit(
        check.value,
        allowed_text(must_be, limit, unit, "zh", check.span_zh),
        allowed_text(must_be, limit, unit, "en", check.span_en),
        passes,
    )


def _nearest(must_be: str, given: Any, limits: list[Any], unit: str) -> tuple[str, str]:
    """The value next to the one given that passes every limit, and how far away it lies."""
    if must_be in ("is_true", "is_false"):
        return units.readable(must_be == "is_true", "flag", "zh"), units.readable(must_be == "is_true", "flag", "en")
    if isinstance(given, date) and must_be in ("one_of", "none_of"):
        return _nearest_day(must_be, given, limits)
    if must_be == "one_of":
        both = sorted(set.intersection(*map(set, limits)))
        return "、".join(both) or "无", " or ".join(both) or "none"
    if must_be == "none_of":
        banned = sorted(set.union(*map(set, limits)))
        return f"除 {'、'.join(banned)} 以外", f"anything but {', '.join(banned)}"
    limit = min(limits) if must_be == "at_most" else max(limits)
    zh, en = units.readable(limit, unit, "zh"), units.readable(limit, unit, "en")
    away = abs(given - limit)
    if isinstance(away, timedelta):
        if unit != "date":
            return zh, en
        return f"{zh}（相差 {away.days} 日）", f"{en} ({away.days} days away)"
    if unit == "second_of_day":
        return zh, en
    return f"{zh}（相差 {units.readable(away, unit, 'zh')}）", f"{en} ({units.readable(away, unit, 'en')} away)"


def _nearest_day(must_be: str, given: date, calendars: list[Any]) -> tuple[str, str]:
    """The day nearest to the one given that every calendar admits; the later of two that are equally near."""
    for away in range(1, 3660):
        for day in (given + timedelta(days=away), given - timedelta(days=away)):
            if all((day in known) == (must_be == "one_of") for known in calendars):
                return f"{day}（相差 {away} 日）", f"{day} ({away} days away)"
    return "无", "none"


def _not_here(ruleset: RuleSet, rule: Rule, case: Facts) -> RuleStatus:
    """Why the plan has no such rule: it is for other training, or nothing is regulated here."""
    for condition in rule.conditions:
        if condition.fact in ("sector", "stage", "delivery"):
            wanted = _wanted(ruleset, condition, case)
            if getattr(case.scope, condition.fact) not in wanted:
                return _unmet(rule, condition, getattr(case.scope, condition.fact), wanted)
    value = ruleset.value(rule.parameter, case.scope, case.date_for(ruleset.parameters[rule.parameter].governed_by))
    return RuleStatus(
        **_named(rule),
        status="not_applicable",
        reason_zh=value.reason_if_none_zh or "该要求在此未启用",
        reason_en=value.reason_if_none or "the parameter does not ask for it here",
    )


def _other_case(ruleset: RuleSet, gate: Gate, rule: Rule, case: Facts) -> RuleStatus:
    for condition in rule.conditions:
        given = VOCABULARY[gate][condition.fact].read(case)
        wanted = _wanted(ruleset, condition, case)
        if given not in wanted:
            return _unmet(rule, condition, given, wanted)
    return RuleStatus(
        **_named(rule), status="not_applicable", reason_zh="所定条件不成立", reason_en="its conditions are not met"
    )


def _unmet(rule: Rule, condition: Condition, given: Any, wanted: frozenset[Any]) -> RuleStatus:
    listed = ", ".join(sorted(str(item).lower() if isinstance(item, bool) else str(item) for item in wanted))
    shown = str(given).lower() if isinstance(given, bool) else given
    return RuleStatus(
        **_named(rule),
        status="not_applicable",
        reason_zh=f"{condition.fact} 为 {shown}，本规则只适用于 {listed or '（无）'}",
        reason_en=f"{condition.fact} is {shown}; this rule is about {listed or 'nothing here'}",
    )


def _wanted(ruleset: RuleSet, condition: Condition, case: Facts) -> frozenset[Any]:
    if condition.values is not None:
        return condition.values
    name = condition.parameter or ""
    value = ruleset.value(name, case.scope, case.date_for(ruleset.parameters[name].governed_by)).value
    return frozenset(value) if isinstance(value, tuple) else frozenset() if value is None else frozenset([value])


def _untold(rule: Rule, fact: str) -> RuleStatus:
    return RuleStatus(
        **_named(rule),
        status="not_evaluated",
        reason_zh=f"未提供事实 {fact}",
        reason_en=f"the fact {fact} was not told",
        missing=fact,
    )


def _lifted(rule: Rule, lift: Lift) -> RuleStatus:
    return RuleStatus(
        **_named(rule),
        status="not_applicable",
        reason_zh=f"适用例外 {lift.exception}：{lift.title_zh}（{lift.source}）",
        reason_en=f"lifted by the exception {lift.exception}: {lift.title_en} ({lift.source})",
    )


def _does_not_arise(rule: Rule) -> RuleStatus:
    fact = rule.limit_fact or rule.fact
    return RuleStatus(
        **_named(rule),
        status="not_applicable",
        reason_zh=f"本案无 {fact} 之事实",
        reason_en=f"{fact} does not arise in this case",
    )


def _left_open(rule: Rule) -> RuleStatus:
    return RuleStatus(
        **_named(rule),
        status="not_applicable",
        reason_zh=f"{rule.parameter} 的表格对本案未作规定",
        reason_en=f"the table {rule.parameter} has no value for this case",
    )


def _undecided(ruleset: RuleSet, gate: Gate, case: Facts) -> Iterator[RuleStatus]:
    plan = judge.compile_plan(ruleset.assembly, gate, case.scope, _dates(case))
    parameters = {rule.id: rule.parameter for rule in ruleset.assembly.undecided}
    jurisdictions = {rule.id: rule.jurisdiction for rule in ruleset.assembly.undecided}
    for item in plan.undecided:
        try:
            applies = item.applies is None or item.applies(case)
        except AttributeError as error:
            if not _is_missing_fact(error, case):
                raise
            applies = True
        if applies:
            note = item.note
            yield RuleStatus(
                note.rule, jurisdictions[note.rule], "", parameters[note.rule], "", "not_evaluated",
                reason_zh=note.reason_zh, reason_en=note.reason_en,
            )  # fmt: skip


def _named(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "jurisdiction": rule.jurisdiction,
        "requirement": rule.requirement,
        "parameter": rule.parameter,
        "fact": rule.fact,
    }


def _dates(case: Facts) -> dict[GovernedBy, date]:
    return {governed_by: case.date_for(governed_by) for governed_by in get_args(GovernedBy)}


def _is_missing_fact(error: AttributeError, case: Facts) -> bool:
    """Whether a fact was asked for that the case was built without, not something nobody has."""
    return str(error.name or error) in cast("Any", type(case)).__slots__
