"""The rules of a region on one's own machine: an order, a course or a lesson judged as the platform will judge it.

    rules = Rules("110105")
    verdict = rules.order(order, course, signed_on="2026-08-14")

Needs the extra `offcampus-sdk[rules]` and the region's plugin (`offcampus-rules-beijing`, …). `versions` names what is
installed; the platform's `/v1/capabilities` names what is in force there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from offcampus_rules import Decision, OpenOrder, RuleSet, documents, load_ruleset

from offcampus_sdk.checking import Verdict, check, verdict

Record = msgspec.Struct | Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """The rules in force in a region. Raises RuleSetError when no national rules are installed."""

    region_code: str
    ruleset: RuleSet | None = None

    @property
    def versions(self) -> dict[str, str]:
        """The installed plugins and their versions."""
        return {info.distribution: info.version for info in self._rules.plugins}

    def order(
        self, order: Record, course: Record, *, signed_on: date | str, open_orders: Sequence[OpenOrder] = (),
        lease_until: date | None = None,
    ) -> Verdict:  # fmt: skip
        """An order of a course.

        Args:
            signed_on: the day of the contract; its law governs.
            open_orders: the pupil's other open orders of the subject here, as the product knows them.
            lease_until: until when the campus is leased.
        """
        sent = msgspec.to_builtins(order)
        if not (first := check("createOrder", sent)).fine:
            return first
        day = date.fromisoformat(signed_on) if isinstance(signed_on, str) else signed_on
        facts = documents.charge(sent, msgspec.to_builtins(course), self.region_code, day, open_orders, lease_until)
        return _of(self._rules.check_charge(facts))

    def course(self, course: Record, *, filed_on: date, lease_until: date | None = None) -> Verdict:
        """A course that is filed on a day."""
        sent = msgspec.to_builtins(course)
        if not (first := check("createCourse", sent)).fine:
            return first
        return _of(self._rules.check_course(documents.course_filing(sent, self.region_code, filed_on, lease_until)))

    def lesson(self, lesson: Record, course: Record) -> Verdict:
        """A lesson of a course."""
        sent = msgspec.to_builtins(lesson)
        if not (first := check("scheduleLessons", sent)).fine:
            return first
        return _of(self._rules.check_lesson(documents.lesson_plan(sent, msgspec.to_builtins(course), self.region_code)))

    @property
    def _rules(self) -> RuleSet:
        return self.ruleset or load_ruleset()


def _of(decision: Decision) -> Verdict:
    if decision.outcome == "allow":
        return Verdict()
    if decision.outcome == "refuse":
        return verdict("rules.refused", [documents.violation_of(entry) for entry in decision.violations])
    return Verdict("rules.unavailable")
