"""Rules as data: `fact must be at_most parameter`, with a condition, a code and the requirement it serves.

A rule file says WHAT is compared; the parameter gives the limit, its dates and its source; the catalogue has the words.
Reading a file checks every name against the kit's vocabulary, so that a misspelt fact fails at load, not at a charge.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from offcampus_rules import units
from offcampus_rules.errors import FileProblem
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.nearest import known_or_near
from offcampus_rules.parameters import Parameter
from offcampus_rules.validation import valid_shape
from offcampus_rules.yaml12 import Document, Path12

Gate = Literal["charge", "course", "lesson", "staff", "consumption", "release", "refund_refusal", "list_change", "risk"]
"""Where rules are judged. `risk` is no gate but the same judging: a broken limit is a sign of risk."""
Comparison = Literal["at_most", "at_least", "one_of", "none_of", "is_true", "is_false"]


@dataclass(frozen=True, slots=True)
class Condition:
    """`fact` is one of `values`, or one of what `parameter` lists on the day."""

    fact: str
    values: frozenset[Any] | None
    parameter: str | None


@dataclass(frozen=True, slots=True)
class ForEach:
    """A limit for one unit becomes a limit for all: `fact` in minutes, a unit being `of` (a parameter) minutes long."""

    fact: str
    of: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison. `limit_fact`: the limit is another fact, as long as the parameter (a flag) is true.

    A table is read at the facts named like its axes, raised by `raised_by`, `for_each` of so many units (see `tabled`).
    """

    id: str
    gates: tuple[Gate, ...]
    fact: str
    must_be: Comparison
    parameter: str
    code: str
    requirement: str
    jurisdiction: str
    conditions: tuple[Condition, ...]
    measured_from: str | None = None
    back: bool = False
    limit_fact: str | None = None
    raised_by: str | None = None
    for_each: ForEach | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters its limit rests on."""
        more = (self.raised_by, self.for_each.of if self.for_each else None)
        return (self.parameter, *(name for name in more if name is not None))


@dataclass(frozen=True, slots=True)
class ObligationRule:
    """Something that must happen within the parameter's time after the day of a fact."""

    id: str
    gates: tuple[Gate, ...]
    parameter: str
    measured_from: str
    code: str
    requirement: str
    jurisdiction: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class UndecidedRule:
    """A rule the law has and this kit cannot judge (facts nobody supplies): decisions say so instead of passing it."""

    id: str
    gates: tuple[Gate, ...]
    parameter: str
    jurisdiction: str
    conditions: tuple[Condition, ...]
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class RuleFile:
    rules: tuple[Rule, ...]
    obligations: tuple[ObligationRule, ...]
    undecided: tuple[UndecidedRule, ...]
    document: Document

    def sections(self) -> tuple[tuple[str, tuple[Rule | ObligationRule | UndecidedRule, ...]], ...]:
        """The file's lists by the key they stand under."""
        return ("rules", self.rules), ("obligations", self.obligations), ("undecided", self.undecided)


def read(document: Document, jurisdiction: str) -> tuple[RuleFile | None, tuple[FileProblem, ...]]:
    """Read a rules file. Names are checked later, when all parameters and messages are known (`check_names`)."""
    if problems := valid_shape(document, "rules"):
        return None, problems
    content = cast("dict[str, list[dict[str, Any]]]", document.content)
    return (
        RuleFile(
            rules=tuple(_rule(item, jurisdiction) for item in content.get("rules", [])),
            obligations=tuple(_obligation(item, jurisdiction) for item in content.get("obligations", [])),
            undecided=tuple(_undecided(item, jurisdiction) for item in content.get("undecided", [])),
            document=document,
        ),
        (),
    )


def _rule(item: dict[str, Any], jurisdiction: str) -> Rule:
    return Rule(
        id=item["id"],
        gates=tuple(item["gates"]),
        fact=item["fact"],
        must_be=item["must_be"],
        parameter=item["parameter"],
        code=item["code"],
        requirement=item["requirement"],
        jurisdiction=jurisdiction,
        conditions=conditions_of(item),
        measured_from=item.get("measured_from"),
        back=item.get("counted") == "back",
        limit_fact=item.get("limit_fact"),
        raised_by=item.get("raised_by"),
        for_each=ForEach(**item["for_each"]) if "for_each" in item else None,
    )


def _obligation(item: dict[str, Any], jurisdiction: str) -> ObligationRule:
    return ObligationRule(
        id=item["id"],
        gates=tuple(item["gates"]),
        parameter=item["parameter"],
        measured_from=item["measured_from"],
        code=item["code"],
        requirement=item["requirement"],
        jurisdiction=jurisdiction,
        conditions=conditions_of(item),
    )


def _undecided(item: dict[str, Any], jurisdiction: str) -> UndecidedRule:
    return UndecidedRule(
        id=item["id"],
        gates=tuple(item["gates"]),
        parameter=item["parameter"],
        jurisdiction=jurisdiction,
        conditions=conditions_of(item),
        reason_zh=item["reason"]["zh"],
        reason_en=item["reason"]["en"],
    )


def conditions_of(item: dict[str, Any]) -> tuple[Condition, ...]:
    """What stands under `when`."""

    def one(fact: str, wanted: Any) -> Condition:
        if isinstance(wanted, dict):
            return Condition(fact, None, wanted["parameter"])
        return Condition(fact, frozenset(wanted if isinstance(wanted, list) else [wanted]), None)

    return tuple(one(fact, wanted) for fact, wanted in item.get("when", {}).items())


