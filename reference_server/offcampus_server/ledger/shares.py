"""How a whole number of fen is shared out, so that the parts are exactly the whole. Pure.

Over time shares are cumulative: after c of n hours floor(P*c/n) is earned, so 1,000.00 in three is 333.33, 333.33,
333.34. A one-off split among lines or channels goes by largest remainder.
"""

from __future__ import annotations

from collections.abc import Sequence


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
