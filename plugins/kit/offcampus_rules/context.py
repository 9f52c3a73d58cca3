"""The facts a rule may look at: one frozen dataclass per decision (M-07.3, M-14.1, M-18.2).

Invariants
- Plain values only: no session, no clock, no file. The same facts give the same decision, for ever.
- Money is integer fen, hours are integer hundredths of a class hour (`*_centi`), instants carry an offset.
- A date is a Shanghai calendar day. Which date selects the law is declared by each parameter (`governed_by`)
  and answered by the context's `date_for`: what was agreed follows the contract's date, what happened follows its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, get_args

from offcampus_rules.calendar import shanghai_date

Sector = Literal["academic", "sport", "art_culture", "sci_tech", "comprehensive_practice"]
Stage = Literal["preschool_3_6", "compulsory", "senior_high", "secondary_vocational"]
Delivery = Literal["offline", "online"]
ChargeMethod = Literal["by_period", "by_hours", "both"]
ConsumptionType = Literal["lesson", "make_up", "absence", "forfeit", "reversal"]
ProofKind = Literal["roll_call", "card", "face_hash", "platform_log", "guardian_consent"]
RefundReason = Literal["guardian_choice", "institution_fault", "institution_closed", "illness", "move"]
GovernedBy = Literal["contract_date", "event_date", "report_date"]

SECTORS: tuple[str, ...] = get_args(Sector)
STAGES: tuple[str, ...] = get_args(Stage)
DELIVERIES: tuple[str, ...] = get_args(Delivery)

_REGION = re.compile(r"[0-9]{6}\Z")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and for whom: the key by which a value is found, together with a date.

    `region` is the six-digit division code of the institution's county (or the highest level that is known).
    Raises ValueError for a region that is not six digits or a sector, stage or delivery outside the lists above.
    """

    region: str
    sector: Sector
    stage: Stage
    delivery: Delivery

    def __post_init__(self) -> None:
        if not _REGION.match(self.region):
            raise ValueError(f"region must be six digits, got {self.region!r}")
        for name, value, known in (
            ("sector", self.sector, SECTORS),
            ("stage", self.stage, STAGES),
            ("delivery", self.delivery, DELIVERIES),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")


class Facts(Protocol):
    """What every context has in common."""

    @property
    def scope(self) -> Scope: ...

    def date_for(self, governed_by: GovernedBy) -> date: ...


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

    def __post_init__(self) -> None:
        require_aware(self.ordered_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.signed_on if governed_by == "contract_date" else shanghai_date(self.ordered_at)


@dataclass(frozen=True, slots=True)
class CourseFiling:
    """A course an institution wants to put on sale. `ends_on` is inclusive."""

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

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.filed_on


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """A lesson on the timetable. `break_before_minutes`: the pause since the pupils' lesson before it; None: first."""

    scope: Scope
    subject: str
    starts_at: datetime
    ends_at: datetime
    break_before_minutes: int | None = None

    def __post_init__(self) -> None:
        require_aware(self.starts_at, self.ends_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        return shanghai_date(self.starts_at)


@dataclass(frozen=True, slots=True)
class Consumption:
    """A consumption record as reported. `balance_centi` is what the order had left before it.

    `purchased_at` is when the order was paid; None: not paid yet (arrears). `reported_at` is the platform's own time.
    """

    scope: Scope
    subject: str
    type: ConsumptionType
    signed_on: date
    purchased_at: datetime | None
    occurred_from: datetime
    occurred_until: datetime
    reported_at: datetime
    class_hours_centi: int
    balance_centi: int
    minutes_per_class_hour: int
    proof_kind: ProofKind
    has_teacher: bool = True
    has_lesson: bool = True

    def __post_init__(self) -> None:
        require_aware(self.occurred_from, self.occurred_until, self.reported_at)
        if self.purchased_at is not None:
            require_aware(self.purchased_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        if governed_by == "contract_date":
            return self.signed_on
        return shanghai_date(self.reported_at if governed_by == "report_date" else self.occurred_from)


@dataclass(frozen=True, slots=True)
class Release:
    """A sum about to leave custody for the institution.

    `confirmed_centi` of `total_centi` hours are confirmed; `released_fen` (posted and pending) went before.
    `mode` is what the institution chose where the locality offers a choice (`per_lesson`, `per_month`); None: not told.
    """

    scope: Scope
    signed_on: date
    requested_at: datetime
    paid_fen: int
    released_fen: int
    amount_fen: int
    confirmed_centi: int
    total_centi: int
    mode: str | None = None

    def __post_init__(self) -> None:
        require_aware(self.requested_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.signed_on if governed_by == "contract_date" else shanghai_date(self.requested_at)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A taught lesson that waits for the guardian. `notified_at` None: no proof of notice, the clock stands still."""

    scope: Scope
    notified_at: datetime | None

    def __post_init__(self) -> None:
        if self.notified_at is not None:
            require_aware(self.notified_at)


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund that is asked for. `paid_at` starts the cooling-off days; None: the right is not examined.

    `consumed_centi` are the hours taught so far; `had_same_service`: the guardian's side had received the same service
    before, here or elsewhere (the exceptions of the cooling-off right).
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

    def __post_init__(self) -> None:
        require_aware(self.requested_at)
        if self.paid_at is not None:
            require_aware(self.paid_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        if governed_by == "contract_date" and self.signed_on is not None:
            return self.signed_on
        return shanghai_date(self.requested_at)


def require_aware(*instants: datetime) -> None:
    """Refuse a time without offset: it means another instant on another machine."""
    for instant in instants:
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs an offset, got {instant.isoformat()}")
