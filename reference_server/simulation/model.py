"""What is right, told a second time and without the server: the price of what was taught, and what may have left.

Pure, and written from the standard's words rather than from the server's code: exact fractions where it has integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

BY_LESSON = (None, "per_lesson", "proportional")
"""What is earned leaves at once; other modes let it wait for a day, for the end, or for the institution's total."""


def earned_fen(document: Mapping[str, Any], policy: str, consumed_centi: int) -> int:
    """The price of the hours that are consumed: stages one after another, the rest over all hours, in whole fen."""
    carrying = document["class_hours_centi"] + (document["gift_hours_centi"] if policy == "pro_rata" else 0)
    consumed = min(consumed_centi, carrying)
    found, before = 0, 0
    beside = 0
    for line, net in _net(document["price_lines"], document["discount_fen"]):
        hours = line.get("class_hours_centi")
        if hours is None:
            beside += net
            continue
        found += floor(Fraction(net) * min(max(consumed - before, 0), hours) / hours)
        before += hours
    return found + floor(Fraction(beside) * consumed / carrying)


def ceiling(plan: Mapping[str, Any], price: int, earned: int, today: date) -> int:
    """The most that may have left: what is earned, or what a schedule gives that need not follow the teaching."""
    if plan["mode"] != "schedule" or plan["follows_teaching"]:
        return earned
    shares = [step["share_ppm"] for step in plan["steps"] if date.fromisoformat(step["starts_on"]) <= today]
    return max(floor(Fraction(price) * max(shares, default=0) / 1_000_000), earned)


def _net(lines: Sequence[Mapping[str, Any]], discount: int) -> list[tuple[Mapping[str, Any], int]]:
    """Each line less its share of the discount: largest remainder first, earlier lines first among equals."""
    if not discount:
        return [(line, line["amount_fen"]) for line in lines]
    total = sum(line["amount_fen"] for line in lines)
    exact = [Fraction(discount * line["amount_fen"], total) for line in lines]
    parts = [floor(share) for share in exact]
    for index in sorted(range(len(lines)), key=lambda i: (parts[i] - exact[i], i))[: discount - sum(parts)]:
        parts[index] += 1
    return [(line, line["amount_fen"] - part) for line, part in zip(lines, parts, strict=True)]
