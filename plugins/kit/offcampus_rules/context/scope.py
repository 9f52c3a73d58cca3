"""Where and for whom: the key of every value, the words contexts share, and what all contexts have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, get_args

Sector = Literal["academic", "sport", "art_culture", "sci_tech", "comprehensive_practice"]
Stage = Literal["preschool_3_6", "compulsory", "senior_high", "secondary_vocational"]
Delivery = Literal["offline", "online"]
GovernedBy = Literal["contract_date", "event_date", "report_date"]
Area = Literal["urban", "rural"]
ListStatus = Literal["white", "removed", "black"]
"""`removed`: taken off the white list to put things right; not the same as blacklisted."""

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


def require_aware(*instants: datetime) -> None:
    """Refuse a time without offset: it means another instant on another machine."""
    for instant in instants:
        if instant.tzinfo is None:
            raise ValueError(f"an instant needs an offset, got {instant.isoformat()}")
