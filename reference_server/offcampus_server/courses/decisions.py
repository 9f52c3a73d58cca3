"""What is decided about courses and lessons without looking anything up. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Slot:
    """A lesson's place on the timetable; half-open."""

    lesson_id: str
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Slot) -> bool:
        """Two slots that share an instant; one that ends as the other starts does not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def clash(slot: Slot, others: Iterable[Slot]) -> Slot | None:
    """The first of the others that overlaps the slot."""
    return next((other for other in others if other.lesson_id != slot.lesson_id and slot.overlaps(other)), None)
