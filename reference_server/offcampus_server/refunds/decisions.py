"""What a refund comes to, line by line, and how it goes back through the channels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offcampus_server.ledger.shares import split
from offcampus_server.orders.payments import Part


@dataclass(frozen=True)
class Line:
    """One line of the working; `amount_fen` carries its sign."""

    line: str
    amount_fen: int
    text_en: str
    text_zh: str
    rule: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the schema `refund-resource`."""
        return {
            "line": self.line, "amount_fen": self.amount_fen, "text_en": self.text_en, "text_zh": self.text_zh,
            "rule": self.rule,
        }  # fmt: skip


@dataclass(frozen=True)
class Account:
    """The facts of an order's money and hours at one moment. Money in fen, hours in hundredths."""

    paid: int
    refunded: int
    """Refunded and on its way back."""
    escrow: int
    """Free in escrow: nothing is about to move it."""
    earned_confirmed: int
    earned_with_reported: int
    confirmed_centi: int
    reported_centi: int
    hours_centi: int
    full: bool = False
    """A rule gives the whole principal back, whatever was taught (cooling-off)."""


def work_out(account: Account) -> tuple[int, list[Line]]:
    """The sum to refund now, and its working: it never exceeds what is free in escrow.

    What was reported and is not yet decided is held back: when it is confirmed it is released, when the family's
    dispute is upheld it is refunded too.
    """
    lines = [Line("paid", account.paid, "Paid for the order", "订单已付")]
    if account.full:
        lines.append(_cooling_off())
    else:
        lines += _consumed(account)
    if account.refunded:
        lines.append(Line("refunded", -account.refunded, "Refunded before or on its way", "此前已退或退款中"))
    owed = max(sum(line.amount_fen for line in lines), 0)
    amount = min(owed, max(account.escrow, 0))
    if amount < owed:
        text_en, text_zh = "Not in escrow: to be settled with the institution", "不在托管余额内，需由机构补足"
        lines.append(Line("shortfall", amount - owed, text_en, text_zh))
    lines.append(Line("refund", amount, "To be refunded", "应退金额"))
    return amount, lines


def _consumed(account: Account) -> list[Line]:
    hours = f"{_hours(account.confirmed_centi)} of {_hours(account.hours_centi)}"
    of_zh = f"{_hours(account.hours_centi)} 课时中的 {_hours(account.confirmed_centi)} 课时"
    lines = [
        Line(
            "consumed", -account.earned_confirmed, f"Earned by {hours} class hours confirmed",
            f"已确认消课：{of_zh}", "release.principle",
        )
    ]  # fmt: skip
    in_flight = account.earned_with_reported - account.earned_confirmed
    if in_flight:
        reported = _hours(account.reported_centi - account.confirmed_centi)
        text = f"Held back for {reported} class hours reported and not yet decided"
        lines.append(Line("in_flight", -in_flight, text, f"{reported} 课时已上报未确认，暂缓"))
    return lines


def _cooling_off() -> Line:
    text_en = "The whole principal: asked for within the cooling-off days"
    return Line("cooling_off", 0, text_en, "冷静期内申请，退还全部本金", "refund.cooling_off")


def parts(amount_fen: int, paid: Sequence[Part], back: Mapping[tuple[str, int], int]) -> list[tuple[Part, int]]:
    """How much goes back through each part: by largest remainder over what each can still take back.

    No part ever takes back more than it paid. Raises ValueError when all of them together cannot take the amount.
    """
    room = [part.amount_fen - back.get((part.payment_id, part.part_no), 0) for part in paid]
    if amount_fen > sum(room):
        raise ValueError(f"{amount_fen} fen cannot go back through channels that paid {sum(room)} fen")
    if amount_fen == 0:
        return []
    return [(part, share) for part, share in zip(paid, split(amount_fen, room), strict=True) if share]


def _hours(centi: int) -> str:
    whole, rest = divmod(centi, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)
