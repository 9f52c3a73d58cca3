"""What a document must agree with in itself, beyond what its schema can say. Pure.

One rule a function, so that the server, the SDK and a reader find the same one: each gives None, or the code of the
problem with its violations. What needs other documents (a balance, a lesson, a rule) is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from offcampus_spec.violations import JsonObject, violation

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Incoherence:
    """What does not agree: the code of the problem, what to say, and the places."""

    code: str
    detail: str
    violations: tuple[JsonObject, ...]


def order_sum(order: Document) -> Incoherence | None:
    """The total is the sum of the price lines less the discount (M-14.1)."""
    expected = sum(line["amount_fen"] for line in order["price_lines"]) - order["discount_fen"]
    if order["total_fen"] == expected:
        return None
    entry = violation("money.sum_mismatch", "/total_fen", given=order["total_fen"], allowed=expected, unit="fen")
    return Incoherence("money.sum_mismatch", f"total_fen must be {expected}", (entry,))


def order_period(order: Document) -> Incoherence | None:
    """The service period has a first day before its end."""
    if order["service_until"] > order["service_from"]:
        return None
    entry = violation("schema.period", "/service_until", given=order["service_until"])
    return Incoherence("schema.invalid", "service_until must lie after service_from", (entry,))


def consumption_times(record: Document) -> Incoherence | None:
    """A record's time runs forward."""
    if moment(record["occurred_until"]) > moment(record["occurred_from"]):
        return None
    entry = violation("consumption.time_mismatch", "/occurred_until", given=record["occurred_until"])
    return Incoherence("consumption.time_mismatch", "occurred_until must lie after occurred_from", (entry,))


def lesson_times(lesson: Document) -> Incoherence | None:
    """A lesson ends after it begins, on the same day in Shanghai."""
    starts, ends = moment(lesson["starts_at"]), moment(lesson["ends_at"])
    if ends > starts and ends.date() == starts.date():
        return None
    entry = violation("lesson.time_order", "/ends_at", given=lesson["ends_at"])
    return Incoherence("lesson.time_order", "ends_at is after starts_at, on the same day in Shanghai", (entry,))


def course_dates(course: Document) -> Incoherence | None:
    """A course does not end before it begins."""
    if course["ends_on"] >= course["starts_on"]:
        return None
    entry = violation("lesson.time_order", "/ends_on", given=course["ends_on"], allowed=f"from {course['starts_on']}")
    return Incoherence("lesson.time_order", "ends_on lies before starts_on", (entry,))


RULES: Mapping[str, tuple[Callable[[Document], Incoherence | None], ...]] = {
    "order": (order_sum, order_period),
    "consumption-record": (consumption_times,),
    "lesson": (lesson_times,),
    "course": (course_dates,),
}
"""The rules of a schema, in the order in which the reference server asks them."""


def incoherences(schema: str, document: Document) -> Iterator[Incoherence]:
    """What a document that fits its schema does not agree with in itself."""
    for rule in RULES.get(schema, ()):
        if (found := rule(document)) is not None:
            yield found


def moment(text: str) -> datetime:
    """An RFC 3339 time in the business zone; `t` and `z` in any case."""
    return datetime.fromisoformat(text.upper()).astimezone(BUSINESS_ZONE)
