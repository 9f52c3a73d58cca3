"""How a whole number of fen is shared out, so that the parts are exactly the whole. Pure.

Over time shares are cumulative: after c of n hours floor(P*c/n) is earned, so 1,000.00 in three is 333.33, 333.33,
333.34. A one-off split among lines or channels goes by largest remainder. Lines of a price that say their hours are
earned one after another over these; the others together over all hours. A discount is split among all lines first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PriceLine:
    """A line of a price in fen, and the hundredths of an hour that it prices; None: all of them, with the others."""

    amount_fen: int
    hours_centi: int | None = None


def earned_by_lines(lines: Sequence[PriceLine], discount_fen: int, consumed_centi: int, total_centi: int) -> int:
    """What is earned of a price of several lines after some of its hours.

    Raises ValueError for hours outside 0..total, and when the hours of lines that say theirs are not all hours.
    """
    own = [line.hours_centi for line in lines if line.hours_centi is not None]
    if own and (sum(own) != total_centi or min(own) <= 0):
        raise ValueError(f"the lines price {sum(own)} of {total_centi} hundredths of an hour")
    amounts = [line.amount_fen for line in lines]
    less = split(discount_fen, amounts) if discount_fen else [0] * len(lines)
    net = [amount - part for amount, part in zip(amounts, less, strict=True)]
    shared = sum(fen for line, fen in zip(lines, net, strict=True) if line.hours_centi is None)
    found, before = earned(shared, consumed_centi, total_centi), 0
    for line, fen in zip(lines, net, strict=True):
        if line.hours_centi is not None:
            found += earned(fen, min(max(consumed_centi - before, 0), line.hours_centi), line.hours_centi)
            before += line.hours_centi
    return found


def earned(price_fen: int, consumed_centi: int, total_centi: int) -> int:
    """What is earned of a price after some of its hours. Raises ValueError for hours outside 0..total."""
    if total_centi <= 0 or not 0 <= consumed_centi <= total_centi:
        raise ValueError(f"{consumed_centi} of {total_centi} hundredths of an hour cannot be consumed")
    return price_fen * consumed_centi // total_centi


def split(amount_fen: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights, largest remainder first, earlier parts first among equals.

    Each part is at most its weight when the amount is at most the sum of weights. Raises ValueError when nothing
    carries weight.
    """
    total = sum(weights)
    if total <= 0 or amount_fen < 0:
        raise ValueError("an amount is split among positive weights")
    parts = [amount_fen * weight // total for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(amount_fen * weights[i] % total), i))
    for index in remainders[: amount_fen - sum(parts)]:
        parts[index] += 1
    return parts