def check_names(file: RuleFile, parameters: Mapping[str, Parameter], codes: frozenset[str]) -> tuple[FileProblem, ...]:
    """Every parameter, fact and code a file names exists, and what is compared can be compared."""
    return tuple(_check_names(file, parameters, codes))


def _check_names(file: RuleFile, parameters: Mapping[str, Parameter], codes: frozenset[str]) -> Iterator[FileProblem]:
    for kind, items in file.sections():
        for index, item in enumerate(items):
            path: Path12 = (kind, index)
            if item.parameter not in parameters:
                yield _unknown(file, (*path, "parameter"), "parameter", "参数", item.parameter, parameters)
                continue
            code = getattr(item, "code", None)
            if code is not None and code not in codes:
                yield _unknown(file, (*path, "code"), "message code", "文案代码", code, codes)
            for gate in item.gates:
                yield from _check_facts(file, path, item, gate, parameters)


def _check_facts(
    file: RuleFile,
    path: Path12,
    item: Rule | ObligationRule | UndecidedRule,
    gate: Gate,
    parameters: Mapping[str, Parameter],
) -> Iterator[FileProblem]:
    known = VOCABULARY[gate]
    names = [(name, getattr(item, name, None)) for name in ("fact", "measured_from", "limit_fact")]
    names += [("when", condition.fact) for condition in item.conditions]
    if isinstance(item, Rule) and item.for_each is not None:
        names.append(("for_each", item.for_each.fact))
    missing = [(field, name) for field, name in names if name is not None and name not in known]
    for field, name in missing:
        yield _unknown(file, (*path, field), f"fact of the gate {gate}", f"{gate} 关口的事实", str(name), known)
    for condition in item.conditions:
        if condition.parameter is not None and condition.parameter not in parameters:
            yield _unknown(file, (*path, "when"), "parameter", "参数", condition.parameter, parameters)
    if isinstance(item, Rule):
        others = [name for name in item.parameters if name not in parameters]
        for name in others:
            yield _unknown(file, path, "parameter", "参数", name, parameters)
        missing += [("for_each", name) for name in others]
    if isinstance(item, Rule) and not missing and not _comparable(item, known, parameters):
        fact, parameter = known[item.fact], parameters[item.parameter]
        yield file.document.problem(
            path,
            "R-UNIT",
            f"{fact.name} ({fact.unit}) cannot be judged {item.must_be} by {parameter.id} ({parameter.unit})",
            f"事实 {fact.name}（{fact.unit}）不能用参数 {parameter.id}（{parameter.unit}）按 {item.must_be} 判定",
        )


def _comparable(rule: Rule, known: Mapping[str, Fact], parameters: Mapping[str, Parameter]) -> bool:
    fact, parameter = known[rule.fact], parameters[rule.parameter]
    if parameter.unit == "table":
        return _readable(rule, known, parameters)
    if rule.raised_by is not None or rule.for_each is not None:
        return False
    if rule.limit_fact is not None:
        ordered = rule.must_be in ("at_most", "at_least")
        return parameter.unit == "flag" and ordered and known[rule.limit_fact].unit == fact.unit
    if parameter.unit not in units.COMPARABLE[fact.unit]:
        return False
    if parameter.unit in units.DURATIONS:
        start = known.get(rule.measured_from or "")
        return start is not None and start.unit == "date" and not (rule.back and parameter.unit == "working_days")
    if fact.unit == "flag":
        return rule.must_be in ("is_true", "is_false")
    return parameter.unit != "flag" and rule.must_be in _ways(parameter)


def _ways(parameter: Parameter) -> tuple[Comparison, ...]:
    """How a fact can be held against a parameter's values: sets, numbers, options with an order both ways."""
    among: tuple[Comparison, ...] = ("one_of", "none_of")
    ordered: tuple[Comparison, ...] = ("at_most", "at_least")
    if parameter.unit == "option" and parameter.order:
        return (*among, *ordered)
    return among if parameter.unit in ("option", "options", "dates") else ordered


def _readable(rule: Rule, known: Mapping[str, Fact], parameters: Mapping[str, Parameter]) -> bool:
    """Whether the gate has a fact for each axis of the table, and its cells are what the fact is compared with."""
    table = parameters[rule.parameter]
    axes = [(known.get(axis.name), axis.bands or "option") for axis in table.axes]
    return (
        rule.must_be in ("at_most", "at_least")
        and rule.measured_from is None
        and table.of in units.COMPARABLE[known[rule.fact].unit]
        and all(fact is not None and fact.unit == unit for fact, unit in axes)
        and (rule.raised_by is None or parameters[rule.raised_by].unit == "ppm")
        and (rule.for_each is None or parameters[rule.for_each.of].unit == "minutes")
        and (rule.for_each is None or known[rule.for_each.fact].unit == "centi_minutes")
    )


def _unknown(
    file: RuleFile, path: Path12, what: str, what_zh: str, name: str, known: Mapping[str, object] | frozenset[str]
) -> FileProblem:
    en, zh = known_or_near(name, known)
    return file.document.problem(path, "R-NAME", f"{name} is no {what}; {en}", f"{name} 不是已知的{what_zh}；{zh}")


PASSES: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    "at_most": operator.le,
    "at_least": operator.ge,
    "one_of": lambda given, limit: given in limit,
    "none_of": lambda given, limit: given not in limit,
    "is_true": lambda given, _: given is True,
    "is_false": lambda given, _: given is False,
}
"""All limits are inclusive: 不得超过 lets the number itself pass (rules_national, boundary notes)."""
