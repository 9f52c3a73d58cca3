"""Facts of the money in custody: what is to leave it, how it would leave it, what goes back, what is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context.scope import GovernedBy, Scope, require_aware

RefundReason = Literal["guardian_choice", "institution_fault", "institution_closed", "illness", "move"]
RefusalGround = Literal[
    "custody", "hours_taught", "contract_terms", "promotion", "expired", "discount", "no_money", "other"
]


@dataclass(frozen=True, slots=True)
class Release:
    """A sum about to leave custody for the institution.

    `confirmed_centi` of `total_centi` hours are confirmed; `released_fen` (posted and pending) went before.
    `priced_fen` is what the confirmed hours cost by the order's own price table; None: every hour costs the same.
    `mode` is what the institution chose where the locality offers a choice (`per_lesson`, `per_month`); None: not told.
    `custody_after_fen` and `unconsumed_after_fen` are the institution's sums once this release is booked.
    `last_taught_on` is the day of the order's last lesson; `elapsed_months` are begun months since the course started.
    """

    scope: Scope
    signed_on: date
    requested_at: datetime
    paid_fen: int
    released_fen: int
    amount_fen: int
    confirmed_centi: int
    total_centi: int
    priced_fen: int | None = None
    mode: str | None = None
    custody_after_fen: int | None = None
    unconsumed_after_fen: int | None = None
    last_lesson_done: bool | None = None
    last_taught_on: date | None = None
    elapsed_months: int | None = None
    dispute_open: bool | None = None
    in_custody: bool | None = None
    confirmed_by_guardian: bool | None = None
    pay_to_basic_account: bool | None = None

    def __post_init__(self) -> None:
        require_aware(self.requested_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.signed_on if governed_by == "contract_date" else shanghai_date(self.requested_at)


@dataclass(frozen=True, slots=True)
class ReleasePlanRequest:
    """An order whose way out of custody is asked for. `mode`: the institution's choice where there is one.

    `service_until` is exclusive. `total_centi` counts every hour that carries money.
    """

    scope: Scope
    signed_on: date
    paid_fen: int
    total_centi: int
    service_from: date
    service_until: date
    mode: str | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.signed_on


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund that is asked for. `paid_at` starts the cooling-off days; None: the right is not examined.

    `consumed_centi` are the hours taught so far; `had_same_service`: the guardian's side had received the same service
    before, here or elsewhere (the exceptions of the cooling-off right). `class_hours_centi` (paid hours), with
    `gift_hours_centi`, lets the sum be worked out; None: only the deadlines are asked for.
    """

    scope: Scope
    requested_at: datetime
    before_start: bool
    total_fen: int
    released_fen: int = 0
    consumed_centi: int = 0
    signed_on: date | None = None
    paid_at: datetime | None = None
    had_same_service: bool = False
    reason: RefundReason = "guardian_choice"
    class_hours_centi: int | None = None
    gift_hours_centi: int = 0
    filed_price_fen: int | None = None

    def __post_init__(self) -> None:
        require_aware(self.requested_at)
        if self.paid_at is not None:
            require_aware(self.paid_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        if governed_by == "contract_date" and self.signed_on is not None:
            return self.signed_on
        return shanghai_date(self.requested_at)


@dataclass(frozen=True, slots=True)
class RefundRefusal:
    """An institution that wants to say no to a refund, or to part of it.

    `hours_proof`: it showed the records of the hours it says were taught. `unconsumed_centi` are hours nobody disputes.
    """

    scope: Scope
    requested_at: datetime
    refused_at: datetime
    ground: RefusalGround
    hours_proof: bool
    before_start: bool
    unconsumed_centi: int
    institution_at_fault: bool | None = None
    signed_on: date | None = None

    def __post_init__(self) -> None:
        require_aware(self.requested_at, self.refused_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        if governed_by == "contract_date" and self.signed_on is not None:
            return self.signed_on
        return shanghai_date(self.refused_at if governed_by == "report_date" else self.requested_at)


@dataclass(frozen=True, slots=True)
class ReserveCase:
    """What an institution must keep aside on a day. `period_fees_fen`: all pupils' fees of one charging period."""

    scope: Scope
    asked_on: date
    period_fees_fen: int
    unconsumed_fen: int
    legacy_unconsumed_fen: int = 0

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.asked_on
