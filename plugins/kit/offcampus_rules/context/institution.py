"""Facts of an institution over time: its place on the lists, a window of its figures, a year to be graded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from offcampus_rules.context.scope import GovernedBy, ListStatus, Scope


@dataclass(frozen=True, slots=True)
class ListChange:
    """A change of an institution's list status that somebody wants to enter.

    `removed_on` is the day it left the white list; `rectified`: what was asked for has been put right.
    """

    scope: Scope
    changed_on: date
    before: ListStatus
    to: ListStatus
    removed_on: date | None = None
    rectified: bool | None = None
    closed: bool | None = None
    still_selling: bool | None = None
    told_in_writing: bool | None = None
    refunds_open: int | None = None
    closure_announced_on: date | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.changed_on


@dataclass(frozen=True, slots=True)
class ListReview:
    """A look at an institution's place on the lists; `removed_on` is the day it left the white list."""

    scope: Scope
    asked_on: date
    status: ListStatus
    removed_on: date | None = None
    rectified: bool = False
    closed: bool = False

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.asked_on


@dataclass(frozen=True, slots=True)
class InstitutionWindow:
    """An institution's figures over the days from `since` to `until` (exclusive); None: not known.

    Drops and growth compare with the window of equal length before. Ratios are parts per million.
    """

    scope: Scope
    since: date
    until: date
    custody_balance_fen: int | None = None
    unconsumed_fen: int | None = None
    outflow_fen: int | None = None
    outflow_day_max_fen: int | None = None
    outflow_share_ppm: int | None = None
    charges_fen: int | None = None
    charge_growth_ppm: int | None = None
    unit_price_drop_ppm: int | None = None
    prepaid_share_of_capital_ppm: int | None = None
    lessons: int | None = None
    lesson_drop_ppm: int | None = None
    teacher_exit_ppm: int | None = None
    auto_confirmed_ppm: int | None = None
    attendance_without_order_ppm: int | None = None
    gift_hours_ppm: int | None = None
    refunds_overdue: int | None = None
    complaints: int | None = None
    capital_drop_ppm: int | None = None
    owner_changed: bool | None = None
    payee_changed: bool | None = None
    list_status: ListStatus | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.until


@dataclass(frozen=True, slots=True)
class FactorScore:
    """How an institution did in one factor of the credit grading: points out of a million."""

    factor: str
    score_ppm: int


@dataclass(frozen=True, slots=True)
class InstitutionYear:
    """A year of an institution that is to be graded. `vetoes` are events of the year that bar a good grade."""

    scope: Scope
    year_end: date
    scores: tuple[FactorScore, ...]
    vetoes: tuple[str, ...] = ()

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.year_end
