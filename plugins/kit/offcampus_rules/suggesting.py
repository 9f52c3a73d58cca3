"""Finds a case that tells two rule sets apart, and writes it as it would stand in a case file.

First the plain question for the value, on the days and for the kinds of training where the change shows; then, for
limits that a stricter value of another level hides from that question, whole decisions: a known case with one fact
brought to the limit. What is suggested was asked of both rule sets and answered differently.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, get_args

from offcampus_rules import effective, judge
from offcampus_rules.asked import AskedCase
from offcampus_rules.asking import answer
from offcampus_rules.context import GovernedBy, Scope
from offcampus_rules.decision import Decision, Raw, Value, plain_raw
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.mutants import Mutant
from offcampus_rules.parameters import ParameterFile
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.tables import Coordinate, Table
from offcampus_rules.testing import observed
from offcampus_rules.yaml12 import Document

_ONE_DAY = timedelta(days=1)


def telling_apart(
    ruleset: RuleSet, tried: RuleSet, file: ParameterFile, mutant: Mutant, cases: Sequence[AskedCase]
) -> str:
    """A case of `ruleset` that `tried` would fail, as YAML; empty when no question tells them apart."""
    hidden = ""
    for scope, day in _places(file, mutant):
        before, after = (each.value(file.id, scope, day) for each in (ruleset, tried))
        if _seen(before) != _seen(after):
            return _value_case(file.id, scope, day, before, after)
        if not hidden and _limits(ruleset, file.id, scope, day) != _limits(tried, file.id, scope, day):
            hidden = (
                f"# {file.id} at {scope.region} on {day} is hidden by another level that is as strict "
                f"({'/'.join((scope.sector, scope.stage, scope.delivery))}): "
                "write a case of a gate that breaks it there, and expect its `levels`"
            )
    if not hidden or not any(rule.parameter == file.id for rule in ruleset.assembly.rules):
        return ""
    return next(_gate_cases(ruleset, tried, file.id, cases), hidden)


def _places(file: ParameterFile, mutant: Mutant) -> Iterator[tuple[Scope, date]]:
    """Where the change can show: every kind of training, on the days at which anything of the file changes."""
    days: set[date] = set()
    if isinstance(mutant.changed, Document):
        for item in mutant.changed.content["values"]:
            days |= {date.fromisoformat(item[key]) for key in ("from", "until") if key in item}
    for entry in file.entries:
        days |= {day for day in (entry.since, entry.until) if day is not None}
    first = file.entries[mutant.entry]
    order = sorted(days | {day - _ONE_DAY for day in days}, key=lambda day: (day != first.since, day))
    known = {cell for entry in file.entries for cell in entry.cells}
    cells = sorted(known, key=lambda cell: (cell not in first.cells, cell))
    for day in order:
        for cell in cells:
            yield Scope(first.region, *cell), day  # type: ignore[arg-type]  # cells come from the lists Scope checks


def _seen(value: Value) -> tuple[object, ...]:
    return value.value, value.unit, value.level, value.source


def _limits(ruleset: RuleSet, parameter: str, scope: Scope, day: date) -> list[tuple[object, ...]]:
    """What each level demands there; the words of a refusal show all of it."""
    definition = ruleset.parameters[parameter]
    entries = effective.binding(definition, ruleset.assembly.entries[parameter], scope, day)
    return [(entry.region, entry.value, entry.unit, entry.source) for entry in entries]


def _value_case(parameter: str, scope: Scope, day: date, before: Value, after: Value) -> str:
    facts: dict[str, Any] = {"parameter": parameter, "day": day.isoformat(), "scope": dataclasses.asdict(scope)}
    expect: dict[str, Any] = {"value": plain_raw(before.value)}
    if (cell := _cell(before.value, after.value)) is not None:
        facts["at"], name = cell, f"{parameter} on {day} at {', '.join(map(str, cell.values()))}"
        return _yaml(name, "value", facts, {"value": plain_raw(before.at(**cell).value)})
    if before.value == after.value:
        expect["level"] = before.level
        if before.level == after.level and before.source is not None:
            expect["message_contains"] = [before.source.number or before.source.document]
    return _yaml(f"{parameter} on {day}", "value", facts, expect)


def _cell(before: Raw, after: Raw) -> dict[str, int | str] | None:
    """The place in which two tables differ; None when they do not, or when there is no table on one side."""
    if not isinstance(before, Table) or not isinstance(after, Table):
        return None
    for row in (*before.rows, *after.rows):
        ends = [_ends(coordinate) for coordinate in row.at]
        for point in product(*ends):
            cell = dict(zip(before.axes, point, strict=True))
            one, other = before.row(**cell), after.row(**cell)
            if (one and one.value) != (other and other.value):
                return cell
    return None


def _ends(coordinate: Coordinate) -> tuple[int | str, ...]:
    if isinstance(coordinate, str):
        return (coordinate,)
    return tuple(end for end in (coordinate.low, coordinate.high) if end is not None) or (coordinate.sample,)


def _gate_cases(ruleset: RuleSet, tried: RuleSet, parameter: str, cases: Iterable[AskedCase]) -> Iterator[str]:
    for case in cases:
        if not isinstance(case.answer, Decision):
            continue
        for name, value in _at_the_limit(ruleset, tried, parameter, case):
            facts = dataclasses.replace(case.facts, **{name: value})
            before, after = (observed(answer(each, facts)) for each in (ruleset, tried))
            if before != after:
                plain = {**case.case.facts, name: value.isoformat() if isinstance(value, date) else value}
                expect: dict[str, Any] = {
                    key: before[key] for key in ("outcome", "violated", "levels") if key in before
                }
                yield _yaml(f"{parameter} at its limit ({name})", case.case.question, plain, expect)


def _at_the_limit(
    ruleset: RuleSet, tried: RuleSet, parameter: str, case: AskedCase
) -> Iterator[tuple[str, int | date | datetime]]:
    """One fact of the case moved so that what is judged stands at the limit, or one step beyond on either side."""
    dates: Mapping[GovernedBy, date] = {name: case.facts.date_for(name) for name in get_args(GovernedBy)}
    for each in (ruleset, tried):
        plan = judge.compile_plan(each.assembly, case.case.question, case.scope, dates)  # type: ignore[arg-type]
        for item in plan.rules:
            if item.rule.parameter != parameter:
                continue
            fact = VOCABULARY[case.case.question][item.rule.fact]
            for check in item.checks:
                limit = check.limit(case.facts)
                for step in (0, 1, -1):
                    yield from _moved(case.facts, fact, limit, step)


def _moved(facts: Any, fact: Fact, limit: Any, step: int) -> Iterator[tuple[str, Any]]:
    """Facts that stand so many units from the limit when one plain member of them is changed."""
    given: Any = fact.read(facts)
    if isinstance(given, bool) or type(given) is not type(limit) or not isinstance(given, int | date):
        return
    target = limit + (step if isinstance(given, int) else timedelta(days=step))
    for field in dataclasses.fields(facts):
        known = getattr(facts, field.name)
        if isinstance(known, bool) or not isinstance(known, int | date):
            continue
        distance = target - given
        if isinstance(distance, int) and isinstance(known, date):
            distance = timedelta(seconds=distance) if isinstance(known, datetime) else timedelta(days=distance)
        if isinstance(distance, timedelta) and isinstance(known, int):
            continue
        try:
            moved = dataclasses.replace(facts, **{field.name: known + distance})
        except (ValueError, OverflowError):
            continue
        if fact.read(moved) == target:
            yield field.name, getattr(moved, field.name)


def _yaml(name: str, question: str, facts: Mapping[str, Any], expect: Mapping[str, Any]) -> str:
    """One case in the flow style that JSON and YAML share."""
    lines = (
        f"- name: {json.dumps(name, ensure_ascii=False)}",
        f"  ask: {question}",
        f"  facts: {json.dumps(facts, ensure_ascii=False)}",
        f"  expect: {json.dumps(expect, ensure_ascii=False)}",
    )
    return "\n".join(lines)
