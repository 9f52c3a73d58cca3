"""What a refund comes to, line by line, how it goes back through the channels, and how far it has got. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    full: str | None = None
    """Why the whole principal goes back, whatever was taught: one of `WHOLE`. None: what is not consumed."""


WHOLE = {
    "before_start": Line("before_start", 0, "The whole principal: nothing was taught", "尚未授课，退还全部本金"),
    "cooling_off": Line(
        "cooling_off",
        0,
        "The whole principal: asked for within the cooling-off days",
        "冷静期内申请，退还全部本金",
        "refund.cooling_off",
    ),
    "contract_window": Line(
        "contract_window",
        0,
        "The whole principal: asked for within the days that the contract gives",
        "合同约定的全额退费期限内申请，退还全部本金",
    ),
}


def work_out(account: Account) -> tuple[int, list[Line]]:
    """The sum to refund now, and its working: it never exceeds what is free in escrow.

    What was reported and is not yet decided is held back: when it is confirmed it is released, when the family's
    dispute is upheld it is refunded too.
    """
    lines = [Line("paid", account.paid, "Paid for the order", "订单已付")]
    if account.full:
        lines.append(WHOLE[account.full])
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


def state_of(parts: Collection[str]) -> str:
    """The state of an agreed refund, from the states of its instructions."""
    if "failed" in parts:
        return "failed"
    return "paid" if all(state == "executed" for state in parts) else "paying"


def _hours(centi: int) -> str:
    whole, rest = divmod(centi, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)
