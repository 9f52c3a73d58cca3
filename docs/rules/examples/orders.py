"""Writes a history of made-up orders in Hangzhou, one case a line, for trying out `offcampus-rules replay`.

    python docs/rules/examples/orders.py 100000 > orders.ndjson

The same number gives the same orders. Nobody's order is among them.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import date, timedelta

SECTORS = ("academic", "sport", "art_culture", "sci_tech")
FIRST = date(2025, 1, 1)


def order(number: int, dice: random.Random) -> dict[str, object]:
    """A charge as the rules see it: no name, no identifier of a person."""
    signed = FIRST + timedelta(days=dice.randrange(600))
    start, hours = signed + timedelta(days=dice.randrange(1, 25)), dice.randrange(8, 61)
    return {
        "case": f"order {number}",
        "question": "charge",
        "institution": f"institution {dice.randrange(400)}",
        "decided_at": f"{signed}T18:00:00+08:00",
        "facts": {
            "scope": {
                "region": "330106",
                "sector": dice.choice(SECTORS),
                "stage": "compulsory",
                "delivery": "offline",
            },
            "subject": "made up",
            "signed_on": str(signed),
            "ordered_at": f"{signed}T10:00:00+08:00",
            "class_hours_centi": hours * 100,
            "gift_hours_centi": dice.choice((0, 0, 0, 200)),
            "total_fen": hours * dice.randrange(4_000, 9_500),
            "service_from": str(start),
            "service_until": str(start + timedelta(days=dice.randrange(30, 93))),
            "charge_method": "by_hours",
        },
    }


if __name__ == "__main__":
    dice = random.Random(int(sys.argv[1]))  # noqa: S311 - no secret
    for number in range(int(sys.argv[1])):
        print(json.dumps(order(number, dice), ensure_ascii=False))
