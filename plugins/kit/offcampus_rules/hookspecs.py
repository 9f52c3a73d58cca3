"""The hooks a plugin may write in Python when data cannot say it (design/rules, "Hooks").

A hook is a pure function of one frozen `Case`; it may only ADD findings or PROPOSE values, which the kit meets with
what data says. pluggy marks hooks and checks their names and signatures; the kit makes the calls, one plugin at a time,
because stock pluggy lets a wrapper drop others' findings, forgets a missing return, and loses everybody's findings
with one exception. How answers combine and what a failure means stands in `hook_table`; what may be returned, in
`findings`; how a module is admitted, in `hook_loading`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pluggy

from offcampus_rules.context import (
    Charge,
    Confirmation,
    Consumption,
    CourseFiling,
    InstitutionWindow,
    InstitutionYear,
    LessonPlan,
    ListChange,
    ListReview,
    PriceRequest,
    RefundRefusal,
    RefundRequest,
    Release,
    ReleasePlanRequest,
    ReserveCase,
    StaffRecord,
)
from offcampus_rules.decision import Value
from offcampus_rules.findings import (
    CreditFactor,
    FieldSpec,
    Finding,
    Findings,
    Indicator,
    LastDay,
    ListProposal,
    PlanProposal,
    PlanStep,
    RefundProposal,
    Sum,
    WarningLevel,
)

PROJECT = "offcampus_rules"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

FactsT = TypeVar("FactsT")
Hook = Callable[..., Any]

__all__ = [
    "Case",
    "CreditFactor",
    "FieldSpec",
    "Finding",
    "Findings",
    "Hooks",
    "Indicator",
    "LastDay",
    "ListProposal",
    "PlanProposal",
    "PlanStep",
    "RefundProposal",
    "Sum",
    "WarningLevel",
    "hookimpl",
]


@dataclass(frozen=True, slots=True)
class Case(Generic[FactsT]):
    """What a hook sees: the facts, and every parameter's effective value at the case's place and date."""

    facts: FactsT
    value: Callable[[str], Value]


class Hooks:
    """Every hook. An empty tuple means that there is nothing to add; None is an error."""

    @hookspec
    def check_charge(self, case: Case[Charge]) -> Findings:  # type: ignore[empty-body]
        """A pre-charge that is about to be agreed (M-07.3)."""

    @hookspec
    def check_course(self, case: Case[CourseFiling]) -> Findings:  # type: ignore[empty-body]
        """A course that is to go on sale (M-07.4)."""

    @hookspec
    def check_lesson(self, case: Case[LessonPlan]) -> Findings:  # type: ignore[empty-body]
        """A lesson on the timetable: its time and place."""

    @hookspec
    def check_staff(self, case: Case[StaffRecord]) -> Findings:  # type: ignore[empty-body]
        """A person an institution has or wants."""

    @hookspec
    def check_consumption(self, case: Case[Consumption]) -> Findings:  # type: ignore[empty-body]
        """A consumption record as reported (M-07.2)."""

    @hookspec
    def check_release(self, case: Case[Release]) -> Findings:  # type: ignore[empty-body]
        """A sum about to leave custody (M-18.1)."""

    @hookspec
    def check_refund_refusal(self, case: Case[RefundRefusal]) -> Findings:  # type: ignore[empty-body]
        """An institution that wants to say no to a refund: a finding forbids the refusal (M-18.2)."""

    @hookspec
    def check_list_change(self, case: Case[ListChange]) -> Findings:  # type: ignore[empty-body]
        """A change of an institution's list status."""

    @hookspec
    def confirmation_due(self, case: Case[Confirmation]) -> tuple[LastDay, ...]:  # type: ignore[empty-body]
        """When silence confirms a lesson; a proposal can only postpone it."""

    @hookspec
    def release_plan(self, case: Case[ReleasePlanRequest]) -> tuple[PlanProposal, ...]:  # type: ignore[empty-body]
        """How an order's money leaves custody; a proposal can only slow it down."""

    @hookspec
    def refund_terms(self, case: Case[RefundRequest]) -> tuple[RefundProposal, ...]:  # type: ignore[empty-body]
        """What a refund comes to and by when it is paid; a proposal can only add to it or hasten it."""

    @hookspec
    def price_limit(self, case: Case[PriceRequest]) -> tuple[Sum, ...]:  # type: ignore[empty-body]
        """What a course may cost in all; a proposal can only lower it."""

    @hookspec
    def reserve_required(self, case: Case[ReserveCase]) -> tuple[Sum, ...]:  # type: ignore[empty-body]
        """What must be kept aside; a proposal can only raise it."""

    @hookspec
    def risk_indicators(self, case: Case[InstitutionWindow]) -> tuple[Indicator, ...]:  # type: ignore[empty-body]
        """Signs of risk in an institution's figures; of one id the gravest counts."""

    @hookspec
    def credit_factors(self, case: Case[InstitutionYear]) -> tuple[CreditFactor, ...]:  # type: ignore[empty-body]
        """Points for the credit grading; of one id the fewest count."""

    @hookspec
    def list_transitions(self, case: Case[ListReview]) -> tuple[ListProposal, ...]:  # type: ignore[empty-body]
        """List statuses somebody should look at."""

    @hookspec
    def disclosure_fields(self) -> tuple[FieldSpec, ...]:  # type: ignore[empty-body]
        """Fields the province publishes or asks for, as JSON Schemas; read once at load."""

    @hookspec
    def warning_levels(self) -> tuple[WarningLevel, ...]:  # type: ignore[empty-body]
        """The province's levels of warning; read once at load."""


RETURNS: dict[str, type[Any]] = {
    **dict.fromkeys((name for name in vars(Hooks) if name.startswith("check_")), Finding),
    "confirmation_due": LastDay,
    "release_plan": PlanProposal,
    "refund_terms": RefundProposal,
    "price_limit": Sum,
    "reserve_required": Sum,
    "risk_indicators": Indicator,
    "credit_factors": CreditFactor,
    "list_transitions": ListProposal,
    "disclosure_fields": FieldSpec,
    "warning_levels": WarningLevel,
}
"""What the items of each hook's tuple are."""
