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
    charged_back: int = 0
    """Taken back by the payer's own bank."""
    reserve: int = 0
    """What the institution's reserve can give."""
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
    """The sum to refund now, and its working with the sources that it comes from, where escrow does not hold it.

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
    if account.charged_back:
        text_en, text_zh = "Taken back by the payer's bank", "付款方银行已拒付退回"
        lines.append(Line("charged_back", -account.charged_back, text_en, text_zh))
    owed = sum(line.amount_fen for line in lines)
    if owed < 0:
        text_en, text_zh = "More was consumed than paid: nothing goes back", "已消课超过已付，无可退金额"
        lines.append(Line("beyond_paid", -owed, text_en, text_zh))
        owed = 0
    lines.append(Line("refund", owed, "To be refunded", "应退金额"))
    found = sources(owed, account.escrow, account.reserve)
    return owed, lines if found.escrow == owed else [*lines, found.line()]


@dataclass(frozen=True)
class Sources:
    """From where a refund comes, in this order: the order's escrow, the reserve, the institution's debt."""

    escrow: int
    reserve: int
    institution: int

    def line(self) -> Line:
        """As a line of the working, without a sum of its own."""
        sums = self.escrow, self.reserve, self.institution
        escrow, reserve, rest = (f"{fen // 100}.{fen % 100:02d}" for fen in sums)
        text_en = f"Of it {escrow} yuan from escrow, {reserve} from the reserve, {rest} owed by the institution"
        text_zh = f"其中托管余额 {escrow} 元，保证金 {reserve} 元，机构应补 {rest} 元"
        return Line("sources", 0, text_en, text_zh)


def sources(owed: int, escrow: int, reserve: int) -> Sources:
    """Split what is owed among its sources."""
    first = min(owed, max(escrow, 0))
    second = min(owed - first, max(reserve, 0))
    return Sources(first, second, owed - first - second)


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


def since(before: Sequence[Mapping[str, Any]], now: Sequence[Line], amount_fen: int) -> list[Line]:
    """What has changed since a working was fixed, as lines to be added to it; none of those before changes.

    Args:
        before: the lines that were fixed at the request.
        now: the lines as they would be now, which come to `amount_fen`.
    """
    added = []
    for (line, *names), (en, zh), (more_en, more_zh) in SINCE:
        was = sum(entry["amount_fen"] for entry in before if entry["line"] in names)
        if change := sum(entry.amount_fen for entry in now if entry.line in names) - was:
            texts = (more_en, more_zh) if change > 0 else (en, zh)
            added.append(Line(line, change, *texts))
    if added:
        text_en, text_zh = "To be refunded, with what has changed since the request", "计入申请后变化的应退金额"
        added.append(Line("refund", amount_fen, text_en, text_zh))
    return added


_LESS, _MORE = ("Changed since the request", "申请后变化"), ("Changed since the request", "申请后变化")
SINCE = (
    (("arrived_since", "paid"), _LESS, ("Arrived since the request", "申请后到账")),
    (
        ("hours_since", "consumed", "in_flight", "before_start"),
        ("Taught before the request, reported since", "申请前已授课、申请后上报"),
        ("Reported at the request, not taught after all", "申请时已上报、经裁定未授课"),
    ),
    (("refunded_since", "refunded"), _LESS, _MORE),
    (("beyond_paid_since", "beyond_paid"), _LESS, ("More is consumed than paid", "已消课超过已付")),
    (("charged_back_since", "charged_back"), _LESS, _MORE),
)
"""What can change: the line that is added, the lines that it sums up, its texts when it is less and when it is more."""


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
