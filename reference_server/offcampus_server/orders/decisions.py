"""What is decided about orders without looking anything up. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.problems import Problem, mismatch, violation
from offcampus_server.ledger.shares import PriceLine, earned_by_lines


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
