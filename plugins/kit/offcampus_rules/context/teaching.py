"""Facts of what is taught: the lesson on the timetable, the consumption reported, who teaches, who confirms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context.scope import GovernedBy, Scope, require_aware

ConsumptionType = Literal["lesson", "make_up", "absence", "forfeit", "reversal"]
ProofKind = Literal["roll_call", "card", "face_hash", "platform_log", "guardian_consent"]
StaffRole = Literal["teaching", "research", "other"]
Qualification = Literal["teacher_certificate", "professional_certificate", "coach_certificate", "none"]


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """A lesson on the timetable. `break_before_minutes`: the pause since the pupils' lesson before it; None: first.

    `clashes_with_school`, `in_vacation`, `teacher_elsewhere` and `room_taken` are answered by whoever has the calendars
    and timetables; None: not looked up.
    """

    scope: Scope
    subject: str
    starts_at: datetime
    ends_at: datetime
    break_before_minutes: int | None = None
    clashes_with_school: bool | None = None
    in_vacation: bool | None = None
    teacher_elsewhere: bool | None = None
    room_taken: bool | None = None
    class_size: int | None = None
    teachers_present: int | None = None
    area_per_pupil_centi_m2: int | None = None

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
    clashes_with_school: bool | None = None
    in_vacation: bool | None = None
    teacher_elsewhere: bool | None = None
    venue_closed: bool | None = None

    def __post_init__(self) -> None:
        require_aware(self.occurred_from, self.occurred_until, self.reported_at)
        if self.purchased_at is not None:
            require_aware(self.purchased_at)

    def date_for(self, governed_by: GovernedBy) -> date:
        if governed_by == "contract_date":
            return self.signed_on
        return shanghai_date(self.reported_at if governed_by == "report_date" else self.occurred_from)


@dataclass(frozen=True, slots=True)
class StaffRecord:
    """A person an institution has or wants, as known on a day.

    `hired_on` None: not hired yet. `cleared_on` is the day of the last clearance query; None: never asked;
    `clearance_hit`: it had a hit, of whatever kind. `qualification` None: not told.
    The shares are the institution's, with this person counted: full-time teaching and research staff among all staff,
    full-time teachers to pupils.
    """

    scope: Scope
    asked_on: date
    role: StaffRole
    qualification: Qualification | None = None
    hired_on: date | None = None
    cleared_on: date | None = None
    clearance_hit: bool | None = None
    blacklisted: bool | None = None
    barred_by_record: bool | None = None
    in_service_teacher: bool | None = None
    foreigner_abroad: bool | None = None
    consented_to_query: bool | None = None
    made_public: bool | None = None
    fulltime_share_ppm: int | None = None
    fulltime_per_pupil_ppm: int | None = None
    training_hours_centi: int | None = None
    experience_years: int | None = None

    def date_for(self, governed_by: GovernedBy) -> date:
        return self.asked_on


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A taught lesson that waits for the guardian. `notified_at` None: no proof of notice, the clock stands still.

    `taught_until` is when the lesson ended; None: not told. A notice sent before counts from there.
    """

    scope: Scope
    notified_at: datetime | None
    taught_until: datetime | None = None
    dispute_open: bool = False

    def __post_init__(self) -> None:
        require_aware(*(instant for instant in (self.notified_at, self.taught_until) if instant is not None))

    def date_for(self, governed_by: GovernedBy) -> date:
        return shanghai_date(self.notified_at) if self.notified_at is not None else date.max
