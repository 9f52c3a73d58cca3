"""Facts of what is offered and sold: a course to be filed, a pre-charge to be agreed, a price to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context.scope import Area, GovernedBy, ListStatus, Scope, require_aware

ChargeMethod = Literal["by_period", "by_hours", "both"]
FundLocation = Literal["reserve_only", "institution_custody", "contract_wallet", "payer_locked"]
DayForm = Literal["hourly", "half_day", "full_day"]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Another order of the same pupil at the same legal entity (any campus) that still has hours to teach."""

    order: str
    subject: str
    class_hours_centi: int
    gift_hours_centi: int = 0
    consumed_centi: int = 0

    @property
    def remaining_centi(self) -> int:
        """Hours still to be taught, gift hours included."""
        return self.class_hours_centi + self.gift_hours_centi - self.consumed_centi


@dataclass(frozen=True, slots=True)
class Charge:
    """One pre-charge that is about to be agreed.

    `signed_on` is the contract's date and governs what may be agreed; an extension is a new charge with its own date.
    `service_until` is exclusive. `renewal` says that hours are added to a course the pupil attends already; a new term
    or another course of the same subject is no renewal. `total_fen` is what is paid, `discount_fen` what was taken off
    the filed price. `venue_lease_until` is the last day of the lease; None: owned premises or online.
    `account_region` is the county of the account that is paid into; `pay_after_class`: nothing is paid in advance.
    `fund_location` is where the money will lie until it is earned.
    """

    scope: Scope
    subject: str
    signed_on: date
    ordered_at: datetime
    class_hours_centi: int
    gift_hours_centi: int
    total_fen: int
    service_from: date
    service_until: date
    charge_method: ChargeMethod
    discount_fen: int = 0
    renewal: bool = False
    training_loan: bool = False
    paid_in_cash: bool = False
    open_orders: tuple[OpenOrder, ...] = ()
    venue_lease_until: date | None = None
    pay_after_class: bool = False
    area: Area | None = None
    class_size: int | None = None
    minutes_per_class_hour: int | None = None
    list_status: ListStatus | None = None
    payee_is_custody_account: bool | None = None
    payee_gives_the_lessons: bool | None = None
    account_region: str | None = None
    holds_postpay_exemption: bool | None = None
    sale_suspended: bool | None = None
    fund_location: FundLocation | None = None

    def __post_init__(self) -> None:
        require_aware(self.ordered_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.signed_on if governed_by == "contract_date" else shanghai_date(self.ordered_at)


@dataclass(frozen=True, slots=True)
class CourseFiling:
    """A course an institution wants to put on sale. `ends_on` is inclusive.

    Areas are hundredths of a square metre. `site_floor` counts from 1; `venue_lease_until` None: owned or online.
    """

    scope: Scope
    subject: str
    filed_on: date
    starts_on: date
    ends_on: date
    class_hours_centi: int
    gift_hours_centi: int
    minutes_per_class_hour: int
    lesson_minutes: int
    total_fen: int
    charge_method: ChargeMethod
    class_size_max: int
    venue_lease_until: date | None = None
    area: Area | None = None
    list_status: ListStatus | None = None
    day_form: DayForm | None = None
    area_per_pupil_centi_m2: int | None = None
    site_area_centi_m2: int | None = None
    teaching_area_ppm: int | None = None
    site_floor: int | None = None
    teachers_per_class: int | None = None
    material_filed: bool | None = None
    sale_suspended: bool | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.filed_on


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """What a course may cost at most: asked with what the price tables are keyed by. `asked_on` governs everything."""

    scope: Scope
    asked_on: date
    class_hours_centi: int
    minutes_per_class_hour: int
    class_size: int
    area: Area | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.asked_on
