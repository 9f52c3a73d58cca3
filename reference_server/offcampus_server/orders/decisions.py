"""What is decided about orders without looking anything up. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from offcampus_rules import Charge, OpenOrder, Scope

from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.problems import Problem, mismatch, violation
from offcampus_server.ledger.shares import PriceLine, earned_by_lines


def check_sums(order: Mapping[str, Any]) -> None:
    """total = lines - discount. Raises `money.sum_mismatch` with what it must be."""
    lines = sum(line["amount_fen"] for line in order["price_lines"])
    expected = lines - order["discount_fen"]
    if order["total_fen"] != expected:
        entry = violation("money.sum_mismatch", "/total_fen", given=order["total_fen"], allowed=expected, unit="fen")
        raise Problem("money.sum_mismatch", f"total_fen must be {expected}", [entry])


def check_parts(parts: Sequence[Mapping[str, Any]], total_fen: int) -> None:
    """The parts of a payment add up to the order's total. Raises `money.sum_mismatch`."""
    given = sum(part["amount_fen"] for part in parts)
    if given != total_fen:
        entry = violation("money.sum_mismatch", "/parts", given=given, allowed=total_fen, unit="fen")
        raise Problem("money.sum_mismatch", f"the parts must add up to {total_fen}", [entry])


def captured_at(
    parts: Sequence[Mapping[str, Any]], ordered_at: datetime, now: datetime
) -> list[datetime | None]:  # fmt: skip
    """When each part's channel had the money. Raises `schema.invalid` for a moment before the order or to come."""
    found = [parse(part["captured_at"]) if "captured_at" in part else None for part in parts]
    wrong = [
        violation("schema.future" if moment > now else "schema.period", f"/parts/{number}/captured_at")
        for number, moment in enumerate(found)
        if moment is not None and not ordered_at <= moment <= now
    ]
    if wrong:
        raise Problem("schema.invalid", "a channel captures after the order and before now", wrong)
    return found


def check_period(order: Mapping[str, Any]) -> None:
    """The service period has a first day before its end. Raises `schema.invalid`."""
    if order["service_until"] <= order["service_from"]:
        entry = violation("schema.period", "/service_until", given=order["service_until"])
        raise Problem("schema.invalid", "service_until must lie after service_from", [entry])


def charge(
    order: Mapping[str, Any], course: Mapping[str, Any], scope: Scope, signed_on: date, others: Sequence[OpenOrder],
    lease_until: date | None,
) -> Charge:  # fmt: skip
    """The facts that the pre-charge rules judge an order of a course by; every charge is paid into custody."""
    return Charge(
        scope=scope,
        subject=course["subject"],
        signed_on=signed_on,
        ordered_at=parse(order["ordered_at"]),
        class_hours_centi=order["class_hours_centi"],
        gift_hours_centi=order["gift_hours_centi"],
        total_fen=order["total_fen"],
        service_from=date.fromisoformat(order["service_from"]),
        service_until=date.fromisoformat(order["service_until"]),
        charge_method=order["charge_method"],
        discount_fen=order["discount_fen"],
        renewal=order["renewal"],
        training_loan=order["training_loan"],
        open_orders=tuple(others),
        venue_lease_until=lease_until,
        class_size=course["class_size_max"],
        minutes_per_class_hour=course["minutes_per_class_hour"],
        payee_is_custody_account=True,
    )


def hours_that_carry_price(class_hours_centi: int, gift_hours_centi: int, policy: str) -> int:
    """Over how many hours the price is earned: gift hours share it, or paid hours are used first."""
    return class_hours_centi + gift_hours_centi if policy == "pro_rata" else class_hours_centi


def earned_fen(lines: Sequence[PriceLine], discount_fen: int, consumed_centi: int, carrying_centi: int) -> int:
    """What is earned of an order; hours beyond those that carry the price (gifts used last) earn nothing more."""
    return earned_by_lines(lines, discount_fen, min(consumed_centi, carrying_centi), carrying_centi)


def price_lines(order: Mapping[str, Any]) -> tuple[PriceLine, ...]:
    """The lines of an order's price."""
    return tuple(PriceLine(line["amount_fen"], line.get("class_hours_centi")) for line in order["price_lines"])


def check_line_hours(order: Mapping[str, Any], policy: str) -> None:
    """Lines that say their hours say all that carry the price. Raises `reference.mismatch` with what they must be."""
    said = [line["class_hours_centi"] for line in order["price_lines"] if "class_hours_centi" in line]
    carrying = hours_that_carry_price(order["class_hours_centi"], order["gift_hours_centi"], policy)
    if said and sum(said) != carrying:
        raise mismatch("/price_lines", f"the hours of the price lines add up to {sum(said)}, not to {carrying}")
