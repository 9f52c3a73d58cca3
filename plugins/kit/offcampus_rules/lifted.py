"""What national exceptions lift: the limits that are left, and which exceptions made a difference in a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from offcampus_rules import ladders
from offcampus_rules.decision import ExceptionApplied
from offcampus_rules.ladders import Test
from offcampus_rules.plans import CompiledRule, Lift


class Lifted(NamedTuple):
    """What of a rule an exception lifts in the cases of a screen."""

    lift: Lift
    item: CompiledRule
    tests: tuple[Test, ...]


def lifted(rules: Iterable[CompiledRule], case: Any) -> Iterator[Lifted]:
    """The limits that exceptions lift in the cases of a screen."""
    for item in rules:
        for lift in item.lifts:
            checks = tuple(check for check in item.checks if check.value.region in lift.regions)
            if checks and lift.holds(case):
                part = replace(item, checks=checks, lifts=())
                yield Lifted(lift, item, tuple(ladders.tests((part,))))


def left(rules: Iterable[CompiledRule], case: Any) -> Iterator[CompiledRule]:
    """The rules with the limits that exceptions leave; a rule that is lifted whole is gone, whatever nobody told."""
    for item in rules:
        gone = frozenset[str]().union(*(lift.regions for lift in item.lifts if lift.holds(case)))
        checks = tuple(check for check in item.checks if check.value.region not in gone)
        if checks:
            yield item if len(checks) == len(item.checks) else replace(item, checks=checks)


def applied(found: Iterable[Lifted], case: Any) -> Iterator[ExceptionApplied]:
    """The exceptions that made a difference: without them a limit would be broken."""
    rules: dict[tuple[str, str], list[str]] = {}
    lifts: dict[tuple[str, str], Lift] = {}
    for lift, item, tests in found:
        given = item.fact.read(case)
        if given is not None and any(True for test in tests for _ in test.broken(given, case)):
            key = (lift.exception, lift.region)
            lifts[key] = lift
            rules.setdefault(key, []).append(item.rule.id)
    for key in sorted(rules):
        lift = lifts[key]
        names = tuple(sorted(set(rules[key])))
        yield ExceptionApplied(
            lift.exception, lift.title_zh, lift.title_en, names, lift.region, lift.basis, lift.source
        )
