"""The facts a rule may look at: one frozen dataclass per question (M-07.3, M-14.1, M-18.2).

Invariants
- Plain values only: no session, no clock, no file. The same facts give the same decision, for ever.
- Money is integer fen, hours are integer hundredths of a class hour (`*_centi`), instants carry an offset.
- A date is a Shanghai calendar day. Which date selects the law is declared by each parameter (`governed_by`)
  and answered by the context's `date_for`: what was agreed follows the contract's date, what happened follows its own.
- Contexts gain optional facts only. None says that a fact was not told (a rule about it is then "not evaluated") or
  does not arise (the field says so). A fact left at its default does not change the digest of older facts.
"""

from offcampus_rules.context.institution import FactorScore, InstitutionWindow, InstitutionYear, ListChange, ListReview
from offcampus_rules.context.money import (
    RefundReason,
    RefundRefusal,
    RefundRequest,
    RefusalGround,
    Release,
    ReleasePlanRequest,
    ReserveCase,
)
from offcampus_rules.context.scope import (
    DELIVERIES,
    SECTORS,
    STAGES,
    Area,
    Delivery,
    Facts,
    GovernedBy,
    ListStatus,
    Scope,
    Sector,
    Stage,
    require_aware,
)
from offcampus_rules.context.selling import Charge, ChargeMethod, CourseFiling, DayForm, OpenOrder, PriceRequest
from offcampus_rules.context.teaching import (
    Confirmation,
    Consumption,
    ConsumptionType,
    LessonPlan,
    ProofKind,
    Qualification,
    StaffRecord,
    StaffRole,
)

__all__ = [
    "DELIVERIES",
    "SECTORS",
    "STAGES",
    "Area",
    "Charge",
    "ChargeMethod",
    "Confirmation",
    "Consumption",
    "ConsumptionType",
    "CourseFiling",
    "DayForm",
    "Delivery",
    "FactorScore",
    "Facts",
    "GovernedBy",
    "InstitutionWindow",
    "InstitutionYear",
    "LessonPlan",
    "ListChange",
    "ListReview",
    "ListStatus",
    "OpenOrder",
    "PriceRequest",
    "ProofKind",
    "Qualification",
    "RefundReason",
    "RefundRefusal",
    "RefundRequest",
    "RefusalGround",
    "Release",
    "ReleasePlanRequest",
    "ReserveCase",
    "Scope",
    "Sector",
    "StaffRecord",
    "StaffRole",
    "Stage",
    "require_aware",
]
